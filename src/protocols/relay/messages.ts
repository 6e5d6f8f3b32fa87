import type { StreamRef } from '../../core/mod.ts';
import type { SegmentStamp, Track } from '../../media/mod.ts';

/**
 * The relay protocol, version 1: how one node of a cluster gives streams to another.
 *
 * The node that wants streams (the puller) connects to the node that has them, over TLS with certificates on both sides; all streams between the two
 * in this direction share the connection. Everything is big-endian messages:
 *
 *     u32 length of what follows | u8 type | body
 *
 * `text` is a u16 length and UTF-8; `int` is a whole number in an IEEE double, so that it goes to 2^53 without loss. Bodies may end with more than
 * is described here, and types may be unknown: both are skipped, so that a later version can add to either.
 *
 *     1  hello        both, first     u8 versionMin, u8 versionMax, text node, text cluster
 *     2  goodbye      both, last      text code, text message
 *     3  ping         both            u32 id, f64 own clock in ms
 *     4  pong         both            u32 id, f64 the ping's clock, f64 own clock
 *     5  subscribe    puller          u32 subscription, text path, text rendition ('' is the source), int epoch, hops, position, [u8 mayBeSentOn]
 *     6  accepted     holder          u32 subscription, u32 feed, int epoch, int startedWallMs, u8 isResumed, hops, text agent
 *     7  refused      holder          u32 subscription, text code, text message, int epoch, [hops nodes]
 *     8  unsubscribe  puller          u32 subscription
 *     9  keyframe     puller          u32 subscription
 *     10 tracks       holder          u32 feed, u8 count, tracks
 *     11 segment      holder          u32 feed, int sequence, int discontinuity, int startMs, u32 targetDurationS, f64 partTargetMs
 *     12 frame        holder          u32 feed, u8 flags, u8 track, int dts, i32 pts - dts, u32 part, u32 age in µs, f64 sent, [f64 captureMs], payload
 *     13 paused       holder          u32 feed
 *     14 ended        holder          u32 feed
 *     15 gap          holder          u32 feed
 *     16 renditions   holder          u32 feed, u8 count, renditions
 *     17 path         holder          u32 feed, int epoch, hops
 *
 * `mayBeSentOn`: the puller knows the refusal `elsewhere`, whose `nodes` have the stream, the best one first. hops: u8 count, texts. position: u8 count (0: none), int sequence, int discontinuity, then per track u8 track, int dts. A
 * track is its place in the `tracks` in force.
 * Both say hello at once and take the highest version that both know; where there is none: goodbye `relay.version`. What a puller sends before it has seen
 * the holder's hello is in its own lowest version.
 *
 * A feed is the holder's number for one rendition of one stream and the same for all that subscribe to it, so that its messages are made once. The
 * puller learns it from `accepted` and ignores feeds that it has no subscription for. Frames belong to the `segment` before them, segments have the
 * tracks of the `tracks` before them. `gap`: frames are missing here; the next one is a lead keyframe.
 */
export const RELAY_VERSION = 1;
/** The oldest version that this build still speaks: one before its own, once there is one. */
export const RELAY_VERSION_MIN: number = Math.max(1, RELAY_VERSION - 1);

/** By ALPN, a connection that carries this protocol; so does one that says nothing. */
export const RELAY_PROTOCOL = 'sluice-relay';

export const messageTypes = {
  hello: 1,
  goodbye: 2,
  ping: 3,
  pong: 4,
  subscribe: 5,
  accepted: 6,
  refused: 7,
  unsubscribe: 8,
  keyframe: 9,
  tracks: 10,
  segment: 11,
  frame: 12,
  paused: 13,
  ended: 14,
  gap: 15,
  renditions: 16,
  path: 17,
} as const;

/** Bits of a frame's flags. */
export const frameFlags = { isKeyframe: 1, startsPart: 2, hasCapture: 4, isReplayed: 8 } as const;

/** A frame of 8K video at a gigabit fits. */
export const MESSAGE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Before the hello nobody has a reason to send more. */
export const HELLO_BYTES_MAX = 1024;
/** Nodes between an origin and a viewer's edge. */
export const HOPS_MAX = 8;
export const TRACKS_MAX = 16;
export const RENDITIONS_MAX = 32;
export const TEXT_BYTES_MAX = 512;
export const TRACK_CONFIG_BYTES_MAX: number = 64 * 1024;

