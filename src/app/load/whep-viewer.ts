import { randomInt } from 'node:crypto';
import type { MonotonicMs } from '../../core/mod.ts';
import type { SrtpProfile } from '../../io/mod.ts';
import {
  createIceCredentials,
  hostCandidate,
  IceClient,
  type IceCredentials,
  parseCandidate,
  writeCandidate,
} from '../../protocols/ice/mod.ts';
import { headerExtensionUris } from '../../protocols/rtp/mod.ts';
import { type Negotiated, offerPlay, readAnswer, type SdpOffer } from '../../protocols/sdp/mod.ts';
import { type LoadClient, newRecord, newWebrtcRecord, type ViewerRecord, type WebrtcRecord } from './viewer-record.ts';
import { type FleetMember, type WhepFleet, whepCrypto } from './whep-fleet.ts';
import type { WhepAnswer } from './whep-http.ts';
import { WhepProbe } from './whep-probe.ts';
import { WhepReports } from './whep-reports.ts';

/** Header extensions that any viewer gets; probes send transport feedback as well. */
const EXTENSIONS = [headerExtensionUris.mid, headerExtensionUris.absSendTime, headerExtensionUris.absCaptureTime];

/** Plays by WHEP over ICE, DTLS and SRTP. What it gets is counted in the kernel; a probe takes every packet apart. */
export class WhepViewer implements LoadClient, FleetMember {
  readonly record: ViewerRecord;
  private readonly webrtc: WebrtcRecord = newWebrtcRecord();
  private readonly fleet: WhepFleet;
  private readonly isProbe: boolean;
  private readonly ssrc = randomInt(1, 0xffff_ffff);
  private probe: WhepProbe | undefined;
  private reports: WhepReports | undefined;
  private ice: IceClient | undefined;
  private socket: number | undefined;
  private session: number | undefined;
  private videoPayloadType: number | undefined;
  private resource: URL | undefined;
  private state: 'waiting' | 'joining' | 'connected' | 'closed' = 'waiting';

  constructor(fleet: WhepFleet, isProbe: boolean) {
    this.fleet = fleet;
    this.isProbe = isProbe;
    this.record = { ...newRecord(), webrtc: this.webrtc };
    fleet.add(this);
  }

  begin(): void {
    this.state = 'joining';
    this.record.startedAtMs = performance.now();
    this.join().catch((error: unknown) => this.fail(error instanceof Error ? error.message : String(error)));
  }

  private async join(): Promise<void> {
    const { socket, port } = this.fleet.bind(this);
    this.socket = socket;
    const local = createIceCredentials(whepCrypto);
    const offer = offerPlay({
      transport: {
        ice: local,
        fingerprint: this.fleet.kernel.fingerprint,
        candidates: this.fleet.addresses.map((ip, order) => writeCandidate(hostCandidate('udp', ip, port, order))),
        sessionId: String(randomInt(1, 2 ** 47)),
      },
      extensions: this.isProbe ? [...EXTENSIONS, headerExtensionUris.transportCc] : EXTENSIONS,
    });
    const answer = await this.fleet.http.offer(this.fleet.options.url, offer.text);
    this.resource = answer.session;
    this.webrtc.answeredAtMs = performance.now();
    // Closed meanwhile: nobody else would end the session.
    if (this.state === 'closed') this.endSession(() => undefined);
    else this.answered(socket, local, offer, answer);
  }

  private answered(socket: number, local: IceCredentials, offer: SdpOffer, answer: WhepAnswer): void {
    const { transport, media } = this.read(offer, answer);
    const { kernel } = this.fleet;
    this.videoPayloadType = media.find(({ kind }) => kind === 'video')?.payloadType;
    const session = kernel.addSession({
      socket,
      role: transport.dtlsRole,
      peerFingerprint: transport.fingerprints[0],
      deliver: this.isProbe ? 'packets' : 'counts',
    });
    this.session = session;
    this.fleet.own(session, this);
    const send = (compound: Uint8Array): void => {
      kernel.sendRtcp(session, compound);
    };
    this.reports = new WhepReports(send, this.ssrc, new Set(media.map(({ payloadType }) => payloadType)));
    if (this.isProbe) this.probe = new WhepProbe(send, this.ssrc, media, { usesNack: this.fleet.options.nack }, this.record, this.webrtc);
    this.ice = new IceClient(
      {
        send: ({ ip, port }, bytes) => kernel.sendDatagram(socket, { ip, port }, bytes),
        connected: ({ ip, port }) => {
          kernel.selectDestination(session, { ip, port });
          if (transport.dtlsRole === 'client') kernel.startDtls(session);
        },
        failed: (reason) => this.fail(`whep.ice-${reason}: no way to the server by UDP`),
      },
      whepCrypto,
      { local, remote: transport.ice },
      performance.now() as MonotonicMs,
    );
    for (const line of transport.candidates) {
      const candidate = parseCandidate(line);
      if (candidate?.protocol === 'udp') this.ice.addRemoteCandidate(candidate);
    }
    this.ice.endOfCandidates();
    this.ice.tick(performance.now() as MonotonicMs);
  }

