import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const TEST_MS = 120_000;

let cluster: TestCluster | undefined;
let publisher: FfmpegPublisher | undefined;
afterEach(async () => {
  await publisher?.kill();
  await cluster?.close();
});

interface Recording {
  readonly id: string;
  readonly node: string;
  readonly sizeBytes: number;
  readonly reason?: { readonly code: string };
}

const fileOf = ({ server }: TestNode, { id }: Recording): string => `${server.httpUrl}/api/v1/recordings/${id}/file`;

/** Another API key, which all nodes know in a moment. */
async function makeKey({ server }: TestNode, scopes: readonly string[] = ['app:live']): Promise<{ readonly key: string }> {
  const made = await fetch(`${server.httpUrl}/api/v1/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scopes }),
  });
  expect(made.status).toBe(201);
  return (await made.json()) as { key: string };
}

describe('recordings of a cluster', () => {
  it(
    'are fetched from any node, by whoever that node knows',
    async () => {
      const all = await TestCluster.found({
        roles: ['manager', 'origin'],
        region: 'eu',
        advertise: '127.0.0.1',
        environment: { SLUICE_APPS_LIVE_RECORDING_MODE: 'always' },
      });
      cluster = all;
      const { manager: origin } = all;
      const edge = await all.join({ roles: ['edge'], region: 'us' });
      publisher = await publish({ url: `${origin.server.rtmpUrl}/live/show`, videoCodec: 'h264', size: [160, 90] });
      const { key } = await makeKey(origin);
      const bearer = { authorization: `Bearer ${key}` };
      const recordings = async (): Promise<Recording[]> => {
        const answer = await fetch(`${edge.server.httpUrl}/api/v1/recordings`, { headers: bearer });
        expect(answer.status).toBe(200);
        return ((await answer.json()) as { items: Recording[] }).items;
      };
      await vi.waitFor(async () => expect(await recordings()).toHaveLength(1), WAIT);
      await publisher.close();
      const ended = await vi.waitFor(async () => {
        const [recording] = await recordings();
        expect(recording).toMatchObject({ node: origin.id, reason: { code: 'stream-ended' } });
        return recording as Recording;
      }, WAIT);

      // Clients leave the key out at another node.
      const sent = await fetch(fileOf(edge, ended), { headers: bearer, redirect: 'manual' });
      expect([sent.status, sent.headers.get('location')?.split('?')[0]]).toEqual([307, fileOf(origin, ended)]);
      expect((await fetch(fileOf(origin, ended))).status).toBe(401);
      const followed = await fetch(fileOf(edge, ended), { headers: { ...bearer, range: 'bytes=4-7' } });
      expect([followed.status, followed.url.split('?')[0], await followed.text()]).toEqual([206, fileOf(origin, ended), 'ftyp']);

      // The console has a cookie, which is not sent to the other node either.
      const { key: readKey } = await makeKey(origin, ['read']);
      const asRead = { headers: { authorization: `Bearer ${readKey}` } };
      await vi.waitFor(async () => expect((await fetch(`${edge.server.httpUrl}/api/v1/recordings`, asRead)).status).toBe(200), WAIT);
      const session = await fetch(`${edge.server.httpUrl}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key: readKey }),
      });
      const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
      const fetched = await fetch(fileOf(edge, ended), { headers: { cookie } });
      expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, 'video/mp4']);
      expect((await fetched.arrayBuffer()).byteLength).toBe(ended.sizeBytes);

      // Who may not see it is told nothing of where it is, and what was given opens nothing else.
      expect((await fetch(fileOf(edge, ended), { redirect: 'manual' })).status).toBe(401);
      const other = new URL(sent.headers.get('location') ?? '');
      other.pathname = other.pathname.replace('/file', '');
      expect((await fetch(other)).status).toBe(401);
    },
    TEST_MS,
  );
});
