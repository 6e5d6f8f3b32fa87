import type { SocketConstructorOpts } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import type { MonotonicMs } from '../../core/mod.ts';
import {
  RELAY_PROTOCOL,
  type RelayPullerOutput,
  RelayPullerSession,
  type RelayReceiver,
  type RelayWish,
} from '../../protocols/relay/mod.ts';
import { LatencyHistogram } from '../latency-histogram.ts';
import type { LatencyRing } from '../latency-ring.ts';
import { identityError } from './peer-identity.ts';
import type { RelayClientOptions, RelayPull, RelayPullOptions, RelayUpstream, RelayWatch } from './relay-pull.ts';
import { RelaySocket } from './relay-socket.ts';

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1_000;
/** Filled anew by each read. */
const READ_BYTES = 64 * 1024;
/** A connection that carries nothing is kept so long for the next stream. */
const UNUSED_MS_MAX = 10_000;

/** A pull over all the connections it takes. */
interface Pulled {
  readonly options: RelayPullOptions;
  readonly receiver: RelayReceiver;
  /** Of the present connection. */
  subscription: number | undefined;
}

/** The connection to one other node, made again when it breaks. */
export class RelayLink {
  readonly upstream: RelayUpstream;
  readonly latency: LatencyRing;
  /** The same since this link was made. */
  readonly hops: LatencyHistogram = new LatencyHistogram();
  /** How often it broke, or could not be made. */
  broken = 0;
  private readonly options: RelayClientOptions;
  private readonly pulled = new Set<Pulled>();
  private readonly watches = new Set<{ readonly broke: () => void }>();
  private isBroken = false;
  private session: RelayPullerSession | undefined = undefined;
  private socket: RelaySocket | undefined = undefined;
  private retry: NodeJS.Timeout | undefined = undefined;
  private backoffMs = BACKOFF_MS_MIN;
  private unusedSince: MonotonicMs | undefined = undefined;
  private bytesOfClosed = 0;
  private isClosed = false;

  constructor(upstream: RelayUpstream, options: RelayClientOptions, latency: LatencyRing) {
    this.upstream = upstream;
    this.options = options;
    this.latency = latency;
  }

  isOpen = false;

  get pulls(): number {
    return this.pulled.size;
  }
  get rttMs(): number | undefined {
    return this.session?.rttMs;
  }
  get bytesReceived(): number {
    return this.bytesOfClosed + (this.socket?.bytesReceived ?? 0);
  }

  pull(options: RelayPullOptions, receiver: RelayReceiver): RelayPull {
    const pulled: Pulled = { options, receiver: this.watched(receiver, () => this.pulled.delete(pulled)), subscription: undefined };
    this.pulled.add(pulled);
    this.unusedSince = undefined;
    if (this.session !== undefined) this.subscribe(pulled, this.session);
    else if (this.retry === undefined) this.connect();
    return {
      requestKeyframe: () => {
        if (pulled.subscription !== undefined) this.session?.requestKeyframe(pulled.subscription);
      },
      close: () => {
        if (this.pulled.delete(pulled) && pulled.subscription !== undefined) this.session?.unsubscribe(pulled.subscription);
      },
    };
  }

  watch(broke: () => void): RelayWatch {
    const watch = { broke };
    const isBroken = (): boolean => this.isBroken;
    this.watches.add(watch);
    this.unusedSince = undefined;
    if (this.session === undefined && this.retry === undefined) this.connect();
    return {
      get isBroken() {
        return isBroken();
      },
      close: () => this.watches.delete(watch),
    };
  }

  tick(now: MonotonicMs): void {
    this.socket?.tick(now);
    if (this.isUsed) this.unusedSince = undefined;
    else this.unusedSince ??= now;
  }

  isUnused(now: MonotonicMs): boolean {
    return this.unusedSince !== undefined && now - this.unusedSince >= UNUSED_MS_MAX;
  }

  close(): void {
    this.isClosed = true;
    this.pulled.clear();
    this.watches.clear();
    clearTimeout(this.retry);
    this.session?.close('relay.unused', 'no stream is pulled any more');
  }

  private get isUsed(): boolean {
    return this.pulled.size > 0 || this.watches.size > 0;
  }

