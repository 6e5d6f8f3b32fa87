import type { MonotonicMs, StreamRef } from '../../core/mod.ts';
import type { PublishSessionStats } from '../../protocols/webrtc/mod.ts';
import type { WhipLayerChoice, WhipSession } from '../../protocols/whip/mod.ts';

/** Why a session ends; stable codes for logs and counters. */
export type SessionEnd =
  | 'webrtc.deleted-by-client'
  | 'webrtc.connect-timeout'
  | 'webrtc.handshake-failed'
  | 'webrtc.peer-closed'
  | 'webrtc.consent-lost'
  | 'webrtc.media-silent'
  | 'webrtc.stream-ended'
  | 'webrtc.codec-changed'
  | 'webrtc.taken-over'
  | 'webrtc.deleted'
  | 'webrtc.over-limit'
  | 'webrtc.access-withdrawn'
  | 'webrtc.server-stopping'
  | 'webrtc.internal';

/** One publisher's or viewer's media, without its transport. The server calls it; it never outlives its kernel session. */
export interface SessionMedia {
  /** DTLS is done: media may flow. */
  connected(now: MonotonicMs): void;
  /** A decrypted packet; borrowed. */
  rtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void;
  rtcp(bytes: Uint8Array, now: MonotonicMs): void;
  /** When `tick` has something to do. */
  readonly wakeAt: MonotonicMs;
  tick(now: MonotonicMs): void;
  /** What a viewer of pictures can choose from. */
  layers?(): WhipLayerChoice | undefined;
  /** Of a publisher's media. */
  stats?(): PublishSessionStats | undefined;
  /** Whether media has been sent to a viewer. */
  readonly hasSent?: boolean;
  /** The session is over; the kernel's session is removed afterwards. */
  ended(reason: SessionEnd, now: MonotonicMs): void;
}

/** A session as the server keeps it. */
export interface WebrtcSession extends WhipSession {
  readonly id: string;
  readonly ref: StreamRef;
  readonly address: string;
  /** The kernel's number, by which ICE knows it too. */
  readonly key: number;
  readonly media: SessionMedia;
}
