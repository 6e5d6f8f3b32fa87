import { afterEach, expect, it, vi } from 'vitest';
import { loadThumbnail, pauseAfter } from './load-thumbnail.ts';

afterEach(() => vi.unstubAllGlobals());

function answering(...answers: (Response | Error)[]): { readonly asked: string[] } {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const answer = answers.shift() as Response | Error;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { asked };
}

const jpeg = (etag: string): Response => new Response(new Uint8Array([0xff, 0xd8]), { headers: { etag } });
const { signal } = new AbortController();

it('loads a picture, once for each keyframe', async () => {
  const { asked } = answering(jpeg('"1"'), jpeg('"1"'), jpeg('"2"'));
  const first = await loadThumbnail('live', 'a show', undefined, signal);
  expect(first).toMatchObject({ etag: '"1"', url: expect.stringMatching(/^blob:/) });
  expect(await loadThumbnail('live', 'a show', '"1"', signal)).toBe(304);
  expect(await loadThumbnail('live', 'a show', '"1"', signal)).toMatchObject({ etag: '"2"' });
  expect(asked[0]).toBe('/api/v1/streams/live/a%20show/thumbnail.jpg');
});

it('tells why there is none, and comes again soon where that may change', async () => {
  answering(new Response('', { status: 503 }), new Response('', { status: 409 }), new Error('gone'), jpeg('"1"'));
  expect(await loadThumbnail('live', 'a', undefined, signal)).toBe(503);
  expect(await loadThumbnail('live', 'a', undefined, signal)).toBe(409);
  expect(await loadThumbnail('live', 'a', undefined, signal)).toBe(0);
  // Nobody is there to show it.
  expect(await loadThumbnail('live', 'a', undefined, AbortSignal.abort())).toBe(0);
  expect([304, 503, 404, 0, 409, 501, 401].map(pauseAfter)).toEqual([10_000, 4_000, 4_000, 4_000, 60_000, 60_000, 60_000]);
  expect(pauseAfter({ url: 'blob:x', etag: '"1"' })).toBe(10_000);
});