  /** A receiver after whose last word nothing is pulled for it any more. */
  private watched(receiver: RelayReceiver, over: () => void): RelayReceiver {
    return {
      get assembler() {
        return receiver.assembler;
      },
      accepted: (acceptance, now) => receiver.accepted(acceptance, now),
      refused: (code, message, epoch, nodes) => {
        over();
        receiver.refused(code, message, epoch, nodes);
      },
      frame: (frame, now) => receiver.frame(frame, now),
      gap: () => receiver.gap(),
      renditions: (renditions, now) => receiver.renditions(renditions, now),
      path: (epoch, hops) => receiver.path(epoch, hops),
      paused: (now) => receiver.paused(now),
      ended: (now) => {
        over();
        receiver.ended(now);
      },
      broken: (now) => receiver.broken(now),
    };
  }

  private connect(): void {
    this.retry = undefined;
    const { upstream } = this;
    const { tls, node, cluster, clock, log } = this.options;
    let carrier: RelaySocket | undefined;
    // `onread` goes to the socket below, which the types of `tls` do not say.
    const options: ConnectionOptions & Pick<SocketConstructorOpts, 'onread'> = {
      host: upstream.host,
      port: upstream.port,
      ...tls,
      servername: '',
      minVersion: 'TLSv1.3',
      ALPNProtocols: [RELAY_PROTOCOL],
      checkServerIdentity: (_host, certificate) => identityError(upstream, certificate),
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, bytes) => {
          carrier?.received(bytes.subarray(0, length));
          return true;
        },
      },
    };
    const socket = connect(options);
    const out: RelayPullerOutput = {
      wake: () => carrier?.wake(),
      opened: () => this.opened(),
      hop: (ms) => {
        this.latency.add(ms);
        this.hops.add(ms);
      },
      closed: (code, message) => this.broke(session, carrier, code, message),
    };
    const session = new RelayPullerSession(out, { node, cluster, peerNode: upstream.node }, clock.monotonic());
    carrier = new RelaySocket(socket, session, clock, false, (error) =>
      log.error({ code: 'relay.internal', node: upstream.node, err: error }, 'relay connection failed; please report this'),
    );
    socket.once('secureConnect', () => carrier.ready());
    this.session = session;
    this.socket = carrier;
    for (const pulled of [...this.pulled]) this.subscribe(pulled, session);
  }

  private subscribe(pulled: Pulled, session: RelayPullerSession): void {
    const { ref, rendition, epoch, downstream = [] } = pulled.options;
    const { position } = pulled.receiver.assembler;
    // A rendition comes from where its stream does.
    const mayBeSentOn = rendition === '';
    const wish: RelayWish = { ref, rendition, epoch, hops: [this.options.node, ...downstream], ...(mayBeSentOn ? { mayBeSentOn } : {}) };
    pulled.subscription = session.subscribe(position === undefined ? wish : { ...wish, position }, pulled.receiver);
  }

  private opened(): void {
    this.isOpen = true;
    this.isBroken = false;
    this.backoffMs = BACKOFF_MS_MIN;
    this.options.log.info({ code: 'relay.connected', node: this.upstream.node }, 'relay connected');
  }

  private broke(session: RelayPullerSession, carrier: RelaySocket | undefined, code: string, message: string): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.socket = undefined;
    this.isOpen = false;
    this.bytesOfClosed += carrier?.bytesReceived ?? 0;
    // A peer that is silent does not take a goodbye either.
    if (code === 'relay.silent') carrier?.destroy();
    else carrier?.end();
    if (this.isClosed) return;
    this.isBroken = true;
    this.broken++;
    this.options.log.warn({ code, node: this.upstream.node, reason: message }, 'relay connection broke');
    this.retry = setTimeout(() => this.again(), this.backoffMs);
    this.backoffMs = Math.min(BACKOFF_MS_MAX, this.backoffMs * 2);
    const now = this.options.clock.monotonic();
    const told = [...this.pulled];
    for (const pulled of told) pulled.subscription = undefined;
    for (const pulled of told) {
      // Telling one may close others.
      if (this.pulled.has(pulled)) pulled.receiver.broken(now);
    }
    for (const watch of [...this.watches]) if (this.watches.has(watch)) watch.broke();
  }

  private again(): void {
    this.retry = undefined;
    if (this.isUsed) this.connect();
  }
}
