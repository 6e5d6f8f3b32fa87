import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, ProtocolError, streamRef } from '../../core/mod.ts';
import type { Frame } from '../../media/mod.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { MessageSplitter } from './message-splitter.ts';
import { type FrameSending, HELLO_BYTES_MAX, MESSAGE_BYTES_MAX, type RelayMessage } from './messages.ts';
import { readMessage } from './read-message.ts';
import { stampedFrames } from './relay.fixture.ts';
import {
  writeAccepted,
  writeFrameHead,
  writeGoodbye,
  writeHello,
  writeNotice,
  writePath,
  writePing,
  writePong,
  writeRefused,
  writeRenditions,
  writeRequest,
  writeSegment,
  writeSubscribe,
  writeTracks,
} from './write-message.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const show = streamRef('live', 'show');
const frames = stampedFrames({ fromMs: 0, untilMs: 3_000 });
const [first = expect.fail('no frames')] = frames;
const { tracks } = first.segment;

const wish = { ref: show, rendition: '720p', epoch: 2 ** 40, hops: ['edge-1', 'edge-2'] };
const position = {
  sequence: 1_700_000_000,
  discontinuity: 3,
  tracks: [
    { track: 0, dts: 2 ** 45 },
    { track: 1, dts: 0 },
  ],
};
const acceptance = { epoch: 7, startedWallMs: 1_700_000_000_123, isResumed: true, hops: ['origin'], agent: 'OBS ü' };
const rendition = {
  name: '720p',
  kind: 'video',
  audience: 'webrtc',
  expected: { codec: 'h264', codecString: 'avc1.4d401f', width: 1280, height: 720, frameRate: 29.97, bitrateBps: 2_500_000 },
} as const;
const sound = {
  name: 'opus',
  kind: 'audio',
  audience: 'everybody',
  expected: { codec: 'opus', codecString: 'opus', bitrateBps: 96_000 },
} as const;

const frameMessage = (frame: Frame, sending: FrameSending): Uint8Array =>
  Uint8Array.of(...writeFrameHead(frame, sending), ...frame.payload);

const samples: readonly Uint8Array[] = [
  writeHello(1, 2, 'node', 'cluster'),
  writeGoodbye('relay.version', 'no version in common'),
  writePing(1, 12.5),
  writePong(1, 12.5, 99.25),
  writeSubscribe(1, wish),
  writeSubscribe(2, { ...wish, position }),
  writeAccepted(1, 9, acceptance),
  writeRefused(1, 'stale-epoch', 'too old', 6),
  writeRequest('unsubscribe', 1),
  writeRequest('keyframe', 1),
  writeTracks(9, tracks),
  writeSegment(9, first.segment),
  frameMessage(first, { feed: 9, nowMs: first.receivedMs + 1.5, isReplayed: true }),
  writeNotice('paused', 9),
  writeNotice('gap', 9),
  writeRenditions(9, [rendition, sound]),
  writePath(9, 8, ['a', 'b']),
];

const read = (message: Uint8Array): RelayMessage => readMessage(message.slice(4));

