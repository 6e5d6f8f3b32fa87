import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, type PublishOptions, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { readMedia } from './fixtures/media-reader.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const TEST_MS = 120_000;
const RECORDED = { SLUICE_APPS_LIVE_RECORDING_MODE: 'always' };

let folder: string;
let server: ServerProcess;
let publishers: FfmpegPublisher[];
/** Of the folder's first server. */
let adminKey: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  publishers = [];
  adminKey = '';
});
afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.kill()));
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  server = await ServerProcess.start({ dataFolder: folder, environment });
  adminKey ||= server.adminKey;
}

async function publishTo(path: string, options: Partial<PublishOptions> = {}): Promise<FfmpegPublisher> {
  const publisher = await publish({
    url: `${server.rtmpUrl}/${path}`,
    videoCodec: 'h264',
    audioCodec: 'aac',
    size: [320, 180],
    ...options,
  });
  publishers.push(publisher);
  return publisher;
}

interface Recording {
  readonly id: string;
  readonly state: string;
  readonly durationSeconds: number;
  readonly sizeBytes: number;
  readonly reason?: { readonly code: string };
}

const ask = (method: string, path: string, key = adminKey, body?: object): Promise<Response> =>
  fetch(`${server.httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const recordings = async (query = '', key = adminKey): Promise<Recording[]> =>
  ((await (await ask('GET', `/recordings${query}`, key)).json()) as { items: Recording[] }).items;
const ended = (code: string): Promise<Recording> =>
  vi.waitFor(async () => {
    const [newest] = await recordings();
    expect(newest?.reason?.code).toBe(code);
    return newest as Recording;
  }, WAIT);

const limitMinutes = async (recordingMinutes: number): Promise<void> =>
  expect((await ask('PATCH', '/apps/live', adminKey, { limits: { recordingMinutes } })).status).toBe(200);

/** Reads the file of a recording as FFmpeg sees it: pictures and sound are both as long as it says. */
async function look({ id, durationSeconds }: Recording): Promise<void> {
  const file = await ask('GET', `/recordings/${id}/file`);
  expect([file.status, file.headers.get('content-type')]).toEqual([200, 'video/mp4']);
  const path = join(folder, 'downloaded.mp4');
  writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
  const { streams } = await readMedia(path, 'all');
  const video = streams.find(({ kind }) => kind === 'video');
  const audio = streams.find(({ kind }) => kind === 'audio');
  expect(video).toMatchObject({ codec: 'h264', isMonotonic: true, isInOrder: true });
  expect(audio).toMatchObject({ codec: 'aac', isMonotonic: true });
  // A publisher on a busy machine leaves pictures out, and one of both may end before the other.
  for (const { seconds } of streams) expect(Math.abs(seconds - durationSeconds)).toBeLessThan(1.5);
  expect(audio?.packets).toBeGreaterThan((durationSeconds - 1.5) * (48_000 / 1_024));
  // The decoder keeps some pictures back.
  expect(video?.clocks).toBeGreaterThan((video?.packets ?? 0) - 25);
  expect(video?.clocks).toBeGreaterThan(0);
}

describe('recordings of a server', () => {
  it(
    'are none unless the app is to be recorded; then they play, end at its limit, and are nobody’s but its own',
    async () => {
      await start();
      const events = await fetch(`${server.httpUrl}/api/v1/events`, { headers: { authorization: `Bearer ${adminKey}` } });
      const publisher = await publishTo('live/show');
      await vi.waitFor(async () => expect((await ask('GET', '/streams/live/show')).status).toBe(200), WAIT);
      expect([await recordings(), readdirSync(folder).includes('recordings')]).toEqual([[], false]);
      expect((await ask('PATCH', '/apps/live', adminKey, { recording: { mode: 'always' } })).status).toBe(200);
      await vi.waitFor(async () => expect(await recordings()).toHaveLength(1), WAIT);

      // At the limit it ends, and the stream goes on; with more minutes, another one begins.
      await limitMinutes(0);
      const limited = await ended('limit-recording-minutes');
      const told = await textUntil(events, '"state":"limit-recording-minutes"');
      expect(told.match(/^event: recording\.\w+$/gm)).toEqual(
        expect.arrayContaining(['recording.changed', 'recording.started', 'recording.ended'].map((type) => `event: ${type}`)),
      );
      expect(told).toMatch(
        new RegExp(`^data: \\{"path":"live/show","node":"n1","recording":"${limited.id}",.*"reason":"limit-recording-minutes"\\}$`, 'm'),
      );
      const { month } = (await (await ask('GET', '/apps/live/usage')).json()) as { month: { recordingMinutes: object } };
      expect(month.recordingMinutes).toEqual({ used: 0, limit: 0 });
      expect((await ask('GET', '/streams/live/show')).status).toBe(200);
      await limitMinutes(100);
      await vi.waitFor(async () => expect(await recordings()).toHaveLength(2), WAIT);
      await publisher.close();
      const recording = await ended('stream-ended');
      expect((await recordings()).map(({ id }) => id)).toEqual([recording.id, limited.id]);
      await look(recording);
      const headers = { authorization: `Bearer ${adminKey}`, range: 'bytes=4-7' };
      const part = await fetch(`${server.httpUrl}/api/v1/recordings/${recording.id}/file`, { headers });
      expect([part.status, await part.text()]).toEqual([206, 'ftyp']);

      // Another tenant sees nothing of it.
      expect((await ask('POST', '/apps', adminKey, { name: 'other' })).status).toBe(201);
      const { key } = (await (await ask('POST', '/api-keys', adminKey, { scopes: ['app:other'] })).json()) as { key: string };
      expect(await recordings('?app=live', key)).toEqual([]);
      for (const path of ['', '/file']) expect((await ask('GET', `/recordings/${recording.id}${path}`, key)).status).toBe(404);
      expect((await ask('DELETE', `/recordings/${recording.id}`, key)).status).toBe(404);

      const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
      const seconds = Number(/^sluice_app_month_recording_seconds\{app="live"\} (\S+)$/m.exec(metrics)?.[1]);
      // What was recorded is what counts, with the second in which each began and ended.
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(recording.durationSeconds + limited.durationSeconds + 6);
      expect(metrics).toMatch(/^sluice_recordings_ended_total 2$/m);

      for (const { id } of [recording, limited]) expect((await ask('DELETE', `/recordings/${id}`)).status).toBe(204);
      expect(await recordings()).toEqual([]);
      await vi.waitFor(() => expect(readdirSync(join(folder, 'recordings/live'))).toEqual([]), WAIT);
    },
    TEST_MS,
  );

  it(
    'that a killed process leaves play, and have ended when it is started again; a folder that cannot be written is no harm to the stream',
    async () => {
      await start(RECORDED);
      await publishTo('live/show');
      await vi.waitFor(async () => expect((await recordings())[0]?.durationSeconds).toBeGreaterThan(2.5), WAIT);
      await server.kill();
      await start(RECORDED);
      const interrupted = await ended('interrupted');
      expect(interrupted.durationSeconds).toBeGreaterThan(2.5);
      await look(interrupted);

      // Also when nothing is left but the file.
      await server.kill();
      for (const file of readdirSync(folder)) if (file.startsWith('store.sqlite')) rmSync(join(folder, file));
      await start(RECORDED);
      const found = await ended('found');
      expect(found).toMatchObject({ id: interrupted.id, durationSeconds: interrupted.durationSeconds, sizeBytes: interrupted.sizeBytes });
      await look(found);

      // A file where the folder has to be: nothing of a disk is as sure to fail for everybody.
      rmSync(join(folder, 'recordings'), { recursive: true });
      writeFileSync(join(folder, 'recordings'), '');
      await publishTo('live/show');
      const failed = await ended('write-failed');
      expect([failed.state, failed.sizeBytes]).toEqual(['ended', 0]);
      expect((await ask('GET', `/recordings/${failed.id}/file`)).status).toBe(404);
      const viewer = await FlvViewer.open(`${server.httpUrl}/live/show.flv`);
      await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(100_000), WAIT);
      viewer.close();
    },
    TEST_MS,
  );
});

/** What came until a text was in it. */
async function textUntil(response: Response, wanted: string): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
