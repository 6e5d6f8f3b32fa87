import { randomBytes, randomInt } from 'node:crypto';
import type pino from 'pino';
import type { AdmittedSessions } from '../../access/mod.ts';
import { type MonotonicMs, ProtocolError, SluiceError } from '../../core/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import {
  createIceCredentials,
  hostCandidate,
  type IceCredentials,
  IceLite,
  type IceTransport,
  writeCandidate,
} from '../../protocols/ice/mod.ts';
import {
  answerPlay,
  answerPublish,
  type LocalTransport,
  type Negotiated,
  parseSessionDescription,
  type SdpAnswer,
} from '../../protocols/sdp/mod.ts';
import type { WhipAnswer, WhipOffer, WhipRefused, WhipSession, WhipSessions } from '../../protocols/whip/mod.ts';
import { AddressCounts } from '../address-counts.ts';
import { AppBytes } from '../app-bytes.ts';
import type { Clock } from '../clock.ts';
import { listenError } from '../listen-error.ts';
import type { JoinTraces } from '../tracing/mod.ts';
import { announcedAddresses } from './announced-addresses.ts';
import { IceTcpServer } from './ice-tcp-server.ts';
import type { Kernel, KernelListener, KernelModule, SocketAddress } from './kernel.ts';
import { MediaTotals } from './media-totals.ts';
import { nodeIceCrypto } from './node-ice-crypto.ts';
import { playTracks } from './play-tracks.ts';
import { CLOSED, type SessionEntry as Entry } from './session-entry.ts';
import { StreamBroadcasts } from './stream-broadcasts.ts';
import { openWebrtcPort } from './webrtc-port.ts';
import { WebrtcPublisher } from './webrtc-publisher.ts';
import type { SessionEnd, SessionMedia } from './webrtc-session.ts';
import type { WebrtcStats } from './webrtc-stats.ts';
import { WebrtcViewer } from './webrtc-viewer.ts';

export interface WebrtcServerOptions {
  /** `*` is every address. */
  readonly host: string;
  /** UDP, and TCP too where `tcp` says so. 0 takes a free one. */
  readonly port: number;
  readonly tcp: boolean;
  readonly publicAddresses: readonly string[];
  readonly sessionsMax: number;
  /** Loopback is not counted. */
  readonly sessionsPerAddressMax: number;
  readonly keyframeIntervalMs: number;
  readonly segmentationOffload: 'auto' | 'off';
  readonly hub: Hub;
  /** Sessions that can be ended by what let them in; without it, they cannot. */
  readonly admitted?: AdmittedSessions;
  /** What a second publisher of a live stream gets, by app. */
  readonly secondPublisher: (app: string) => 'reject' | 'takeover';
  /** Absent: nothing is traced. */
  readonly joins?: JoinTraces;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

const TICK_MS = 20;
const TICKS_PER_SWEEP = 5;
/** From the answer to the end of the DTLS handshake. */
const CONNECT_MS_MAX = 15_000;

/** As in the answers (RFC 8445 section 10, RFC 8838 section 4.1.1). */
const ICE_OPTIONS: readonly string[] = ['ice2', 'trickle'];

/** All WebRTC sessions of this node behind one port: publishers (WHIP) and viewers (WHEP), over the native kernel. Whoever comes here has been let in. */
export class WebrtcServer implements WhipSessions {
  private readonly options: WebrtcServerOptions;
  private readonly kernel: Kernel;
  private readonly ice: IceLite<number>;
  private readonly tcp: IceTcpServer | undefined;
  private readonly broadcasts: StreamBroadcasts;
  private readonly sessions = new Map<string, Entry>();
  private readonly publishers = new Set<Entry>();
  /** Viewers whose joins are traced, and who have got no media yet. */
  private readonly joining = new Set<Entry>();
  private readonly byKey = new Map<number, Entry>();
  private readonly perAddress: AddressCounts;
  private readonly totals = new MediaTotals();
  private readonly endedByCode = new Map<string, number>();
  /** To viewers who have left. */
  private readonly pastBytes = new AppBytes();
  private socket = 0;
  private ticker: NodeJS.Timeout | undefined = undefined;
  private isClosing = false;
  private ticks = 0;
  /** The port in use; valid after `listen`. */
  port = 0;