/** How far a puller has come: a holder whose cache goes back that far continues right behind it. */
export interface RelayPosition {
  /** Of the segment of the last frame that was delivered. */
  readonly sequence: number;
  readonly discontinuity: number;
  /** The last dts of each track that had frames, in its ticks; `track` is its index in the tracks in force. */
  readonly tracks: readonly { readonly track: number; readonly dts: number }[];
}

/** What a puller asks for. */
export interface RelayWish {
  readonly ref: StreamRef;
  /** Empty: the stream itself. */
  readonly rendition: string;
  /** The stream's epoch as far as the puller knows; a holder with an older one is not to serve it. 0: any. */
  readonly epoch: number;
  /** The puller and who pulls from it, node ids. */
  readonly hops: readonly string[];
  readonly position?: RelayPosition;
  /** Whether the puller goes to another node when it is told one: those of before do not. */
  readonly mayBeSentOn?: boolean;
}

/** Why a holder does not serve a subscription; `elsewhere`: it names others that have the stream. */
export type RelayRefusal = 'unknown' | 'stale-epoch' | 'loop' | 'draining' | 'too-many' | 'not-allowed' | 'twice' | 'elsewhere';

/** What a holder says of the stream that it is going to send. */
export interface RelayAcceptance {
  readonly epoch: number;
  readonly startedWallMs: number;
  /** Whether what follows goes on right behind the wish's position. */
  readonly isResumed: boolean;
  /** Nodes that the stream passed, from its origin to the holder. */
  readonly hops: readonly string[];
  /** The encoder's name. */
  readonly agent: string;
}

/** A rendition that the holder can give. */
export interface RelayRendition {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly audience: 'everybody' | 'webrtc';
  readonly expected: {
    readonly codec: Track['codec'];
    readonly codecString: string;
    readonly width?: number;
    readonly height?: number;
    readonly frameRate?: number;
    readonly bitrateBps: number;
  };
}

/** A frame as it is on the wire; the segment and the track are the puller's to add. */
export interface WireFrame {
  readonly feed: number;
  readonly flags: number;
  /** Index in the tracks in force. */
  readonly track: number;
  readonly dts: number;
  readonly pts: number;
  readonly part: number;
  readonly ageUs: number;
  readonly sentMs: number;
  readonly captureMs: number | undefined;
  /** Shares memory with the message. */
  readonly payload: Uint8Array;
}

/** A message with its parts read and checked. */
export type RelayMessage =
  | { readonly kind: 'hello'; readonly versionMin: number; readonly versionMax: number; readonly node: string; readonly cluster: string }
  | { readonly kind: 'goodbye'; readonly code: string; readonly message: string }
  | { readonly kind: 'ping'; readonly id: number; readonly sentMs: number }
  | { readonly kind: 'pong'; readonly id: number; readonly pingMs: number; readonly sentMs: number }
  | { readonly kind: 'subscribe'; readonly subscription: number; readonly wish: RelayWish }
  | { readonly kind: 'accepted'; readonly subscription: number; readonly feed: number; readonly acceptance: RelayAcceptance }
  | {
      readonly kind: 'refused';
      readonly subscription: number;
      readonly code: string;
      readonly message: string;
      readonly epoch: number;
      /** With `elsewhere`. */
      readonly nodes: readonly string[];
    }
  | { readonly kind: 'unsubscribe' | 'keyframe'; readonly subscription: number }
  | { readonly kind: 'tracks'; readonly feed: number; readonly tracks: readonly Track[]; readonly bytes: Uint8Array }
  | { readonly kind: 'segment'; readonly feed: number; readonly stamp: Omit<SegmentStamp, 'tracks'> }
  | { readonly kind: 'frame'; readonly frame: WireFrame }
  | { readonly kind: 'paused' | 'ended' | 'gap'; readonly feed: number }
  | { readonly kind: 'renditions'; readonly feed: number; readonly renditions: readonly RelayRendition[] }
  | { readonly kind: 'path'; readonly feed: number; readonly epoch: number; readonly hops: readonly string[] }
  /** Of a later version. */
  | { readonly kind: 'unknown'; readonly type: number };

/** What a frame's message needs beside the frame itself. */
export interface FrameSending {
  readonly feed: number;
  /** The holder's clock. */
  readonly nowMs: number;
  /** From the cache: its age says nothing of the way. */
  readonly isReplayed: boolean;
}
