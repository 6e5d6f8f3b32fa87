import { ByteReader, ProtocolError, SluiceError, type StreamRef, streamRef, utf8Decode, wallMs } from '../../core/mod.ts';
import type { AudioCodec, Track, VideoCodec } from '../../media/mod.ts';
import {
  frameFlags,
  HOPS_MAX,
  messageTypes,
  RENDITIONS_MAX,
  type RelayMessage,
  type RelayPosition,
  type RelayRendition,
  type RelayWish,
  TEXT_BYTES_MAX,
  TRACK_CONFIG_BYTES_MAX,
  TRACKS_MAX,
  type WireFrame,
} from './messages.ts';

const VIDEO_CODECS: readonly string[] = ['h264', 'hevc', 'av1', 'vp8', 'vp9'] satisfies VideoCodec[];
const AUDIO_CODECS: readonly string[] = ['aac', 'opus', 'mp3'] satisfies AudioCodec[];
const CLOCK_MS_MAX = 1e15;

/**
 * Reads one message without its length. Payloads and configurations share memory with `bytes`, which are given. Throws `ProtocolError`
 * `relay.bad-message`, or `core.truncated` where it ends too early.
 */
export function readMessage(bytes: Uint8Array): RelayMessage {
  const from = new ByteReader(bytes);
  const type = from.u8();
  // By far the most frequent.
  if (type === messageTypes.frame) return { kind: 'frame', frame: readFrame(from) };
  switch (type) {
    case messageTypes.hello:
      return { kind: 'hello', versionMin: from.u8(), versionMax: from.u8(), node: text(from), cluster: text(from) };
    case messageTypes.goodbye:
      return { kind: 'goodbye', code: text(from), message: text(from) };
    case messageTypes.ping:
      return { kind: 'ping', id: from.u32(), sentMs: clock(from) };
    case messageTypes.pong:
      return { kind: 'pong', id: from.u32(), pingMs: clock(from), sentMs: clock(from) };
    case messageTypes.subscribe:
      return { kind: 'subscribe', subscription: from.u32(), wish: readWish(from) };
    case messageTypes.accepted:
      return readAccepted(from);
    case messageTypes.refused:
      return { kind: 'refused', subscription: from.u32(), code: text(from), message: text(from), epoch: int(from), nodes: readNodes(from) };
    case messageTypes.unsubscribe:
      return { kind: 'unsubscribe', subscription: from.u32() };
    case messageTypes.keyframe:
      return { kind: 'keyframe', subscription: from.u32() };
    default:
      return readOfFeed(type, from, bytes);
  }
}

/** Messages of a holder about one of its feeds. */
function readOfFeed(type: number, from: ByteReader, bytes: Uint8Array): RelayMessage {
  switch (type) {
    case messageTypes.tracks:
      return { kind: 'tracks', feed: from.u32(), tracks: list(from, TRACKS_MAX, readTrack), bytes: bytes.subarray(5) };
    case messageTypes.segment:
      return { kind: 'segment', feed: from.u32(), stamp: readStamp(from) };
    case messageTypes.paused:
      return { kind: 'paused', feed: from.u32() };
    case messageTypes.ended:
      return { kind: 'ended', feed: from.u32() };
    case messageTypes.gap:
      return { kind: 'gap', feed: from.u32() };
    case messageTypes.renditions:
      return { kind: 'renditions', feed: from.u32(), renditions: list(from, RENDITIONS_MAX, readRendition) };
    case messageTypes.path:
      return { kind: 'path', feed: from.u32(), epoch: int(from), hops: list(from, HOPS_MAX, text) };
    default:
      return { kind: 'unknown', type };
  }
}

function readFrame(from: ByteReader): WireFrame {
  const feed = from.u32();
  const flags = from.u8();
  const track = from.u8();
  const dts = int(from);
  const pts = dts + from.i32();
  const part = from.u32();
  const ageUs = from.u32();
  const sentMs = clock(from);
  const captureMs = (flags & frameFlags.hasCapture) === 0 ? undefined : clock(from);
  return { feed, flags, track, dts, pts, part, ageUs, sentMs, captureMs, payload: from.rest() };
}

function readWish(from: ByteReader): RelayWish {
  const ref = readRef(text(from));
  const wish = { ref, rendition: text(from), epoch: int(from), hops: list(from, HOPS_MAX, text) };
  const position = readPosition(from);
  const mayBeSentOn = from.remaining > 0 && from.u8() === 1;
  return { ...wish, ...(position === undefined ? {} : { position }), ...(mayBeSentOn ? { mayBeSentOn } : {}) };
}

/** Where others have the stream; nothing in messages of before. */
const readNodes = (from: ByteReader): readonly string[] => (from.remaining > 0 ? list(from, HOPS_MAX, text) : []);

