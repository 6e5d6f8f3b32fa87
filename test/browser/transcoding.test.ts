import { readdirSync, readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, type PublishOptions, publish } from '../fixtures/ffmpeg-publisher.ts';
import { readMedia } from '../fixtures/media-reader.ts';
import { ServerProcess } from '../fixtures/server-process.ts';
import { WebrtcPage } from '../fixtures/webrtc-page.ts';

const WAIT = { timeout: 20_000, interval: 100 };
const PATIENCE_MS = 90_000;
const RUNGS = JSON.stringify([
  { name: 'opus', codec: 'opus' },
  { name: 'webrtc' },
  { name: '180p', height: 180, bitrateBps: 200_000, preset: 'ultrafast' },
  { name: '90p', height: 90, bitrateBps: 100_000, preset: 'ultrafast' },
]);

interface Rung {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}

interface StreamResource {
  readonly renditions: readonly string[];
  readonly rungs: readonly Rung[];
  readonly webrtc: unknown;
}

let server: ServerProcess;
let browser: Browser;
const pages: WebrtcPage[] = [];
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  const environment = { SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom', SLUICE_APPS_LIVE_LADDER_RUNGS: RUNGS, SLUICE_TRANSCODE_TASKS_MAX: '3' };
  [server, browser] = await Promise.all([ServerProcess.start({ environment }), launchBrowser()]);
});
afterEach(async () => {
  await Promise.all([...pages.splice(0).map((page) => page.close()), ...publishers.splice(0).map((one) => one.close())]);
});
afterAll(async () => {
  await browser?.close();
  expect(await server?.close()).toBe(0);
});

async function publishAs(name: string, options: Omit<PublishOptions, 'url'>): Promise<void> {
  publishers.push(await publish({ url: `${server.rtmpUrl}/live/${name}`, ...options }));
}

