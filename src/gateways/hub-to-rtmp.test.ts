import { describe, expect, it } from 'vitest';
import { decodeAmf0 } from '../containers/mod.ts';
import { mediaTime, sizeBytes, wallMs } from '../core/mod.ts';
import type { AudioTrack, Frame, SegmentStamp, Track, VideoTrack } from '../media/mod.ts';
import { ChunkReader, ChunkWriter } from '../protocols/rtmp/mod.ts';
import { HubToRtmp } from './hub-to-rtmp.ts';

const video: VideoTrack = {
  kind: 'video',
  id: 1,
  codec: 'h264',
  timescale: 90_000,
  config: Uint8Array.of(1, 0x42, 0xc0, 0x1e, 0xff),
  codecString: 'avc1.42c01e',
  width: 640,
  height: 360,
};
const audio: AudioTrack = {
  kind: 'audio',
  id: 2,
  codec: 'aac',
  timescale: 48_000,
  config: Uint8Array.of(0x11, 0x90),
  codecString: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
};

function frameOf(track: Track, ms: number, options: { key?: boolean; size?: number; offsetMs?: number } = {}): Frame {
  const segment: SegmentStamp = {
    sequence: 1,
    discontinuity: 0,
    startMs: wallMs(0),
    targetDurationS: 2,
    partTargetMs: 500,
    tracks: [video, audio],
  };
  const ticks = (value: number) => mediaTime((value * track.timescale) / 1000);
  return {
    track,
    dts: ticks(ms),
    pts: ticks(ms + (options.offsetMs ?? 0)),
    isKeyframe: options.key ?? track.kind === 'audio',
    payload: new Uint8Array(options.size ?? 10).fill(7),
    segment,
    part: 0,
    startsPart: false,
    receivedMs: 0,
  };
}

function setUp(gopCacheBytesMax = 1_000_000) {
  const units: { bytes: Uint8Array; startsGop: boolean }[] = [];
  let isOver = false;
  const packager = new HubToRtmp(
    {
      unit: (bytes, startsGop) => units.push({ bytes, startsGop }),
      paused: () => undefined,
      ended: () => {
        isOver = true;
      },
    },
    { chunkSize: sizeBytes(4096), messageStreamId: 1, gopCacheBytesMax: sizeBytes(gopCacheBytesMax) },
  );
  return { packager, units, isOver: () => isOver };
}

/** What a viewer that was told the chunk size reads: type, timestamp, message stream, body. */
function read(pieces: readonly Uint8Array[]): [number, number, number, Uint8Array][] {
  const messages: [number, number, number, Uint8Array][] = [];
  const reader = new ChunkReader({ message: (...message) => messages.push(message) });
  for (const piece of [new ChunkWriter().message(2, 1, 0, 0, Uint8Array.of(0, 0, 16, 0)), ...pieces]) reader.receive(piece);
  return messages;
}

describe('HubToRtmp', () => {
  it('starts with metadata and sequence headers in the first unit', () => {
    const { packager, units } = setUp();
    packager.tracks([video, audio]);
    expect(packager.preamble()).toEqual([]);
    packager.frame(frameOf(video, 20, { key: true, offsetMs: 80 }));
    expect(units.map((unit) => unit.startsGop)).toEqual([true]);
    const messages = read(units.map((unit) => unit.bytes));
    expect(messages.map(([typeId, time, stream]) => [typeId, time, stream])).toEqual([
      [18, 20, 1],
      [9, 20, 1],
      [8, 20, 1],
      [9, 20, 1],
    ]);
    expect(decodeAmf0(messages[0]?.[3] ?? new Uint8Array(0))[0]).toBe('onMetaData');
    expect([...(messages[1]?.[3] ?? [])]).toEqual([0x17, 0, 0, 0, 0, ...video.config]);
    expect([...(messages[2]?.[3] ?? [])]).toEqual([0xaf, 0, ...audio.config]);
    expect([...(messages[3]?.[3].subarray(0, 6) ?? [])]).toEqual([0x17, 1, 0, 0, 80, 7]);
  });

  it('gives a newcomer headers and the GOP, and the same units after it as everybody', () => {
    const { packager, units } = setUp();
    packager.tracks([video, audio]);
    for (let index = 0; index < 7; index++) {
      packager.frame(frameOf(video, index * 40, { key: index % 5 === 0, size: 9000 }));
      packager.frame(frameOf(audio, index * 40 + 1));
    }
    const preamble = packager.preamble();
    packager.frame(frameOf(video, 280));
    const times = read([...preamble, ...units.slice(-1).map((unit) => unit.bytes)]).map(([typeId, time]) => [typeId, time]);
    expect(times.slice(3)).toEqual([
      [9, 200],
      [8, 201],
      [9, 240],
      [8, 241],
      [9, 280],
    ]);
  });

  it('has the headers of the tracks in force ready for viewers that skipped them', () => {
    const { packager } = setUp();
    expect(packager.headers()).toHaveLength(0);
    packager.tracks([video, audio]);
    packager.frame(frameOf(video, 0, { key: true }));
    const before = packager.headers();
    packager.frame(frameOf(video, 40, { key: true }));
    expect(packager.headers()).toBe(before);
    const config = Uint8Array.of(1, 0x4d, 0x40, 0x1f, 0xff);
    packager.tracks([{ ...video, config }]);
    packager.frame(frameOf({ ...video, config }, 80, { key: true }));
    const messages = read([packager.headers()]);
    expect(messages.map(([typeId, time]) => [typeId, time])).toEqual([
      [18, 80],
      [9, 80],
    ]);
    expect([...(messages[1]?.[3] ?? [])]).toEqual([0x17, 0, 0, 0, 0, ...config]);
  });

  it('keeps timestamps beyond 24 and 32 bits', () => {
    const { packager, units } = setUp();
    packager.tracks([video]);
    const times = [0xfffffe, 0xffffff, 0x1000000, 2 ** 32 + 40];
    for (const time of times) packager.frame(frameOf(video, time, { key: true, size: 10_000 }));
    const messages = read(units.map((unit) => unit.bytes)).slice(2);
    expect(messages.map(([, time, , body]) => [time, body.length])).toEqual([
      [0xfffffe, 10_005],
      [0xffffff, 10_005],
      [0x1000000, 10_005],
      [40, 10_005],
    ]);
  });

  it('keeps no GOP above its limit', () => {
    const { packager } = setUp(5000);
    packager.tracks([video]);
    packager.frame(frameOf(video, 0, { key: true, size: 4000 }));
    expect(packager.preamble().length).toBe(2);
    packager.frame(frameOf(video, 40, { size: 4000 }));
    expect(packager.preamble().length).toBe(1);
  });

  it('says goodbye in RTMP when the stream is over', () => {
    const { packager, units, isOver } = setUp();
    packager.ended();
    const [end, notice] = read(units.map((unit) => unit.bytes));
    expect([end?.[0], ...(end?.[3] ?? [])]).toEqual([4, 0, 1, 0, 0, 0, 1]);
    expect((decodeAmf0(notice?.[3] ?? new Uint8Array(0))[3] as Map<string, unknown>).get('code')).toBe('NetStream.Play.UnpublishNotify');
    expect(isOver()).toBe(true);
  });
});
