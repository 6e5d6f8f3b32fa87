import { ByteWriter, utf8Encode } from '../../core/mod.ts';
import type { Frame, SegmentStamp, Track } from '../../media/mod.ts';
import {
  type FrameSending,
  frameFlags,
  messageTypes,
  type RelayAcceptance,
  type RelayPosition,
  type RelayRendition,
  type RelayWish,
  TEXT_BYTES_MAX,
} from './messages.ts';
import { trackIndex } from './position.ts';

const LENGTH_BYTES = 4;
/** Up to where the capture time may stand. */
const FRAME_HEAD_BYTES = LENGTH_BYTES + 1 + 4 + 1 + 1 + 8 + 4 + 4 + 4 + 8;
const AGE_US_MAX = 0xffff_ffff;

// Each function gives a whole message in bytes of its own, which may be shared and are never written to.

export const writeHello = (versionMin: number, versionMax: number, node: string, cluster: string): Uint8Array =>
  message(messageTypes.hello, (to) => text(text(to.u8(versionMin).u8(versionMax), node), cluster));

export const writeGoodbye = (code: string, reason: string): Uint8Array =>
  message(messageTypes.goodbye, (to) => text(text(to, code), reason));

export const writePing = (id: number, sentMs: number): Uint8Array => message(messageTypes.ping, (to) => to.u32(id).f64(sentMs));

export const writePong = (id: number, pingMs: number, sentMs: number): Uint8Array =>
  message(messageTypes.pong, (to) => to.u32(id).f64(pingMs).f64(sentMs));

export const writeSubscribe = (subscription: number, wish: RelayWish): Uint8Array =>
  message(messageTypes.subscribe, (to) => {
    text(text(to.u32(subscription), wish.ref.path), wish.rendition).f64(wish.epoch);
    hops(to, wish.hops);
    position(to, wish.position);
    if (wish.mayBeSentOn === true) to.u8(1);
  });

export const writeAccepted = (subscription: number, feed: number, acceptance: RelayAcceptance): Uint8Array =>
  message(messageTypes.accepted, (to) => {
    to.u32(subscription).u32(feed).f64(acceptance.epoch).f64(acceptance.startedWallMs);
    hops(to.u8(acceptance.isResumed ? 1 : 0), acceptance.hops);
    text(to, acceptance.agent);
  });

export const writeRefused = (
  subscription: number,
  code: string,
  reason: string,
  epoch: number,
  nodes: readonly string[] = [],
): Uint8Array =>
  message(messageTypes.refused, (to) => {
    text(text(to.u32(subscription), code), reason).f64(epoch);
    hops(to, nodes);
  });

/** Of a puller, about one of its subscriptions. */
export const writeRequest = (kind: 'unsubscribe' | 'keyframe', subscription: number): Uint8Array =>
  message(messageTypes[kind], (to) => to.u32(subscription));

/** Of a holder, about a feed. */
export const writeNotice = (kind: 'paused' | 'ended' | 'gap', feed: number): Uint8Array =>
  message(messageTypes[kind], (to) => to.u32(feed));

export const writeTracks = (feed: number, tracks: readonly Track[]): Uint8Array =>
  message(messageTypes.tracks, (to) => {
    to.u32(feed).u8(tracks.length);
    for (const one of tracks) track(to, one);
  });

export const writeSegment = (feed: number, stamp: SegmentStamp): Uint8Array =>
  message(messageTypes.segment, (to) =>
    to.u32(feed).f64(stamp.sequence).f64(stamp.discontinuity).f64(stamp.startMs).u32(stamp.targetDurationS).f64(stamp.partTargetMs),
  );

export const writeRenditions = (feed: number, renditions: readonly RelayRendition[]): Uint8Array =>
  message(messageTypes.renditions, (to) => {
    to.u32(feed).u8(renditions.length);
    for (const one of renditions) rendition(to, one);
  });

export const writePath = (feed: number, epoch: number, nodes: readonly string[]): Uint8Array =>
  message(messageTypes.path, (to) => hops(to.u32(feed).f64(epoch), nodes));

/** The head of the one message that comes often, whose payload follows it as it is. */
export function writeFrameHead(frame: Frame, { feed, nowMs, isReplayed }: FrameSending): Uint8Array {
  const hasCapture = frame.captureMs !== undefined;
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + (hasCapture ? 8 : 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length + frame.payload.length - LENGTH_BYTES);
  view.setUint8(4, messageTypes.frame);
  view.setUint32(5, feed);
  view.setUint8(9, flagsOf(frame, hasCapture, isReplayed));
  view.setUint8(10, trackIndex(frame));
  view.setFloat64(11, frame.dts);
  view.setInt32(19, frame.pts - frame.dts);
  view.setUint32(23, frame.part);
  view.setUint32(27, Math.min(AGE_US_MAX, Math.max(0, Math.round((nowMs - frame.receivedMs) * 1000))));
  view.setFloat64(31, nowMs);
  if (frame.captureMs !== undefined) view.setFloat64(FRAME_HEAD_BYTES, frame.captureMs);
  return bytes;
}

function flagsOf(frame: Frame, hasCapture: boolean, isReplayed: boolean): number {
  return (
    (frame.isKeyframe ? frameFlags.isKeyframe : 0) |
    (frame.startsPart ? frameFlags.startsPart : 0) |
    (hasCapture ? frameFlags.hasCapture : 0) |
    (isReplayed ? frameFlags.isReplayed : 0)
  );
}

function message(type: number, body: (to: ByteWriter) => unknown): Uint8Array {
  const to = new ByteWriter(128).u32(0).u8(type);
  body(to);
  return to.patchU32(0, to.length - LENGTH_BYTES).finish();
}

/** What is too long is cut: texts are names that are short, and words for people. */
function text(to: ByteWriter, value: string): ByteWriter {
  const bytes = utf8Encode(value).subarray(0, TEXT_BYTES_MAX);
  return to.u16(bytes.length).put(bytes);
}

function hops(to: ByteWriter, nodes: readonly string[]): void {
  to.u8(nodes.length);
  for (const node of nodes) text(to, node);
}

function position(to: ByteWriter, at: RelayPosition | undefined): void {
  to.u8(at?.tracks.length ?? 0);
  if (at === undefined || at.tracks.length === 0) return;
  to.f64(at.sequence).f64(at.discontinuity);
  for (const { track: index, dts } of at.tracks) to.u8(index).f64(dts);
}

function track(to: ByteWriter, one: Track): void {
  to.u8(one.kind === 'video' ? 0 : 1).u32(one.id);
  text(to, one.codec).u32(one.timescale).u32(one.config.length).put(one.config);
  text(to, one.codecString);
  if (one.kind === 'video') {
    to.u32(one.width)
      .u32(one.height)
      .f64(one.frameRate ?? 0);
  } else {
    to.u32(one.sampleRate).u8(one.channels);
  }
}

function rendition(to: ByteWriter, { name, kind, audience, expected }: RelayRendition): void {
  text(to, name)
    .u8(kind === 'video' ? 0 : 1)
    .u8(audience === 'everybody' ? 0 : 1);
  text(text(to, expected.codec), expected.codecString)
    .u32(expected.width ?? 0)
    .u32(expected.height ?? 0)
    .f64(expected.frameRate ?? 0)
    .f64(expected.bitrateBps);
}
