import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, type PublishOptions, publish } from './fixtures/ffmpeg-publisher.ts';
import { readMedia } from './fixtures/media-reader.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 15_000, interval: 50 };
const PACKETS = 75;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(async () => {
  expect(await server?.close()).toBe(0);
});

interface StreamResource {
  readonly state: string;
  readonly tracks: ReadonlyArray<{
    readonly kind: string;
    readonly codec: string;
    readonly codecString: string;
    readonly width?: number;
    readonly height?: number;
  }>;
}

async function streamOf(name: string): Promise<StreamResource> {
  const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`);
  expect(response.status).toBe(200);
  return (await response.json()) as StreamResource;
}

async function publishAs(name: string, options: Omit<PublishOptions, 'url'>): Promise<FfmpegPublisher> {
  return publish({ url: `${server.rtmpUrl}/live/${name}`, ...options });
}

const hlsUrl = (name: string): string => `${server.httpUrl}/live/${name}/index.m3u8`;
const hlsReady = (name: string): Promise<string> =>
  vi.waitFor(async () => {
    const response = await fetch(hlsUrl(name));
    expect(response.status).toBe(200);
    return response.text();
  }, WAIT);

const cases = [
  { videoCodec: 'h264', audioCodec: 'aac', bFrames: 0, codecs: /avc1\.64[0-9a-f]{4},mp4a\.40\.2/ },
  { videoCodec: 'h264', audioCodec: 'aac', bFrames: 3, codecs: /avc1\.64[0-9a-f]{4},mp4a\.40\.2/ },
  { videoCodec: 'hevc', audioCodec: 'aac', bFrames: 2, codecs: /(hvc1|hev1)\.1\.\S+,mp4a\.40\.2/ },
  { videoCodec: 'av1', audioCodec: 'aac', bFrames: 0, codecs: /av01\.0\.\S+,mp4a\.40\.2/ },
  { videoCodec: 'vp9', audioCodec: 'aac', bFrames: 0, codecs: /vp09\.00\.\S+,mp4a\.40\.2/ },
  { videoCodec: 'h264', audioCodec: 'opus', bFrames: 0, codecs: /avc1\.\S+,opus/i },
  { videoCodec: 'h264', audioCodec: 'mp3', bFrames: 0, codecs: /avc1\.\S+,mp4a\.(40\.34|6[bB])/ },
] as const;

describe('FFmpeg 8.1 publishing over RTMP', () => {
  it.each(cases)(
    '$videoCodec with $bFrames B-frames and $audioCodec comes out of HLS and HTTP-FLV as it went in',
    async (one) => {
      const name = `${one.videoCodec}-${one.audioCodec}-b${one.bFrames}`;
      const publisher = await publishAs(name, one);
      try {
        const multivariant = await hlsReady(name);
        expect(multivariant).toMatch(one.codecs);
        expect(multivariant).toContain('RESOLUTION=640x360');
        const stream = await streamOf(name);
        expect(stream.tracks).toMatchObject([
          { kind: 'video', codec: one.videoCodec, width: 640, height: 360 },
          { kind: 'audio', codec: one.audioCodec },
        ]);
        for (const url of [hlsUrl(name), `${server.httpUrl}/live/${name}.flv`]) {
          const { streams } = await readMedia(url, PACKETS);
          const video = streams.find(({ kind }) => kind === 'video');
          const audio = streams.find(({ kind }) => kind === 'audio');
          expect(video, url).toMatchObject({ codec: one.videoCodec, isMonotonic: true, isInOrder: true });
          expect(audio, url).toMatchObject({ codec: one.audioCodec, isMonotonic: true });
          expect(video?.keyframes, url).toBeGreaterThanOrEqual(2);
          // A decoder holds back what it reorders, and a picture in a hundred may be too coarse to read.
          expect(video?.pictures, url).toBeGreaterThan(PACKETS - 15);
          expect(video?.clocks, url).toBeGreaterThan(PACKETS - 20);
          expect(audio?.packets, url).toBeGreaterThan(PACKETS / 2);
        }
      } finally {
        await publisher.close();
      }
      await vi.waitFor(async () => {
        expect((await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`)).status).toBe(404);
      }, WAIT);
    },
    60_000,
  );

  it.each([
    { videoCodec: 'h264' as const, kinds: ['video'] },
    { audioCodec: 'aac' as const, kinds: ['audio'] },
  ])(
    'a stream of $kinds alone plays over HLS',
    async ({ kinds, ...options }) => {
      const name = `only-${kinds.join()}`;
      const publisher = await publishAs(name, options);
      try {
        await hlsReady(name);
        expect((await streamOf(name)).tracks.map(({ kind }) => kind)).toEqual(kinds);
        const { streams } = await readMedia(hlsUrl(name), PACKETS);
        expect(streams.map(({ kind }) => kind)).toEqual(kinds);
      } finally {
        await publisher.close();
      }
    },
    60_000,
  );

  it('plays back over RTMP', async () => {
    const publisher = await publishAs('rtmp-play', { videoCodec: 'h264', audioCodec: 'aac', bFrames: 2 });
    try {
      await hlsReady('rtmp-play');
      const { streams } = await readMedia(`${server.rtmpUrl}/live/rtmp-play`, PACKETS);
      expect(streams).toMatchObject([
        { codec: 'h264', isMonotonic: true, isInOrder: true },
        { codec: 'aac', isMonotonic: true },
      ]);
    } finally {
      await publisher.close();
    }
  }, 60_000);

  it('is refused when somebody else publishes already, and the first goes on', async () => {
    const first = await publishAs('taken', { videoCodec: 'h264' });
    try {
      await expect(
        publishAs('taken', { videoCodec: 'h264' }).then(async (second) => {
          const { reason, message } = await second.ended;
          throw new Error(`${reason} ${message}`);
        }),
      ).rejects.toThrow(/failed/);
      expect((await streamOf('taken')).state).toBe('live');
    } finally {
      await first.close();
    }
  }, 60_000);

  it('that dies and comes back goes on after a discontinuity with the numbers going on', async () => {
    const first = await publishAs('back', { videoCodec: 'h264', audioCodec: 'aac' });
    await hlsReady('back');
    await first.kill();
    await vi.waitFor(async () => expect((await streamOf('back')).state).toBe('held'), WAIT);
    const second = await publishAs('back', { videoCodec: 'h264', audioCodec: 'aac' });
    try {
      await vi.waitFor(async () => {
        const multivariant = await (await fetch(hlsUrl('back'))).text();
        const media = multivariant.split('\n').find((line) => line.endsWith('.m3u8')) ?? '';
        const playlist = await (await fetch(new URL(media, hlsUrl('back')))).text();
        expect(playlist).toContain('#EXT-X-DISCONTINUITY\n');
      }, WAIT);
      expect((await streamOf('back')).state).toBe('live');
    } finally {
      await second.close();
    }
  }, 60_000);
});
