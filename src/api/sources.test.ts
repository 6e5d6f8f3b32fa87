import { expect, it } from 'vitest';
import { type SourceReportSource, sourceOperations } from './sources.ts';
import { testApi } from './test-api.fixture.ts';

const REPORT: SourceReportSource = {
  stream: 'live/door',
  url: 'rtsp://camera.example/h264',
  mode: 'on-demand',
  state: 'waiting',
  sinceMs: Date.UTC(2030, 0, 2),
  attempts: 3,
  lastError: { code: 'sources.unreachable', message: 'no such name' },
  format: undefined,
  framesIn: 7,
  malformedFrames: 1,
};

it('lists the pull sources in pages, ordered by stream', async () => {
  const reports = [REPORT, { ...REPORT, stream: 'live/attic', lastError: undefined, format: 'rtsp', state: 'running' as const }];
  const fastify = await testApi({ operations: sourceOperations({ report: () => reports }), isLocal: () => true });
  const ask = async (query: string): Promise<{ items: unknown[]; nextCursor: string }> =>
    (await fastify.inject(`/api/v1/sources?${query}`)).json();
  const first = await ask('limit=1');
  expect(first.items).toEqual([
    {
      stream: 'live/attic',
      app: 'live',
      name: 'attic',
      url: 'rtsp://camera.example/h264',
      mode: 'on-demand',
      state: 'running',
      since: '2030-01-02T00:00:00.000Z',
      attempts: 3,
      format: 'rtsp',
      framesIn: 7,
      malformedFrames: 1,
    },
  ]);
  expect(await ask(`limit=1&cursor=${first.nextCursor}`)).toMatchObject({ items: [{ stream: 'live/door', lastError: REPORT.lastError }] });
});