async function streamOf(name: string): Promise<StreamResource> {
  const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`);
  expect(response.status).toBe(200);
  return (await response.json()) as StreamResource;
}

const offers = (name: string, rungs: readonly string[]): Promise<void> =>
  vi.waitFor(async () => {
    expect((await streamOf(name)).rungs.filter(({ state }) => state !== 'left-out').map((rung) => rung.name)).toEqual(rungs);
  }, WAIT);

async function watch(name: string): Promise<WebrtcPage> {
  const page = await WebrtcPage.open(browser, server);
  pages.push(page);
  await page.play(`live/${name}`);
  return page;
}

/** The transcoding processes that the server has started, by /proc (Linux). */
const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readProc(name, 'status')))
    .filter((name) => readProc(name, 'cmdline').includes('transcode-worker'))
    .map(Number);

/** Empty for a process that is gone by now. */
function readProc(pid: string, file: 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Opens the watch page, and looks for the rung in its menu of qualities. */
async function seesWhyMissing(name: string, { name: rung, reason }: Rung): Promise<void> {
  const page = await browser.newPage();
  try {
    await page.goto(`${server.httpUrl}/watch/live/${name}?transport=hls`);
    const menu = page.getByLabel('Quality');
    const option = menu.locator('option', { hasText: `${rung}: ${reason}` });
    await vi.waitFor(async () => {
      // It is offered again after a while, and refused again when somebody wants it.
      await fetch(`${server.httpUrl}/live/${name}/${rung}/media.m3u8`);
      await menu.dispatchEvent('pointerover', {}, { timeout: 1000 });
      await option.waitFor({ state: 'attached', timeout: 1000 });
    }, WAIT);
    expect(await option.isDisabled()).toBe(true);
  } finally {
    await page.close();
  }
}

describe('transcoding on demand', () => {
  it(
    'lets a browser watch by WebRTC, with sound, what OBS sends with B-frames and AAC',
    async () => {
      await publishAs('obs', { videoCodec: 'h264', audioCodec: 'aac', bFrames: 3 });
      await offers('obs', ['opus', 'webrtc', '180p', '90p']);
      expect((await streamOf('obs')).webrtc).toEqual({
        video: { playable: true, rendition: 'webrtc' },
        audio: { playable: true, rendition: 'opus' },
      });
      expect((await streamOf('obs')).rungs.map(({ state }) => state)).toEqual(['offered', 'offered', 'offered', 'offered']);
      const viewer = await watch('obs');
      console.log(`first picture of a transcoded stream: ${Math.round(await viewer.firstPictureMs())} ms after the offer`);
      await viewer.decodeMore(60);
      await viewer.hear(50);
      const [video] = await viewer.stats('inbound-rtp', 'video');
      const [audio] = await viewer.stats('inbound-rtp', 'audio');
      expect(video).toMatchObject({ codec: 'video/H264', packetsLost: 0 });
      expect(audio).toMatchObject({ codec: 'audio/opus', packetsLost: 0 });
      const { rungs } = await streamOf('obs');
      expect(rungs.filter(({ state }) => state === 'running').map(({ name }) => name)).toEqual(['opus', 'webrtc']);

      // The child dies under its viewer: another one takes over, and the connection stays.
      const killed = childrenOf(server.pid);
      expect(killed.length).toBeGreaterThan(0);
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await viewer.decodeMore(60, 30_000);
      expect(await viewer.connectionState()).toBe('connected');
    },
    PATIENCE_MS,
  );

  it(
    'gives a browser that has no HEVC the H.264 rung of a HEVC source, and one that has it the source',
    async () => {
      await publishAs('hevc', { videoCodec: 'hevc' });
      await offers('hevc', ['webrtc', '180p', '90p']);
      const viewer = await watch('hevc');
      await viewer.decodeMore(60, 40_000);
      const [video] = await viewer.stats('inbound-rtp', 'video');
      expect(video).toMatchObject({ codec: 'video/H264', frameWidth: 640, frameHeight: 360 });
      expect((await streamOf('hevc')).rungs.find(({ name }) => name === 'webrtc')?.state).toBe('running');
      // By the offer alone: the source is better than any rung.
      const offer = `${await viewer.page.evaluate(() => (window as unknown as { peer: RTCPeerConnection }).peer.localDescription?.sdp ?? '')}`;
      const payloadType = /^a=rtpmap:(\d+) H264\/90000/m.exec(offer)?.[1];
      const withHevc = offer
        .replace(new RegExp(`^a=rtpmap:${payloadType} H264/90000`, 'm'), `a=rtpmap:${payloadType} H265/90000`)
        .replace(new RegExp(`^a=fmtp:${payloadType} .*\\r\\n`, 'm'), '');
      const answer = await fetch(`${server.httpUrl}/live/hevc/whep`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: withHevc,
      });
      expect(answer.status).toBe(201);
      expect(await answer.text()).toMatch(new RegExp(`^a=rtpmap:${payloadType} H265/90000`, 'm'));
      await fetch(new URL(answer.headers.get('location') ?? '', server.httpUrl), { method: 'DELETE' });
    },
    PATIENCE_MS,
  );

  it(
    'lists rungs in the multivariant playlist as they will be, and makes one when it is asked for, in step with the source',
    async () => {
      await publishAs('ladder', { videoCodec: 'h264', audioCodec: 'aac' });
      await offers('ladder', ['opus', '180p', '90p']);
      const url = `${server.httpUrl}/live/ladder`;
      const multivariant = await vi.waitFor(async () => {
        const response = await fetch(`${url}/index.m3u8`);
        expect(response.status).toBe(200);
        return response.text();
      }, WAIT);
      expect(multivariant.match(/^\S+\.m3u8$/gm)).toEqual(['source/media.m3u8', '180p/media.m3u8', '90p/media.m3u8']);
      expect(multivariant).toMatch(/CODECS="avc1\.\w{6},mp4a\.40\.2",RESOLUTION=320x180/);
      const { streams } = await readMedia(`${url}/180p/media.m3u8`, 60);
      expect(streams.map(({ kind, codec, isMonotonic }) => [kind, codec, isMonotonic])).toEqual([
        ['video', 'h264', true],
        ['audio', 'aac', true],
      ]);
      const playlists = await Promise.all(['source', '180p'].map(async (name) => (await fetch(`${url}/${name}/media.m3u8`)).text()));
      const [source = new Map(), rung = new Map()] = playlists.map(segmentsOf);
      const shared = [...rung].filter(([sequence]) => source.has(sequence));
      expect(shared.length).toBeGreaterThan(0);
      for (const [sequence, dateTime] of shared) expect(source.get(sequence)).toBe(dateTime);
    },
    PATIENCE_MS,
  );

  it(
    'makes no more rungs at a time than it may, and says so',
    async () => {
      await publishAs('limit', { videoCodec: 'h264', audioCodec: 'aac', bFrames: 2 });
      await offers('limit', ['opus', 'webrtc', '180p', '90p']);
      const viewer = await watch('limit');
      await viewer.decodeMore(10);
      // Three tasks are allowed: sound, picture, and one of these two.
      const answers = ['180p', '90p'].map((name) => fetch(`${server.httpUrl}/live/limit/${name}/media.m3u8`));
      const refused = await vi.waitFor(async () => {
        const found = (await streamOf('limit')).rungs.find(({ state }) => state === 'refused');
        expect(found).toBeDefined();
        return found as Rung;
      }, WAIT);
      expect(refused.reason).toContain('limit of 3 transcoding tasks');
      const transcoding = (await (await fetch(`${server.httpUrl}/api/v1/transcoding`)).json()) as {
        readonly tasksMax: number;
        readonly encoders: readonly { readonly name: string; readonly available: boolean; readonly reason?: string }[];
        readonly decisions: readonly { readonly rung: string; readonly isAssigned: boolean; readonly tasksNeeded?: number }[];
      };
      expect(transcoding.tasksMax).toBe(3);
      expect(transcoding.encoders.find(({ name }) => name === 'libx264')?.available).toBe(true);
      expect(transcoding.encoders.find(({ name }) => name === 'h264_nvenc')?.reason).toBeTruthy();
      const unmade = (await Promise.all(answers)).filter(({ status }) => status !== 200);
      expect(unmade.map(({ status }) => status)).toEqual([503]);
      expect(await unmade[0]?.text()).toContain('hls.rendition-withheld: the server');
      await seesWhyMissing('limit', refused);
    },
    PATIENCE_MS,
  );
});

/** When the complete segments of a playlist begin, by their Media Sequence Number. */
function segmentsOf(playlist: string): Map<string, string> {
  const segments = new Map<string, string>();
  let dateTime = '';
  for (const line of playlist.split('\n')) {
    if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) dateTime = line;
    const sequence = /^(\d+)\.m4s$/.exec(line)?.[1];
    if (sequence !== undefined) segments.set(sequence, dateTime);
  }
  return segments;
}
