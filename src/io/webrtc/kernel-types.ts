/** An IP address and port. `ip`: `127.0.0.1` or `2001:db8::1`; an IPv4 peer of an IPv6 socket is shown as IPv4. */
export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** The SRTP protection profiles of WebRTC (RFC 7714, RFC 3711), by their IANA names. */
export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** Why a session is over: DTLS failed (the first four), or the peer said goodbye. */
export type KernelCloseReason = 'handshake' | 'fingerprint' | 'no-srtp-profile' | 'timeout' | 'close-notify';

/** What the kernel's owner hears. `bytes` are always borrowed until the call returns. Any call into the kernel may be made from here. */
export interface KernelListener {
  /** A STUN message from anybody: its length and magic cookie are right, nothing else has been checked. */
  stun(socket: number, source: SocketAddress, bytes: Uint8Array): void;
  /** A decrypted, authenticated, not replayed RTP packet of a session with `deliver: 'packets'`. `arrivalUs`: microseconds of process.hrtime's clock. */
  rtp(session: number, bytes: Uint8Array, arrivalUs: number): void;
  /** A decrypted, authenticated, not replayed RTCP compound packet. `arrivalUs` as for rtp. */
  rtcp(session: number, bytes: Uint8Array, arrivalUs: number): void;
  /** DTLS is done and the peer's certificate was the right one: packets flow from now on. */
  connected(session: number, profile: SrtpProfile): void;
  /** The session is over; its owner still has to remove it. Said once at most. */
  closed(session: number, reason: KernelCloseReason): void;
  /** A datagram for a session whose transport is TCP: the owner frames it (RFC 4571) and writes it. May also come for a session being removed. */
  datagram(session: number, bytes: Uint8Array): void;
  /** A socket that refused packets takes packets again: pump the groups that said `isBlocked`. */
  drained(socket: number): void;
}

export interface KernelOptions {
  readonly sessionsMax: number;
  /** `auto`: UDP segmentation offload where the machine has it. */
  readonly segmentationOffload: 'auto' | 'off';
  /** Default 8: the oldest that is not the selected one goes. */
  readonly sourcesPerSessionMax?: number;
  /** Offered and accepted, the preferred first. Default: AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80. */
  readonly srtpProfiles?: readonly SrtpProfile[];
}

export interface SessionOptions {
  readonly socket: number;
  /** Of DTLS: a `setup:passive` side is server. */
  readonly role: 'server' | 'client';
  /** From the peer's SDP; `value` has 32, 48 or 64 bytes. */
  readonly peerFingerprint: { readonly algorithm: 'sha-256' | 'sha-384' | 'sha-512'; readonly value: Uint8Array };
  /** `counts`: RTP is decrypted and counted, not delivered (load generator). RTCP is always delivered. */
  readonly deliver: 'packets' | 'counts';
}

/**
 * Ids (1 to 14) as negotiated. One-byte header extensions (RFC 8285), the same set on each packet, so that sizes are equal and packets can be segments
 * of one send.
 */
export interface FlowExtensions {
  /** One count for all flows of the session: see Kernel.sentPackets. */
  readonly transportCc?: number;
  readonly absSendTime?: number;
  /** Of packets whose frame came with a capture time. */
  readonly absCaptureTime?: number;
  readonly playoutDelay?: { readonly id: number; readonly minMs: number; readonly maxMs: number };
  /** `value`: at most 16 bytes. */
  readonly mid?: { readonly id: number; readonly value: string };
}

export interface FlowOptions {
  readonly session: number;
  readonly group: number;
  readonly ssrc: number;
  readonly payloadType: number;
  /** RFC 4588; without it nothing is retransmitted. */
  readonly rtx?: { readonly ssrc: number; readonly payloadType: number };
  readonly extensions: FlowExtensions;
  /** 0 to 32767 (RFC 3711 section 3.3.1: a low one keeps an early loss from being taken for a rollover). An SSRC that the session used before goes on where it was instead. */
  readonly firstSequenceNumber: number;
  /** uint32, added to the group's timestamps. */
  readonly timestampOffset: number;
  /** The group's packet index to start with: groupStats().keyframeIndex or headIndex. */
  readonly fromIndex: number;
  /** At most so many packets a pump. */
  readonly pacePackets: number;
}

export interface GroupStats {
  /** Index of the next packet to be appended. */
  readonly headIndex: number;
  /** Of the latest keyframe's first packet; -1: none is held. */
  readonly keyframeIndex: number;
  /** Of the oldest packet held. */
  readonly tailIndex: number;
  readonly bytes: number;
  readonly flows: number;
  /** At the latest pump, all flows by UDP that are not catching up had sent what is before this index (or their socket had it, when it is full). */
  readonly reachedIndex: number;
}

export interface FlowStats {
  readonly packets: number;
  /** Of payloads, as sender reports count them (RFC 3550 section 6.4.1). */
  readonly octets: number;
  readonly retransmitted: number;
  /** Packets of the group that the flow jumped over, being too slow for the history. */
  readonly skipped: number;
  readonly nextSequenceNumber: number;
  /** As sent, with the flow's offset. */
  readonly lastTimestamp: number;
  readonly cursorIndex: number;
}

export interface SessionStats {
  /** Datagrams and their bytes, SRTP, SRTCP and DTLS. */
  readonly bytesSent: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly packetsReceived: number;
  /** Of the received ones: malformed, replayed, not authentic, or of a 33rd SSRC. */
  readonly dropped: number;
  readonly replayed: number;
  readonly unauthenticated: number;
  /** The next transport-wide sequence number (0 to 65535). */
  readonly nextTransportSequenceNumber: number;
}

/** What came from one SSRC of the peer. */
export interface ReceiverCounts {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly packets: number;
  readonly bytes: number;
  /** Extended by the rollover counter. */
  readonly highestSequenceNumber: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Timestamps seen. */
  readonly frames: number;
  readonly firstUs: number;
  readonly lastUs: number;
  /** Gaps between frames of more than 500 ms. */
  readonly freezes: number;
  readonly gapMaxUs: number;
  /** RFC 3550 section 6.4.1, in units of a 90 kHz clock. */
  readonly jitter: number;
}

/** Counters of the whole kernel that never go back; `sessions` and `flows` are gauges. */
export interface KernelStats {
  readonly received: number;
  readonly receivedBytes: number;
  readonly sent: number;
  readonly sentBytes: number;
  readonly stun: number;
  readonly malformed: number;
  readonly unknownSource: number;
  readonly replayed: number;
  readonly unauthenticated: number;
  /** Packets of a 33rd SSRC of one peer. */
  readonly tooManyStreams: number;
  readonly sendErrors: number;
  /** How often a socket was full. */
  readonly blocked: number;
  readonly handshakesFailed: number;
  readonly sessions: number;
  readonly flows: number;
}

export interface PumpResult {
  /** Flows that have more to send: pump again at the next pace. */
  readonly behind: number;
  /** A socket is full: pump again after `drained`. */
  readonly isBlocked: boolean;
}
