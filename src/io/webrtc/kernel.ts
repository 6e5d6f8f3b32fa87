import { getSystemErrorName } from 'node:util';
import { SluiceError } from '../../core/mod.ts';
import type {
  FlowOptions,
  FlowStats,
  GroupStats,
  KernelCloseReason,
  KernelListener,
  KernelOptions,
  KernelStats,
  PumpResult,
  ReceiverCounts,
  SessionOptions,
  SessionStats,
  SocketAddress,
  SrtpProfile,
} from './kernel-types.ts';
import { loadNative, type NativeKernel, type NativeListener } from './native-kernel.ts';

export type {
  FlowExtensions,
  FlowOptions,
  FlowStats,
  GroupStats,
  KernelCloseReason,
  KernelListener,
  KernelOptions,
  KernelStats,
  PumpResult,
  ReceiverCounts,
  SessionOptions,
  SessionStats,
  SocketAddress,
  SrtpProfile,
} from './kernel-types.ts';

/** The kernel of this machine, ready to be made: `new module.Kernel(listener, options)`. */
export interface KernelModule {
  readonly Kernel: typeof Kernel;
  readonly unavailable?: undefined;
}

/** Loads the native addon. Where it cannot be had, `unavailable` says why and what to install. */
export function loadKernel(): KernelModule | { readonly unavailable: string } {
  const native = loadNative();
  return typeof native === 'string' ? { unavailable: native } : { Kernel };
}

const ALGORITHMS = ['sha-256', 'sha-384', 'sha-512'] as const;
const CLOSE_REASONS: readonly KernelCloseReason[] = ['handshake', 'fingerprint', 'no-srtp-profile', 'timeout', 'close-notify'];
/** The value of AEAD_AES_128_GCM in use_srtp (RFC 7714 section 14.2). */
const AEAD_AES_128_GCM = 7;
const SOURCES_PER_SESSION_MAX = 8;
const SRTP_PROFILES: readonly SrtpProfile[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];
const OPENSSL_PROFILES = { AEAD_AES_128_GCM: 'SRTP_AEAD_AES_128_GCM', AES_CM_128_HMAC_SHA1_80: 'SRTP_AES128_CM_SHA1_80' } as const;
const RECEIVED_STREAMS_MAX = 32;
const NUMBERS_PER_STREAM = 13;
const HISTORY_PACKETS_LIMIT = 131_072;
const HISTORY_BYTES_LIMIT = 268_435_456;

/**
 * The native kernel: UDP sockets, DTLS-SRTP sessions, and the fan-out of RTP from groups (one history of packets for each stream, rendition and track)
 * to flows (one viewer's cursor in a group). Sockets, sessions, groups and flows are numbers that are never used again. Calls for a session, group or
 * flow that is gone do nothing, unless they say that they throw. Bytes given to a call are borrowed until it returns.
 */
export class Kernel {
  /** SHA-256 of this kernel's certificate as SDP writes it: `AB:CD:…`. */
  readonly fingerprint: string;
  readonly #native: NativeKernel;
  readonly #pumped = { behind: 0, isBlocked: false };
  readonly #numbers = new Float64Array(16);
  readonly #streams = new Float64Array(RECEIVED_STREAMS_MAX * NUMBERS_PER_STREAM);