  constructor(module: KernelModule, options: WebrtcServerOptions) {
    this.options = options;
    this.perAddress = new AddressCounts(options.sessionsPerAddressMax);
    this.kernel = new module.Kernel(this.kernelListener(), {
      sessionsMax: options.sessionsMax,
      segmentationOffload: options.segmentationOffload,
    });
    this.broadcasts = new StreamBroadcasts(this.kernel, options.clock);
    this.ice = new IceLite<number>(this.iceOutput(), nodeIceCrypto);
    this.tcp = options.tcp ? this.createTcp() : undefined;
  }

  /** Whether the kernel lets the network stack cut packets. */
  get segmentationOffload(): boolean {
    return this.kernel.segmentationOffload;
  }

  /** Opens the port. Throws `SluiceError` `listen.*`. */
  async listen(): Promise<void> {
    const { host, port } = this.options;
    const place = { what: 'WebRTC', host, port, key: 'webrtc.port', variable: 'SLUICE_WEBRTC_PORT' };
    try {
      const opened = await openWebrtcPort(this.kernel, this.tcp, host, port);
      this.socket = opened.socket;
      this.port = opened.port;
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, place);
    }
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  // What WHIP and WHEP ask for.

  create(offer: WhipOffer): WhipAnswer | WhipRefused {
    if (this.isClosing) return { refused: 'unavailable' };
    if (this.sessions.size >= this.options.sessionsMax || !this.perAddress.add(offer.address)) return { refused: 'too-many-sessions' };
    const made = this.make(offer);
    if ('refused' in made) this.perAddress.remove(offer.address);
    return made;
  }

  find(id: string): WhipSession | undefined {
    return this.sessions.get(id);
  }

  /** What let a session in, so that it can be ended by that. */
  letIn(id: string, credential: string): void {
    const entry = this.sessions.get(id);
    if (entry !== undefined)
      entry.noMoreAdmitted =
        this.options.admitted?.begin(credential, () => this.end(entry, 'webrtc.access-withdrawn')) ?? entry.noMoreAdmitted;
  }

  /** What has been sent to viewers since the start, by app. */
  addBytesSent(to: AppBytes): void {
    this.pastBytes.addTo(to);
    for (const { kind, key, ref } of this.sessions.values()) if (kind === 'play') to.add(ref.app, this.kernel.sessionStats(key).bytesSent);
  }

  stats(): WebrtcStats {
    const publishers = this.publishers.size;
    return {
      publishers,
      viewers: this.sessions.size - publishers,
      tcpConnections: this.tcp?.size ?? 0,
      endedByCode: this.endedByCode,
      kernel: this.kernel.stats(),
      ice: this.ice.counters,
      latencyP50Ms: this.broadcasts.latencyMs(0.5),
      latencyP99Ms: this.broadcasts.latencyMs(0.99),
      latency: this.broadcasts.latency(),
      media: this.totals.counts([...this.publishers].map(({ media }) => media.stats?.())),
    };
  }

