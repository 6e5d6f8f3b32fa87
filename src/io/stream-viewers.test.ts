import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { durationMs, mediaTime, monotonicMs, sizeBytes, wallMs } from '../core/mod.ts';
import { type BroadcastOutput, type BroadcastPackager, HubToFlv, HubToRtmp } from '../gateways/mod.ts';
import type { LiveStream } from '../hub/mod.ts';
import type { Track, VideoTrack } from '../media/mod.ts';
import { emptyStream, MemorySocket } from './broadcast.fixture.ts';
import { StreamViewers } from './stream-viewers.ts';

const KIB = 1024;
const gopCacheBytesMax = sizeBytes(1_000 * KIB);
const protocols: ['flv' | 'rtmp', (out: BroadcastOutput) => BroadcastPackager][] = [
  ['flv', (out) => new HubToFlv(out, { gopCacheBytesMax })],
  ['rtmp', (out) => new HubToRtmp(out, { chunkSize: sizeBytes(4096), messageStreamId: 1, gopCacheBytesMax })],
];
const video = (profile: number): VideoTrack => ({
  kind: 'video',
  id: 1,
  codec: 'h264',
  timescale: 90_000,
  config: Uint8Array.of(1, profile, 0xc0, 0x1e, 0xff),
  codecString: 'avc1.42c01e',
  width: 640,
  height: 360,
});

describe.each(protocols)('StreamViewers of %s', (protocol, makePackager) => {
  const clock = { now: 0, monotonic: () => monotonicMs(clock.now), wall: () => wallMs(0) };
  let lines: object[];
  let viewers: StreamViewers;
  beforeEach(() => {
    clock.now = 0;
    lines = [];
    viewers = new StreamViewers({
      protocol,
      makePackager,
      broadcast: { batchMs: durationMs(5), sendQueueBytesMax: sizeBytes(256 * KIB), stalledMsMax: durationMs(10_000) },
      clock,
      log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    });
  });

  /** A stream that is fed by hand: every call is one frame with a payload of this byte. */
  function feed() {
    const stream = emptyStream();
    const setTracks = (...tracks: Track[]): void => {
      for (const sink of stream.sinks) sink.tracks(tracks);
    };
    const frame = (track: Track, ms: number, isKeyframe: boolean, byte: number): void => {
      const segment = { sequence: 1, discontinuity: 0, startMs: wallMs(0), targetDurationS: 2, partTargetMs: 500, tracks: [track] };
      const time = mediaTime(ms * 90);
      const payload = new Uint8Array(20).fill(byte);
      const stamp = { segment, part: 0, startsPart: isKeyframe, receivedMs: 0 };
      for (const sink of stream.sinks) sink.frame({ track, dts: time, pts: time, isKeyframe, payload, ...stamp });
    };
    return { stream, setTracks, frame };
  }

  function join(stream: LiveStream): MemorySocket {
    const socket = new MemorySocket();
    viewers.add(stream, socket, 'raw', '192.0.2.1');
    return socket;
  }

  it('lets a viewer that skipped the change of tracks come back with the new headers, however late', () => {
    const { stream, setTracks, frame } = feed();
    const [before, after] = [video(0x42), video(0x4d)];
    const slow = join(stream);
    setTracks(before);
    frame(before, 0, true, 0xa0);
    slow.writableLength = 300 * KIB;
    frame(before, 40, false, 0xa1);
    setTracks(after);
    frame(after, 80, true, 0xa2);
    slow.writableLength = 0;
    const written = slow.written.length;
    frame(after, 120, false, 0xa3);
    expect(slow.written.length).toBe(written);
    frame(after, 60_000, true, 0xa4);
    const back = Buffer.concat(slow.written.slice(written));
    const [configAt, frameAt] = [back.indexOf(after.config), back.indexOf(new Uint8Array(20).fill(0xa4))];
    expect(configAt).toBeGreaterThan(back.indexOf('onMetaData'));
    expect(frameAt).toBeGreaterThan(configAt);
    frame(after, 60_040, false, 0xa5);
    expect(Buffer.concat(slow.written.slice(written)).lastIndexOf(after.config)).toBe(configAt);
  });

  it('logs a viewer that is disconnected because it does not read', () => {
    const { stream, setTracks, frame } = feed();
    const stuck = join(stream);
    const track = video(0x42);
    setTracks(track);
    stuck.writableLength = 300 * KIB;
    frame(track, 0, true, 1);
    clock.now += 9_999;
    frame(track, 40, false, 1);
    expect([stuck.isDestroyed, lines]).toEqual([false, []]);
    clock.now += 1;
    frame(track, 80, false, 1);
    expect(stuck.isDestroyed).toBe(true);
    expect(lines).toMatchObject([{ level: 30, code: `${protocol}.viewer-stalled`, stream: 'live/show', remote: '192.0.2.1' }]);
  });

  it('adds up what all streams have counted, those that are over too', () => {
    const track = video(0x42);
    const totals: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { stream, setTracks, frame } = feed();
      const socket = join(stream);
      setTracks(track);
      frame(track, 0, true, 1);
      expect(viewers.count).toBe(1);
      totals.push(viewers.stats().bytesOut);
      socket.leave();
      expect(viewers.count).toBe(0);
      totals.push(viewers.stats().bytesOut);
    }
    const once = totals[0] ?? 0;
    expect(once).toBeGreaterThan(0);
    expect(totals).toEqual([1, 1, 2, 2, 3, 3].map((times) => times * once));
  });
});