  /** Throws SluiceError `webrtc.unavailable` where loadKernel() says so, `webrtc.no-dtls` when OpenSSL cannot do what it must. */
  constructor(listener: KernelListener, options: KernelOptions) {
    const native = loadNative();
    if (typeof native === 'string') throw new SluiceError('webrtc.unavailable', native);
    this.#native = new native.NativeKernel(
      listenerOf(listener),
      options.sessionsMax,
      options.segmentationOffload === 'auto',
      Math.max(1, options.sourcesPerSessionMax ?? SOURCES_PER_SESSION_MAX),
      (options.srtpProfiles ?? SRTP_PROFILES).map((profile) => OPENSSL_PROFILES[profile]).join(':'),
    );
    this.fingerprint = this.#native.fingerprint();
  }

  /** Whether UDP segmentation offload is in use; goes to false for good when the machine refuses it. */
  get segmentationOffload(): boolean {
    return this.#native.usesSegmentation();
  }

  /** Opens a UDP socket; port 0 is any free one. '::' takes IPv4 as well. Throws errors with Node's codes (EADDRINUSE, EACCES, EADDRNOTAVAIL …). */
  bind(ip: string, port: number): { readonly socket: number; readonly port: number } {
    const errno = this.#native.bind(ip, port, this.#numbers);
    if (errno !== 0) {
      const code = getSystemErrorName(-errno);
      throw Object.assign(new Error(`bind ${code} ${ip}:${port}`), { code, errno: -errno, syscall: 'bind', address: ip, port });
    }
    return { socket: this.#at(0), port: this.#at(1) };
  }

  /** Closes a socket; its port is free at once. Its sessions stay, without a way to their peers, until they are removed. */
  unbind(socket: number): void {
    this.#native.unbind(socket);
  }

  /** One datagram as it is (STUN answers). False: the socket did not take it. */
  sendDatagram(socket: number, to: SocketAddress, bytes: Uint8Array): boolean {
    return this.#native.sendDatagram(socket, to.ip, to.port, bytes);
  }

  /** A peer, known by its certificate. Throws `webrtc.too-many-sessions`, `webrtc.unknown-socket`, `webrtc.bad-fingerprint`. */
  addSession(options: SessionOptions): number {
    const { algorithm, value } = options.peerFingerprint;
    const isClient = options.role === 'client';
    return this.#native.addSession(options.socket, isClient, ALGORITHMS.indexOf(algorithm), value, options.deliver === 'packets');
  }

  /** Says close_notify if connected; removes its flows as well. */
  removeSession(session: number): void {
    this.#native.removeSession(session);
  }

  /**
   * DTLS and SRTP from there are this session's from now on, even if another had that address; but not if that other is connected and something
   * authentic (SRTP, SRTCP, the handshake's end) came from there within the last 10 s: then nothing changes, lest a check with a forged source cut a
   * peer off. Starts the 10 s that the handshake may take. Throws `webrtc.unknown-session`, `webrtc.bad-address`.
   */
  allowSource(session: number, from: SocketAddress): void {
    this.#native.allowSource(session, from.ip, from.port);
  }

  /** Where the session's packets go; implies allowSource, and changes nothing where that does not. Throws as that does. */
  selectDestination(session: number, to: SocketAddress): void {
    this.#native.selectDestination(session, to.ip, to.port);
  }

  /** The session's packets go to listener.datagram, until selectDestination. */
  selectTcp(session: number): void {
    this.#native.selectTcp(session);
  }

  /** A DTLS, SRTP or SRTCP datagram that came by TCP. */
  receiveDatagram(session: number, bytes: Uint8Array): void {
    this.#native.receiveDatagram(session, bytes);
  }

  /** Role client: sends the ClientHello. Needs selectDestination or selectTcp before. */
  startDtls(session: number): void {
    this.#native.startDtls(session);
  }

  /** A plain compound packet in, SRTCP out. False: not connected, too large, or the socket is full. */
  sendRtcp(session: number, compound: Uint8Array): boolean {
    return this.#native.sendRtcp(session, compound);
  }

  /**
   * One plain RTP packet with its own header (a publishing client). Sequence numbers of an SSRC only go forward: each is encrypted once. False: not
   * connected, a sequence number that was passed, an SSRC that a flow has, or the socket is full (then the same packet may be tried again).
   */
  sendRtp(session: number, packet: Uint8Array): boolean {
    return this.#native.sendRtp(session, packet);
  }

  /** To be called about each 50 ms: DTLS retransmissions, and `closed` with `timeout` for handshakes older than 10 s. */
  tick(): void {
    this.#native.tick();
  }

  /** A history of at most so many packets and payload bytes (at most 131,072 and 256 MiB). Throws `webrtc.too-many-groups`. */
  addGroup(options: { readonly packetsMax: number; readonly bytesMax: number }): number {
    const packetsMax = Math.min(HISTORY_PACKETS_LIMIT, Math.max(2, Math.floor(options.packetsMax)));
    return this.#native.addGroup(packetsMax, Math.min(HISTORY_BYTES_LIMIT, Math.max(4096, Math.floor(options.bytesMax))));
  }

  /** Its flows stop; they stay, without source, until switched or removed. */
  removeGroup(group: number): void {
    this.#native.removeGroup(group);
  }

  /**
   * One frame: `payloads` are its RTP payloads one after the other, `lengths[0..count)` their sizes (1 to 1,400 bytes). The last gets the marker when
   * `marksEnd`. `captureMs`: Unix milliseconds, or NaN. Copies. Returns the index of its first packet. Throws `webrtc.bad-frame` (more than half of the
   * history as well), `webrtc.unknown-group`.
   */
  append(
    group: number,
    payloads: Uint8Array,
    lengths: Uint16Array,
    count: number,
    timestamp: number,
    isKeyframe: boolean,
    marksEnd: boolean,
    captureMs: number,
  ): number {
    return this.#native.append(group, payloads, lengths, count, timestamp, isKeyframe, marksEnd, captureMs);
  }

  /**
   * Sends to each flow, at most its pace, from its cursor to the head. A flow whose next packet has left the history goes to the latest keyframe, or to
   * the head. The object returned is reused by the next call.
   */
  pump(group: number): PumpResult {
    const result = this.#native.pump(group);
    this.#pumped.behind = result >>> 1;
    this.#pumped.isBlocked = (result & 1) === 1;
    return this.#pumped;
  }

  /** A viewer of a group. Throws `webrtc.unknown-session`, `webrtc.unknown-group`, `webrtc.ssrc-in-use`, `webrtc.too-many-flows`, `webrtc.too-many-ssrcs`, `webrtc.bad-extension`. */
  addFlow(options: FlowOptions): number {
    const { extensions, rtx } = options;
    return this.#native.addFlow(
      options.session,
      options.group,
      options.ssrc,
      options.payloadType,
      rtx !== undefined,
      rtx?.ssrc ?? 0,
      rtx?.payloadType ?? 0,
      extensions.transportCc ?? 0,
      extensions.absSendTime ?? 0,
      extensions.absCaptureTime ?? 0,
      extensions.playoutDelay?.id ?? 0,
      extensions.playoutDelay?.minMs ?? 0,
      extensions.playoutDelay?.maxMs ?? 0,
      extensions.mid?.id ?? 0,
      extensions.mid?.value ?? '',
      options.firstSequenceNumber,
      options.timestampOffset >>> 0,
      Math.max(0, options.fromIndex),
      Math.max(0, options.pacePackets),
    );
  }

  removeFlow(flow: number): void {
    this.#native.removeFlow(flow);
  }

  /** From its next packet on, the flow sends `group`'s packets from `fromIndex` on; sequence numbers go on, and packets sent before can still be retransmitted. Throws `webrtc.unknown-session` (no such flow), `webrtc.unknown-group`. */
  switchFlow(flow: number, group: number, fromIndex: number, timestampOffset: number): void {
    this.#native.switchFlow(flow, group, Math.max(0, fromIndex), timestampOffset >>> 0);
  }

  /** At most so many packets a pump. */
  setPace(flow: number, pacePackets: number): void {
    this.#native.setPace(flow, Math.max(0, pacePackets));
  }

  /** A paused flow sends nothing and is not behind; it resumes, with the next sequence number, at the latest keyframe that came meanwhile, or at the head. */
  pauseFlow(flow: number, isPaused: boolean): void {
    this.#native.pauseFlow(flow, isPaused);
  }

  /** Sends again, by RTX, those of the flow's sequence numbers [0..count) that the history still has; returns how many. 0 without rtx. */
  retransmit(flow: number, sequenceNumbers: Uint16Array, count: number): number {
    return this.#native.retransmit(flow, sequenceNumbers, count);
  }

  /** All zero (keyframeIndex -1) for a group that is gone. */
  groupStats(group: number): GroupStats {
    const found = this.#native.groupStats(group, this.#numbers);
    if (!found) return { headIndex: 0, keyframeIndex: -1, tailIndex: 0, bytes: 0, flows: 0, reachedIndex: 0 };
    return {
      headIndex: this.#at(0),
      keyframeIndex: this.#at(1),
      tailIndex: this.#at(2),
      bytes: this.#at(3),
      flows: this.#at(4),
      reachedIndex: this.#at(5),
    };
  }

  /** All zero for a flow that is gone. */
  flowStats(flow: number): FlowStats {
    if (!this.#native.flowStats(flow, this.#numbers)) this.#numbers.fill(0);
    return {
      packets: this.#at(0),
      octets: this.#at(1),
      retransmitted: this.#at(2),
      skipped: this.#at(3),
      nextSequenceNumber: this.#at(4),
      lastTimestamp: this.#at(5),
      cursorIndex: this.#at(6),
    };
  }

  /** All zero for a session that is gone. */
  sessionStats(session: number): SessionStats {
    if (!this.#native.sessionStats(session, this.#numbers)) this.#numbers.fill(0);
    return {
      bytesSent: this.#at(0),
      packetsSent: this.#at(1),
      bytesReceived: this.#at(2),
      packetsReceived: this.#at(3),
      dropped: this.#at(4),
      replayed: this.#at(5),
      unauthenticated: this.#at(6),
      nextTransportSequenceNumber: this.#at(7),
    };
  }

  /** For the transport-wide sequence numbers [first, first + count): when sent (arrivalUs's clock; NaN: unknown) and how large. The session's last 512 are kept. */
  sentPackets(session: number, firstSequenceNumber: number, count: number, sentUs: Float64Array, sizes: Uint16Array): void {
    this.#native.sentPackets(session, firstSequenceNumber, count, sentUs, sizes);
  }

  /** One for each SSRC that the peer has sent RTP with. */
  receiverCounts(session: number): readonly ReceiverCounts[] {
    const found = this.#native.receiverCounts(session, this.#streams);
    return Array.from({ length: found }, (_, i) => this.#receiverCounts(i * NUMBERS_PER_STREAM));
  }

  /** Totals of the kernel. */
  stats(): KernelStats {
    this.#native.stats(this.#numbers);
    return {
      received: this.#at(0),
      receivedBytes: this.#at(1),
      sent: this.#at(2),
      sentBytes: this.#at(3),
      stun: this.#at(4),
      malformed: this.#at(5),
      unknownSource: this.#at(6),
      replayed: this.#at(7),
      unauthenticated: this.#at(8),
      tooManyStreams: this.#at(9),
      sendErrors: this.#at(10),
      blocked: this.#at(11),
      handshakesFailed: this.#at(12),
      sessions: this.#at(13),
      flows: this.#at(14),
    };
  }

  /** Removes all sessions (with close_notify), closes all sockets. Nothing is heard after it; calls do nothing. */
  close(): void {
    this.#native.close();
  }

  #at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  #receiverCounts(from: number): ReceiverCounts {
    const at = (index: number): number => this.#streams[from + index] ?? 0;
    return {
      ssrc: at(0),
      payloadType: at(1),
      packets: at(2),
      bytes: at(3),
      highestSequenceNumber: at(4),
      lost: at(5),
      duplicates: at(6),
      frames: at(7),
      firstUs: at(8),
      lastUs: at(9),
      freezes: at(10),
      gapMaxUs: at(11),
      jitter: at(12),
    };
  }
}

function listenerOf(listener: KernelListener): NativeListener {
  return {
    stun: (socket, ip, port, bytes) => listener.stun(socket, { ip, port }, bytes),
    rtp: (session, bytes, arrivalUs) => listener.rtp(session, bytes, arrivalUs),
    rtcp: (session, bytes, arrivalUs) => listener.rtcp(session, bytes, arrivalUs),
    connected: (session, profile) => {
      const name: SrtpProfile = profile === AEAD_AES_128_GCM ? 'AEAD_AES_128_GCM' : 'AES_CM_128_HMAC_SHA1_80';
      listener.connected(session, name);
    },
    closed: (session, reason) => listener.closed(session, CLOSE_REASONS[reason] ?? 'handshake'),
    datagram: (session, bytes) => listener.datagram(session, bytes),
    drained: (socket) => listener.drained(socket),
  };
}