  /** Says goodbye to everybody and closes the port. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    clearInterval(this.ticker);
    for (const entry of [...this.sessions.values()]) this.end(entry, 'webrtc.server-stopping');
    this.broadcasts.close();
    await this.tcp?.close();
    this.kernel.close();
  }

  private createTcp(): IceTcpServer {
    const { host, sessionsMax, sessionsPerAddressMax, clock } = this.options;
    return new IceTcpServer(
      {
        stun: (transport, bytes) => this.ice.receive(transport, bytes, clock.monotonic()),
        packet: (connection, bytes) => {
          const entry = this.tcpOwners.get(connection);
          if (entry !== undefined) this.kernel.receiveDatagram(entry.key, bytes);
        },
        closed: (connection, transport) => {
          const entry = this.tcpOwners.get(connection);
          this.tcpOwners.delete(connection);
          if (entry !== undefined) this.ice.removeTransport(entry.key, transport);
        },
      },
      { host, connectionsMax: sessionsMax, connectionsPerAddressMax: sessionsPerAddressMax },
    );
  }

  private readonly tcpOwners = new Map<number, Entry>();

  private make(offer: WhipOffer): WhipAnswer | WhipRefused {
    try {
      return offer.kind === 'publish' ? this.makePublisher(offer) : this.makeViewer(offer);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'webrtc.too-many-sessions') return { refused: 'too-many-sessions' };
      if (error instanceof ProtocolError && error.code !== 'sdp.bad') {
        return { refused: 'offer-unusable', code: error.code, detail: error.message };
      }
      throw error;
    }
  }

  private makePublisher(offer: WhipOffer): WhipAnswer | WhipRefused {
    const { hub, secondPublisher, clock, log, keyframeIntervalMs } = this.options;
    // Everything that can be wrong with the offer is found before anybody is evicted for it.
    const negotiation = this.negotiate(offer, (session, transport) => answerPublish(session, { transport }));
    const publisher = new WebrtcPublisher({
      kernel: this.kernel,
      clock,
      log,
      cname: cname(),
      keyframeIntervalMs,
      end: (reason) => this.endById(offer.id, reason),
    });
    const [now, wall] = [clock.monotonic(), clock.wall()];
    const who = { protocol: 'webrtc', address: offer.address, agent: offer.agent } as const;
    const publication = hub.publish(offer.ref, who, publisher, secondPublisher(offer.ref.app), now, wall);
    if (publication === 'stream-taken') return { refused: 'stream-taken' };
    if (publication === 'too-many-streams') return { refused: 'unavailable', detail: 'The server has as many streams as it may.' };
    publisher.published(publication);
    try {
      const entry = this.add(offer, negotiation, publisher, now);
      publisher.negotiated(entry.key, negotiation.answer.negotiated.media, now);
    } catch (error) {
      publication.finish(now);
      throw error;
    }
    return { sdp: negotiation.answer.text, etag: negotiation.local.ufrag };
  }

  private makeViewer(offer: WhipOffer): WhipAnswer | WhipRefused {
    const { hub, clock } = this.options;
    const stream = hub.stream(offer.ref.path);
    if (stream === undefined || stream.tracks.length === 0) return { refused: 'stream-not-live' };
    const name = cname();
    const viewer = new WebrtcViewer({
      stream,
      broadcasts: this.broadcasts,
      kernel: this.kernel,
      clock,
      cname: name,
      totals: this.totals,
      end: (reason) => this.endById(offer.id, reason),
    });
    const now = clock.monotonic();
    try {
      const tracks = viewer.tracks();
      if (tracks.length === 0) {
        viewer.ended('webrtc.codec-changed');
        return { refused: 'offer-unusable', code: 'webrtc.not-playable', detail: whyNothing(stream.tracks.map(({ codec }) => codec)) };
      }
      const negotiation = this.negotiate(offer, (session, transport) => answerPlay(session, playTracks(tracks, name), { transport }));
      viewer.choose(tracks, negotiation.answer.negotiated.media);
      const entry = this.add(offer, negotiation, viewer, now);
      viewer.negotiated(entry.key, now);
      return { sdp: negotiation.answer.text, etag: negotiation.local.ufrag };
    } catch (error) {
      viewer.ended('webrtc.internal');
      throw error;
    }
  }

  private negotiate(
    offer: WhipOffer,
    answer: (session: ReturnType<typeof parseSessionDescription>, transport: LocalTransport) => SdpAnswer,
  ): { readonly answer: SdpAnswer; readonly local: IceCredentials } {
    const local = this.credentials();
    const transport: LocalTransport = {
      ice: local,
      fingerprint: this.kernel.fingerprint,
      candidates: this.candidates(offer.address),
      sessionId: String(randomInt(1, 2 ** 47)),
    };
    return { answer: answer(parseSessionDescription(offer.sdp), transport), local };
  }

  private credentials(): IceCredentials {
    for (;;) {
      const credentials = createIceCredentials(nodeIceCrypto);
      if (!this.ice.hasUfrag(credentials.ufrag)) return credentials;
    }
  }

  private candidates(clientAddress: string): readonly string[] {
    const { publicAddresses, host, tcp } = this.options;
    const addresses = announcedAddresses(publicAddresses, host, clientAddress);
    const of = (protocol: 'udp' | 'tcp'): string[] =>
      addresses.map((ip, order) => writeCandidate(hostCandidate(protocol, ip, this.port, order)));
    return tcp ? [...of('udp'), ...of('tcp')] : of('udp');
  }

  private add(
    offer: WhipOffer,
    { answer, local }: { readonly answer: SdpAnswer; readonly local: IceCredentials },
    media: SessionMedia,
    now: MonotonicMs,
  ): Entry {
    const { transport }: Negotiated = answer.negotiated;
    const key = this.kernel.addSession({
      socket: this.socket,
      role: transport.dtlsRole,
      peerFingerprint: transport.fingerprints[0],
      deliver: 'packets',
    });
    this.ice.add(key, local, now, transport.ice.ufrag);
    const entry: Entry = {
      id: offer.id,
      kind: offer.kind,
      ref: offer.ref,
      address: offer.address,
      key,
      media,
      etag: local.ufrag,
      remoteUfrag: transport.ice.ufrag,
      isDtlsClient: transport.dtlsRole === 'client',
      connectBy: now + CONNECT_MS_MAX,
      isConnected: false,
      hasPath: false,
      tcpConnection: undefined,
      join: this.options.joins?.current,
      noMoreAdmitted: () => undefined,
      // A lite agent sends no checks, so it has no use for the peer's candidates: those show themselves by their checks.
      trickle: () => undefined,
      restart: ({ ufrag }) => this.restart(entry, ufrag),
      layers: () => media.layers?.(),
      remove: () => this.end(entry, 'webrtc.deleted-by-client'),
    };
    this.sessions.set(entry.id, entry);
    if (entry.kind === 'publish') this.publishers.add(entry);
    else if (entry.join !== undefined) this.joining.add(entry);
    this.byKey.set(key, entry);
    const fields = { code: `webrtc.${offer.kind}`, stream: offer.ref.path, remote: offer.address, agent: offer.agent };
    this.options.log[offer.kind === 'publish' ? 'info' : 'debug'](fields, 'WebRTC session made');
    return entry;
  }

  private restart(entry: Entry, remoteUfrag: string): ReturnType<WhipSession['restart']> {
    const local = this.credentials();
    this.ice.restart(entry.key, local, this.options.clock.monotonic(), remoteUfrag);
    entry.etag = local.ufrag;
    entry.remoteUfrag = remoteUfrag;
    const candidates = this.candidates(entry.address);
    return { etag: local.ufrag, ice: { ...local, candidates, isLite: true, options: ICE_OPTIONS } };
  }

  private endById(id: string, reason: SessionEnd): void {
    const entry = this.sessions.get(id);
    if (entry !== undefined) this.end(entry, reason);
  }

  private end(entry: Entry, reason: SessionEnd): void {
    if (!this.sessions.delete(entry.id)) return;
    this.publishers.delete(entry);
    this.joined(entry, reason);
    this.ice.remove(entry.key);
    this.perAddress.remove(entry.address);
    this.endedByCode.set(reason, (this.endedByCode.get(reason) ?? 0) + 1);
    this.totals.ended(entry.media.stats?.());
    entry.noMoreAdmitted();
    entry.media.ended(reason, this.options.clock.monotonic());
    if (entry.kind === 'play') this.pastBytes.add(entry.ref.app, this.kernel.sessionStats(entry.key).bytesSent);
    this.kernel.removeSession(entry.key);
    // Only now: RTCP BYE and close_notify find their TCP connection by it.
    this.byKey.delete(entry.key);
    // Those too that it did not choose: claimed, nothing else would end them.
    for (const [connection, owner] of this.tcpOwners) if (owner === entry) this.tcp?.disconnect(connection);
    const fields = { code: reason, stream: entry.ref.path, remote: entry.address };
    this.options.log[entry.kind === 'publish' ? 'info' : 'debug'](fields, 'WebRTC session ended');
  }

  /** Media flows, or never will. */
  private joined(entry: Entry, code?: SessionEnd): void {
    entry.join?.end(code);
    entry.join = undefined;
    this.joining.delete(entry);
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    this.kernel.tick();
    this.ice.tick(now);
    this.tcp?.tick(now);
    this.broadcasts.tick();
    for (const entry of this.joining) if (entry.media.hasSent === true) this.joined(entry);
    // Viewers are many, and have nothing to do as often as publishers.
    for (const entry of this.ticks++ % TICKS_PER_SWEEP === 0 ? this.sessions.values() : this.publishers) {
      if (entry.media.wakeAt <= now) this.guard(entry, () => entry.media.tick(now));
      if (!entry.isConnected && now >= entry.connectBy) this.end(entry, 'webrtc.connect-timeout');
    }
  }