describe('relay messages', () => {
  it('say the same after they were written and read', () => {
    expect(samples.map(read)).toMatchObject([
      { kind: 'hello', versionMin: 1, versionMax: 2, node: 'node', cluster: 'cluster' },
      { kind: 'goodbye', code: 'relay.version', message: 'no version in common' },
      { kind: 'ping', id: 1, sentMs: 12.5 },
      { kind: 'pong', id: 1, pingMs: 12.5, sentMs: 99.25 },
      { kind: 'subscribe', subscription: 1, wish },
      { kind: 'subscribe', subscription: 2, wish: { ...wish, position } },
      { kind: 'accepted', subscription: 1, feed: 9, acceptance },
      { kind: 'refused', subscription: 1, code: 'stale-epoch', message: 'too old', epoch: 6 },
      { kind: 'unsubscribe', subscription: 1 },
      { kind: 'keyframe', subscription: 1 },
      { kind: 'tracks', feed: 9, tracks },
      { kind: 'segment', feed: 9, stamp: { sequence: first.segment.sequence, targetDurationS: 2, partTargetMs: 500 } },
      { kind: 'frame', frame: { feed: 9, track: 0, dts: first.dts, pts: first.pts, ageUs: 1500, payload: first.payload } },
      { kind: 'paused', feed: 9 },
      { kind: 'gap', feed: 9 },
      { kind: 'renditions', feed: 9, renditions: [rendition, sound] },
      { kind: 'path', feed: 9, epoch: 8, hops: ['a', 'b'] },
    ]);
  });

  it('make the same frames again, with the same objects for what is the same', () => {
    const assembler = new FrameAssembler();
    const assembled = frames.map((frame) => {
      for (const bytes of [writeTracks(9, frame.segment.tracks), writeSegment(9, frame.segment)]) {
        const message = read(bytes);
        if (message.kind === 'tracks') assembler.tracks(message.tracks, message.bytes);
        if (message.kind === 'segment') assembler.segment(message.stamp);
      }
      const message = read(frameMessage(frame, { feed: 9, nowMs: 0, isReplayed: false }));
      return message.kind === 'frame' ? assembler.frame(message.frame, frame.receivedMs) : undefined;
    });
    expect(assembled).toEqual(frames);
    expect(new Set(assembled.map((frame) => frame?.segment)).size).toBe(new Set(frames.map(({ segment }) => segment)).size);
    expect(new Set(assembled.map((frame) => frame?.segment.tracks)).size).toBe(1);
  });

  it('may be longer than this version knows, or of a type that it does not know', () => {
    for (const sample of samples.filter((_, index) => index !== 12)) {
      expect(readMessage(Uint8Array.of(...sample.slice(4), 1, 2, 3))).toMatchObject({ kind: read(sample).kind });
    }
    expect(readMessage(Uint8Array.of(200, 1, 2))).toEqual({ kind: 'unknown', type: 200 });
  });

  it('are refused when they say what cannot be', () => {
    const bad = [
      new ByteWriter()
        .u8(5)
        .u32(1)
        .u16(3)
        .put(Uint8Array.of(97, 47, 47)),
      new ByteWriter().u8(10).u32(9).u8(200),
      new ByteWriter().u8(10).u32(9).u8(1).u8(0).u32(1).u16(1).u8(65).u32(90_000).u32(0).u16(0).zeros(16),
      new ByteWriter().u8(2).u16(60_000).zeros(60_000),
      new ByteWriter().u8(17).u32(9).f64(-1).u8(0),
      new ByteWriter().u8(3).u32(9).f64(Number.NaN),
    ];
    for (const message of bad) {
      const attempt = (): unknown => readMessage(message.finish());
      expect(attempt).toThrow(ProtocolError);
      expect(attempt).toThrow(expect.objectContaining({ code: 'relay.bad-message' }));
    }
  });

  it('read anything without another error than ProtocolError', () => {
    const attempt = (bytes: Uint8Array): void => {
      try {
        readMessage(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns });
    const mutation = fc.tuple(fc.nat(samples.length - 1), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(300));
    const mutated = fc.property(mutation, ([index, changes, cut]) => {
      const bytes = samples[index]?.slice(4) ?? new Uint8Array(0);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      attempt(bytes.subarray(0, cut));
    });
    fc.assert(mutated, { numRuns });
  });
});

describe('MessageSplitter', () => {
  it('finds the messages however the bytes are cut', () => {
    const stream = Buffer.concat(samples);
    const cuts = fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sizes) => {
      const splitter = new MessageSplitter(MESSAGE_BYTES_MAX);
      const found: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        splitter.push(stream.subarray(at, at + size), (message) => found.push(message));
        at += size;
      }
      expect(found).toEqual(samples.map((sample) => new Uint8Array(sample.subarray(4))));
    });
    fc.assert(cuts, { numRuns: Math.min(numRuns, 100) });
  });

  it('takes no message that is longer than it may be, nor one without a type', () => {
    const splitter = new MessageSplitter(HELLO_BYTES_MAX);
    const push =
      (...bytes: number[]) =>
      () =>
        new MessageSplitter(HELLO_BYTES_MAX).push(Uint8Array.from(bytes), () => undefined);
    expect(push(0, 0, 4, 1)).toThrow(expect.objectContaining({ code: 'relay.message-too-large' }));
    expect(push(0, 0, 0, 0)).toThrow(ProtocolError);
    splitter.bytesMax = MESSAGE_BYTES_MAX;
    splitter.push(Uint8Array.of(0, 0, 4, 1), () => undefined);
  });
});
