import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { publish } from './fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ environment: { SLUICE_HUB_HOLD_MS: '20000' } });
});
afterAll(async () => {
  expect(await server?.close()).toBe(0);
});

const stateOf = async (name: string): Promise<string | undefined> => {
  const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`);
  return response.ok ? ((await response.json()) as { state: string }).state : undefined;
};
const playlistOf = async (name: string): Promise<string> =>
  vi.waitFor(async () => {
    const response = await fetch(`${server.httpUrl}/live/${name}/source/media.m3u8`);
    expect(response.status).toBe(200);
    return response.text();
  }, WAIT);
const tag = (playlist: string, name: string): number => Number(new RegExp(`#${name}:(\\d+)`).exec(playlist)?.[1] ?? 0);
const segments = (playlist: string): number => playlist.split('\n').filter((line) => /^\d+\.m4s$/.test(line)).length;

describe('a publisher that vanishes', () => {
  it('leaves its viewers connected, and coming back continues the stream behind a discontinuity', async () => {
    const url = `${server.rtmpUrl}/live/drop`;
    const first = await publish({ url, videoCodec: 'h264', audioCodec: 'aac' });
    const before = await playlistOf('drop');
    const viewer = await new Promise<IncomingMessage>((resolve) => get(`${server.httpUrl}/live/drop.flv`, resolve));
    let bytes = 0;
    let hasEnded = false;
    viewer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    viewer.once('close', () => {
      hasEnded = true;
    });
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(10_000), WAIT);

    await first.kill();
    await vi.waitFor(async () => expect(await stateOf('drop')).toBe('held'), WAIT);
    const seen = bytes;
    const second = await publish({ url, videoCodec: 'h264', audioCodec: 'aac' });
    await vi.waitFor(async () => expect(await stateOf('drop')).toBe('live'), WAIT);
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(seen + 10_000), WAIT);
    expect(hasEnded).toBe(false);

    const after = await vi.waitFor(async () => {
      const playlist = await playlistOf('drop');
      expect(playlist).toContain('#EXT-X-DISCONTINUITY\n');
      return playlist;
    }, WAIT);
    // The numbers go on: what was there before is there still, or has left the window at its front.
    expect(tag(after, 'EXT-X-MEDIA-SEQUENCE')).toBeGreaterThanOrEqual(tag(before, 'EXT-X-MEDIA-SEQUENCE'));
    expect(tag(after, 'EXT-X-MEDIA-SEQUENCE') + segments(after)).toBeGreaterThan(tag(before, 'EXT-X-MEDIA-SEQUENCE') + segments(before));

    await second.close();
    await vi.waitFor(async () => expect(await stateOf('drop')).toBeUndefined(), WAIT);
    await vi.waitFor(() => expect(hasEnded).toBe(true), WAIT);
    expect(await playlistOf('drop')).toContain('#EXT-X-ENDLIST');
  });

  it('keeps a second publisher out while it is there', async () => {
    const url = `${server.rtmpUrl}/live/taken`;
    const first = await publish({ url, videoCodec: 'h264' });
    await expect(publish({ url, videoCodec: 'h264' })).rejects.toThrow(/refused|no connection|did not take/);
    expect(await stateOf('taken')).toBe('live');
    expect(server.log.some((line) => String(line['code']).startsWith('rtmp.') && line['stream'] === 'live/taken')).toBe(true);
    await first.close();
  });
});