  private kernelListener(): KernelListener {
    const { clock } = this.options;
    const media = (key: number, act: (entry: Entry) => void): void => {
      const entry = this.byKey.get(key);
      if (entry !== undefined) this.guard(entry, () => act(entry));
    };
    return {
      stun: (socket, source, bytes) => this.ice.receive({ kind: 'udp', socket, source }, bytes, clock.monotonic()),
      rtp: (key, bytes, arrivalUs) =>
        media(key, (entry) => {
          if (entry.join !== undefined) this.joined(entry);
          entry.media.rtp(bytes, arrivalUs, clock.monotonic());
        }),
      rtcp: (key, bytes) => media(key, (entry) => entry.media.rtcp(bytes, clock.monotonic())),
      connected: (key) =>
        media(key, (entry) => {
          entry.isConnected = true;
          entry.join?.event('connected');
          entry.media.connected(clock.monotonic());
        }),
      closed: (key, reason) => media(key, (entry) => this.end(entry, CLOSED[reason])),
      datagram: (key, bytes) => {
        const connection = this.byKey.get(key)?.tcpConnection;
        if (connection !== undefined) this.tcp?.send(connection, bytes);
      },
      drained: () => this.broadcasts.drained(),
    };
  }

  private iceOutput(): ConstructorParameters<typeof IceLite<number>>[0] {
    return {
      respond: (transport, bytes) => {
        if (transport.kind === 'tcp') this.tcp?.send(transport.connection, bytes);
        else this.kernel.sendDatagram(transport.socket, transport.source, bytes);
      },
      validated: (key, transport) => this.validated(key, transport),
      nominated: (key, transport) => this.nominated(key, transport),
      forgotten: (_key, transport) => {
        if (transport.kind === 'tcp') this.tcp?.disconnect(transport.connection);
      },
      consentLost: (key) => {
        const entry = this.byKey.get(key);
        if (entry !== undefined) this.end(entry, 'webrtc.consent-lost');
      },
    };
  }