  private read(offer: SdpOffer, answer: WhepAnswer): Negotiated {
    try {
      return readAnswer(offer.session, answer.sdp);
    } catch (error) {
      throw new Error(`whep.bad-answer: ${error instanceof Error ? error.message : error}`);
    }
  }

  connected(profile: SrtpProfile): void {
    if (this.state !== 'joining') return;
    this.state = 'connected';
    this.webrtc.connectedAtMs = performance.now();
    this.webrtc.srtpProfile = profile;
    this.fleet.joined();
  }

  stun(source: { readonly ip: string; readonly port: number }, bytes: Uint8Array, now: MonotonicMs): void {
    this.ice?.receive('udp', source, bytes, now);
  }

  rtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void {
    this.probe?.rtp(bytes, arrivalUs, now);
  }

  rtcp(bytes: Uint8Array, now: MonotonicMs): void {
    const isGoodbye = this.reports?.receive(bytes, now) ?? false;
    if (isGoodbye) this.fail('whep.stream-ended: the server said goodbye');
  }

  closed(reason: string): void {
    this.fail(reason === 'close-notify' ? 'whep.closed: the server closed the session' : `whep.dtls-${reason}: the DTLS handshake failed`);
  }

  wake(now: MonotonicMs): void {
    if (this.ice !== undefined && (this.ice.wakeAt ?? Number.POSITIVE_INFINITY) <= now) this.ice.tick(now);
    this.probe?.wake(now);
  }

  tick(nowMs: number): void {
    if (this.session === undefined || this.state !== 'connected') return;
    const streams = this.fleet.kernel.receiverCounts(this.session);
    const { record, webrtc } = this;
    webrtc.packets = 0;
    record.bytes = 0;
    webrtc.lostPackets = 0;
    for (const { payloadType, packets, bytes, lost, firstUs, freezes, jitter } of streams) {
      webrtc.packets += packets;
      record.bytes += bytes;
      if (!this.reports?.isMedia(payloadType)) continue;
      webrtc.lostPackets += lost;
      const firstMs = this.fleet.toMs(firstUs);
      record.firstByteAtMs = Math.min(record.firstByteAtMs ?? firstMs, firstMs);
      if (payloadType !== this.videoPayloadType) {
        webrtc.firstAudioAtMs ??= firstMs;
        continue;
      }
      webrtc.firstVideoAtMs ??= firstMs;
      webrtc.jitterMs = jitter / 90;
      record.stalls = freezes;
    }
    const isSilent = nowMs - (webrtc.connectedAtMs ?? nowMs) > SILENT_MS && !this.hasPicture();
    this.reports?.send(streams, nowMs as MonotonicMs, isSilent ? this.videoSsrc(streams) : undefined);
    if (isSilent) webrtc.keyframeRequests++;
  }

  /** Of a probe a whole keyframe, of others any packet of the pictures. */
  private hasPicture(): boolean {
    return (this.probe === undefined ? this.webrtc.firstVideoAtMs : this.record.firstKeyframeAtMs) !== undefined;
  }

  private videoSsrc(streams: readonly { readonly ssrc: number; readonly payloadType: number }[]): number {
    return streams.find(({ payloadType }) => payloadType === this.videoPayloadType)?.ssrc ?? 0;
  }

  private fail(reason: string): void {
    if (this.state !== 'closed') this.record.error ??= reason;
    this.close();
  }

  close(): void {
    if (this.state === 'closed') return;
    const { state } = this;
    this.state = 'closed';
    this.ice?.close();
    if (state === 'joining') this.fleet.joined();
    // The server hears of the end by DELETE, and then by DTLS.
    this.endSession(() => this.fleet.remove(this, this.socket, this.session));
  }

  private endSession(done: () => void): void {
    const { resource } = this;
    this.resource = undefined;
    if (resource === undefined) done();
    else this.fleet.end(resource, done);
  }
}

/** So long a server may keep a viewer waiting before that asks for a keyframe. */
const SILENT_MS = 3_000;
