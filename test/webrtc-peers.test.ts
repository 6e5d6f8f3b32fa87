import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { depacketize, parseRtpPacket, type RtpPacket } from '../src/protocols/rtp/mod.ts';
import { cleanUp, DatachannelViewer } from './fixtures/datachannel-viewer.ts';
import { publish } from './fixtures/ffmpeg-publisher.ts';
import { readMedia } from './fixtures/media-reader.ts';
import { ServerProcess } from './fixtures/server-process.ts';
import { ask } from './fixtures/whip-client.ts';
import { publishByMuxer } from './fixtures/whip-muxer.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const KEY = 'a-stream-key-of-the-test';

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ environment: { SLUICE_LOG_LEVEL: 'debug', SLUICE_APPS_LIVE_KEYS: KEY } });
});
afterAll(async () => {
  cleanUp();
  expect(await server?.close()).toBe(0);
});

const url = (name: string, kind: 'whip' | 'whep'): string => `${server.httpUrl}/live/${name}/${kind}`;
const streamStatus = async (name: string): Promise<number> => (await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`)).status;

/** Whether each packet has the number after that of the packet before. */
const isGapless = (packets: readonly RtpPacket[]): boolean =>
  packets.every(({ sequenceNumber }, index) => sequenceNumber === (((packets[0]?.sequenceNumber ?? 0) + index) & 0xffff));

/** The packets of each whole frame. */
function framesOf(packets: readonly RtpPacket[]): RtpPacket[][] {
  const frames: RtpPacket[][] = [[]];
  for (const packet of packets) {
    frames.at(-1)?.push(packet);
    if (packet.marker) frames.push([]);
  }
  return frames.slice(0, -1);
}

describe('libdatachannel playing by WHEP', () => {
  it('gets picture and sound whole and in order from a keyframe on, until it is sent away', async () => {
    const publisher = await publish({ url: `${server.rtmpUrl}/live/show?key=${KEY}`, videoCodec: 'h264', audioCodec: 'opus' });
    try {
      const viewer = await vi.waitFor(() => DatachannelViewer.play(url('show', 'whep')), WAIT);
      await vi.waitFor(() => expect(viewer.video.length).toBeGreaterThan(200), WAIT);
      await vi.waitFor(() => expect(viewer.audio.length).toBeGreaterThan(50), WAIT);
      expect(viewer.state).toBe('connected');
      const [video, audio] = [viewer.video.map(parseRtpPacket), viewer.audio.map(parseRtpPacket)];
      for (const packets of [video, audio]) {
        expect(isGapless(packets)).toBe(true);
        expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
      }
      expect(Math.max(...viewer.video.map(({ length }) => length))).toBeLessThanOrEqual(1_200);

      const frames = framesOf(video);
      const units = frames.map((packets) =>
        depacketize(
          'h264',
          packets.map(({ payload }) => payload),
        ),
      );
      expect(units[0]).toMatchObject({ isKeyframe: true, config: expect.any(Uint8Array) });
      expect(units.filter(({ isKeyframe }) => isKeyframe).length).toBeGreaterThanOrEqual(2);
      for (const packets of frames) expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
      const steps = frames.slice(1).map((packets, index) => ((packets[0]?.timestamp ?? 0) - (frames[index]?.[0]?.timestamp ?? 0)) >>> 0);
      // 30 pictures a second of a 90 kHz clock; a loaded encoder leaves some out. FLV's times are whole milliseconds.
      for (const step of steps) expect(Math.abs(step - 3_000 * Math.round(step / 3_000))).toBeLessThanOrEqual(90);
      // 20 ms of 48 kHz.
      for (const [index, { timestamp }] of audio.slice(1).entries()) {
        expect(Math.abs(((timestamp - (audio[index]?.timestamp ?? 0)) >>> 0) - 960)).toBeLessThanOrEqual(48);
      }

      // The library says no goodbye by DTLS, so its users have to by DELETE.
      const session = viewer.reply?.session ?? '';
      expect((await ask('DELETE', session)).status).toBe(200);
      await vi.waitFor(() => expect(viewer.state).toBe('closed'), WAIT);
      expect((await ask('GET', session)).status).toBe(404);
      viewer.close();
    } finally {
      await publisher.close();
    }
  }, 60_000);
});

describe("FFmpeg's WHIP muxer publishing", () => {
  it('is played by HTTP-FLV, LL-HLS and WHEP, and ends its stream when it stops', async () => {
    const publisher = await publishByMuxer(url('muxed', 'whip'), KEY);
    try {
      await vi.waitFor(async () => {
        const stream = (await (await fetch(`${server.httpUrl}/api/v1/streams/live/muxed`)).json()) as {
          tracks: object[];
          publisher: object;
        };
        expect(stream.publisher).toMatchObject({ protocol: 'webrtc' });
        expect(stream.tracks).toMatchObject([
          { kind: 'video', codec: 'h264', width: 640, height: 360 },
          { kind: 'audio', codec: 'opus' },
        ]);
      }, WAIT);
      const viewer = await DatachannelViewer.play(url('muxed', 'whep'));
      await vi.waitFor(() => expect(viewer.video.length).toBeGreaterThan(100), WAIT);
      expect(isGapless(viewer.video.map(parseRtpPacket))).toBe(true);
      viewer.close();
      const hls = `${server.httpUrl}/live/muxed/index.m3u8`;
      await vi.waitFor(async () => expect((await fetch(hls)).status).toBe(200), WAIT);
      for (const { streams } of await Promise.all([hls, `${server.httpUrl}/live/muxed.flv`].map((place) => readMedia(place, 60)))) {
        const [video, audio] = ['video', 'audio'].map((kind) => streams.find((stream) => stream.kind === kind));
        expect(video).toMatchObject({ codec: 'h264', isMonotonic: true, isInOrder: true });
        expect(audio).toMatchObject({ codec: 'opus', isMonotonic: true });
        expect(video?.clocks).toBeGreaterThan(40);
        expect(audio?.packets).toBeGreaterThan(40);
      }
    } finally {
      await publisher.close();
    }
    await vi.waitFor(async () => expect(await streamStatus('muxed')).toBe(404), WAIT);
  }, 60_000);

  it('is refused with a wrong key', async () => {
    await expect(publishByMuxer(url('refused', 'whip'), 'not-the-key')).rejects.toThrow(/WHIP muxer/);
    expect(await streamStatus('refused')).toBe(404);
  }, 60_000);
});