  private validated(key: number, transport: IceTransport): void {
    const entry = this.byKey.get(key);
    if (entry === undefined) return;
    if (transport.kind === 'tcp') {
      this.tcpOwners.set(transport.connection, entry);
      this.tcp?.claim(transport.connection);
    } else {
      this.kernel.allowSource(key, transport.source);
    }
    // A peer may begin DTLS on the first path that works, before it has chosen one.
    if (!entry.hasPath) this.nominated(key, transport);
  }

  private nominated(key: number, transport: IceTransport): void {
    const entry = this.byKey.get(key);
    if (entry === undefined) return;
    if (transport.kind === 'tcp') {
      entry.tcpConnection = transport.connection;
      this.kernel.selectTcp(key);
    } else {
      entry.tcpConnection = undefined;
      this.kernel.selectDestination(key, transport.source as SocketAddress);
    }
    if (entry.isDtlsClient && !entry.hasPath) this.kernel.startDtls(key);
    entry.hasPath = true;
  }

  /** A bug of ours ends this session and no other. */
  private guard(entry: Entry, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.options.log.error({ code: 'webrtc.internal', stream: entry.ref.path, err: error }, 'WebRTC session failed; please report this');
      this.end(entry, 'webrtc.internal');
    }
  }
}

const cname = (): string => randomBytes(12).toString('base64url');

const whyNothing = (codecs: readonly string[]): string =>
  `WebRTC can play nothing of this stream (${codecs.join(', ')}): publish without B-frames, and sound as Opus, or play it by LL-HLS.`;