function readRef(path: string): StreamRef {
  const [app = '', name = '', ...more] = path.split('/');
  try {
    if (more.length === 0) return streamRef(app, name);
  } catch (error) {
    if (error instanceof SluiceError) throw bad(error.message);
    throw error;
  }
  throw bad(`a stream's path is APP/NAME, not ${JSON.stringify(path.slice(0, 80))}`);
}

function readPosition(from: ByteReader): RelayPosition | undefined {
  const count = from.u8();
  if (count === 0) return undefined;
  if (count > TRACKS_MAX) throw bad(`${count} tracks in a position; at most ${TRACKS_MAX}`);
  const position = { sequence: int(from), discontinuity: int(from) };
  return { ...position, tracks: Array.from({ length: count }, () => ({ track: from.u8(), dts: int(from) })) };
}

function readAccepted(from: ByteReader): RelayMessage {
  const subscription = from.u32();
  const feed = from.u32();
  const epoch = int(from);
  const startedWallMs = int(from);
  const isResumed = from.u8() !== 0;
  return {
    kind: 'accepted',
    subscription,
    feed,
    acceptance: { epoch, startedWallMs, isResumed, hops: list(from, HOPS_MAX, text), agent: text(from) },
  };
}

function readStamp(from: ByteReader): (RelayMessage & { kind: 'segment' })['stamp'] {
  const sequence = int(from);
  const discontinuity = int(from);
  const startMs = wallMs(int(from));
  const targetDurationS = from.u32();
  const partTargetMs = from.f64();
  if (!(partTargetMs > 0 && partTargetMs < 1e9)) throw bad(`a part's target of ${partTargetMs} ms`);
  return { sequence, discontinuity, startMs, targetDurationS, partTargetMs };
}

function readTrack(from: ByteReader): Track {
  const kind = from.u8();
  const id = from.u32();
  const codec = text(from);
  const timescale = from.u32();
  const configBytes = from.u32();
  if (configBytes > TRACK_CONFIG_BYTES_MAX) throw bad(`a configuration of ${configBytes} bytes; at most ${TRACK_CONFIG_BYTES_MAX}`);
  const config = from.slice(configBytes);
  const codecString = text(from);
  if (timescale === 0) throw bad('a track without a timescale');
  const start = { id, timescale, config, codecString };
  if (kind === 0 && VIDEO_CODECS.includes(codec)) {
    const video = { kind: 'video', ...start, codec: codec as VideoCodec, width: from.u32(), height: from.u32() } as const;
    const frameRate = rate(from);
    return frameRate === undefined ? video : { ...video, frameRate };
  }
  if (kind === 1 && AUDIO_CODECS.includes(codec)) {
    return { kind: 'audio', ...start, codec: codec as AudioCodec, sampleRate: from.u32(), channels: from.u8() };
  }
  throw bad(`a track of kind ${kind} and codec ${JSON.stringify(codec)}: this build does not know it`);
}

function readRendition(from: ByteReader): RelayRendition {
  const name = text(from);
  const kind = from.u8() === 0 ? 'video' : 'audio';
  const audience = from.u8() === 0 ? 'everybody' : 'webrtc';
  const codec = text(from);
  if (!VIDEO_CODECS.includes(codec) && !AUDIO_CODECS.includes(codec)) throw bad(`a rendition of codec ${JSON.stringify(codec)}`);
  const codecString = text(from);
  const [width, height, frameRate, bitrateBps] = [from.u32(), from.u32(), rate(from), int(from)];
  const size = width > 0 && height > 0 ? { width, height } : {};
  const rated = frameRate === undefined ? {} : { frameRate };
  return { name, kind, audience, expected: { codec: codec as Track['codec'], codecString, ...size, ...rated, bitrateBps } };
}

function list<Item>(from: ByteReader, countMax: number, read: (from: ByteReader) => Item): Item[] {
  const count = from.u8();
  if (count > countMax) throw bad(`a list of ${count}; at most ${countMax}`);
  return Array.from({ length: count }, () => read(from));
}

function text(from: ByteReader): string {
  const length = from.u16();
  if (length > TEXT_BYTES_MAX) throw bad(`a text of ${length} bytes; at most ${TEXT_BYTES_MAX}`);
  return utf8Decode(from.slice(length));
}

function int(from: ByteReader): number {
  const value = from.f64();
  if (!Number.isSafeInteger(value) || value < 0) throw bad(`${value} is no whole number from 0 to 2^53`);
  return value;
}

function clock(from: ByteReader): number {
  const value = from.f64();
  if (!(Math.abs(value) < CLOCK_MS_MAX)) throw bad(`${value} is no time`);
  return value;
}

function rate(from: ByteReader): number | undefined {
  const value = from.f64();
  if (!(value >= 0 && value < 1e6)) throw bad(`a frame rate of ${value}`);
  return value === 0 ? undefined : value;
}

const bad = (what: string): ProtocolError => new ProtocolError('relay.bad-message', `the relay peer sent ${what}`);
