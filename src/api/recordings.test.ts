import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { wallMs } from '../core/mod.ts';
import { type RecordingRecord, recordingId } from '../recording/mod.ts';
import { RecordingLinks } from './recording-links.ts';
import { type RecordingRegistry, recordingOperations } from './recordings.ts';
import { SessionCookies, type SessionKey } from './session-cookies.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

const BYTES = Buffer.from('0123456789');
const SECRET = Buffer.alloc(32, 7);
const record = (second: number, app: string, more: Partial<RecordingRecord> = {}): RecordingRecord => ({
  v: 1,
  id: recordingId(second * 1_000, '8a0d3c5e7f91'),
  app,
  stream: 'show',
  node: 'n1',
  startedAtMs: second * 1_000,
  durationMs: 4_200,
  sizeBytes: BYTES.length,
  droppedFrames: 0,
  tracks: [{ kind: 'audio', codec: 'aac', width: undefined, height: undefined }],
  end: 'stream-ended',
  endedAtMs: second * 1_000 + 4_200,
  isDeleted: false,
  ...more,
});

let records: RecordingRecord[];
let fastify: FastifyInstance;
let closed: number;
let now: number;
/** As another node of the cluster makes them. */
let links: RecordingLinks;

beforeEach(async () => {
  closed = 0;
  now = 1_000_000;
  links = new RecordingLinks({ secrets: () => [SECRET], wall: () => now });
  records = [
    record(1, 'one'),
    record(2, 'two'),
    record(3, 'one', { stream: 'other', end: undefined, endedAtMs: undefined }),
    record(4, 'one', { node: 'n2' }),
    record(5, 'one', { node: 'gone' }),
    record(6, 'one', { sizeBytes: 0, end: 'disk-full' }),
  ];
  const registry: RecordingRegistry = {
    ownId: 'n1',
    all: () => records,
    find: (id) => records.find((known) => known.id === id),
    remove: async (id) => {
      records = records.filter((known) => known.id !== id);
    },
    open: async ({ sizeBytes }) => ({
      sizeBytes,
      read: (first, last) => Readable.from([BYTES.subarray(first, last + 1)]),
      close: () => {
        closed++;
      },
    }),
    links,
    urlOf: (node) => (node === 'n2' ? 'http://192.0.2.2:8080' : undefined),
  };
  fastify = await testApi({
    operations: recordingOperations(registry),
    keys: testKeys({ sk_admin: 'admin', sk_read: 'read', sk_one: ['one'], sk_two: ['two'] }),
    publicReads: true,
    isLocal: () => true,
    version: '1',
  });
});

type Method = 'GET' | 'HEAD' | 'DELETE';
const call = (path: string, key?: string, headers: Record<string, string> = {}, method: Method = 'GET') =>
  fastify.inject({
    method,
    url: `/api/v1/recordings${path}`,
    headers: { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
  });
const idOf = (second: number): string => recordingId(second * 1_000, '8a0d3c5e7f91');
const codeOf = (answer: { json(): { code?: string } }): string | undefined => answer.json().code;

describe('the list of recordings', () => {
  const seconds = async (path: string, key: string): Promise<number[]> =>
    (await call(path, key)).json().items.map(({ startedAt }: { startedAt: string }) => Date.parse(startedAt) / 1_000);

  it('has the newest first, in pages, and can be narrowed', async () => {
    expect(await seconds('', 'sk_read')).toEqual([6, 5, 4, 3, 2, 1]);
    const first = (await call('?limit=4', 'sk_read')).json();
    expect(await seconds(`?limit=4&cursor=${first.nextCursor}`, 'sk_read')).toEqual([2, 1]);
    expect(await seconds('?app=two', 'sk_read')).toEqual([2]);
    expect(await seconds('?app=one&stream=other', 'sk_read')).toEqual([3]);
    expect(await seconds('?app=none', 'sk_read')).toEqual([]);
    expect((await call('?limit=1&cursor=x', 'sk_read')).json().code).toBe('api.bad-cursor');
  });

  it('shows what is known of each', async () => {
    const { items } = (await call('?stream=show&app=two', 'sk_read')).json();
    expect(items).toEqual([
      {
        id: idOf(2),
        app: 'two',
        stream: 'show',
        node: 'n1',
        state: 'ended',
        startedAt: '1970-01-01T00:00:02.000Z',
        endedAt: '1970-01-01T00:00:06.200Z',
        durationSeconds: 4.2,
        sizeBytes: 10,
        droppedFrames: 0,
        tracks: [{ kind: 'audio', codec: 'aac' }],
        reason: { code: 'stream-ended', message: 'the stream is over' },
      },
    ]);
    const open = (await call(`/${idOf(3)}`, 'sk_read')).json();
    expect([open.state, open.endedAt, open.reason]).toEqual(['recording', undefined, undefined]);
  });

  it('has of other tenants nothing, whatever they ask for', async () => {
    expect(await seconds('', 'sk_two')).toEqual([2]);
    expect(await seconds('?app=one', 'sk_two')).toEqual([]);
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await call(`/${idOf(1)}`, 'sk_two', {}, method);
      expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'recordings.not-found']);
      expect(answer.json().detail.replaceAll(idOf(1), 'ID')).toBe(
        (await call('/none', 'sk_two', {}, method)).json().detail.replaceAll('none', 'ID'),
      );
    }
    expect(codeOf(await call(`/${idOf(1)}/file`, 'sk_two'))).toBe('recordings.not-found');
    expect(records).toHaveLength(6);
  });

  it('is for those who have a key, and who only reads deletes nothing', async () => {
    for (const path of ['', `/${idOf(1)}`, `/${idOf(1)}/file`]) expect(codeOf(await call(path))).toBe('api.key-missing');
    expect(codeOf(await call(`/${idOf(1)}`, 'sk_read', {}, 'DELETE'))).toBe('api.scope-missing');
    expect((await call(`/${idOf(1)}`, 'sk_one', {}, 'DELETE')).statusCode).toBe(204);
    expect((await call(`/${idOf(1)}`, 'sk_one', {}, 'DELETE')).statusCode).toBe(404);
    expect(records).toHaveLength(5);
  });
});

describe('the file of a recording', () => {
  it('is sent as a whole, in parts, and not to who asks for its head', async () => {
    const whole = await call(`/${idOf(1)}/file`, 'sk_one');
    expect([whole.statusCode, whole.body]).toEqual([200, '0123456789']);
    expect(whole.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="one-show-${idOf(1)}.mp4"`,
      'cache-control': 'no-store',
    });
    const part = await call(`/${idOf(1)}/file`, 'sk_read', { range: 'bytes=3-5' });
    expect([part.statusCode, part.body, part.headers['content-range']]).toEqual([206, '345', 'bytes 3-5/10']);
    const end = await call(`/${idOf(1)}/file`, 'sk_read', { range: 'bytes=-2' });
    expect([end.statusCode, end.body]).toEqual([206, '89']);
    const head = await call(`/${idOf(1)}/file`, 'sk_read', {}, 'HEAD');
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
    expect(closed).toBe(1);
  });

  it('has no bytes behind its end', async () => {
    const answer = await call(`/${idOf(1)}/file`, 'sk_read', { range: 'bytes=10-' });
    expect([answer.statusCode, codeOf(answer), answer.headers['content-range']]).toEqual([416, 'recordings.range', 'bytes */10']);
    expect(closed).toBe(1);
  });

  it('of another node is there, and not here', async () => {
    const there = await call(`/${idOf(4)}/file`, 'sk_one');
    const token = links.tokenFor(idOf(4));
    expect([there.statusCode, there.headers.location]).toEqual([
      307,
      `http://192.0.2.2:8080/api/v1/recordings/${idOf(4)}/file?token=${token}`,
    ]);
    const away = await call(`/${idOf(5)}/file`, 'sk_one');
    expect([away.statusCode, codeOf(away), away.headers['retry-after']]).toEqual([503, 'cluster.node-silent', '30']);
  });

  it('is sent to who comes from another node with its token, for this recording and a while', async () => {
    const token = links.tokenFor(idOf(1));
    const fetched = await call(`/${idOf(1)}/file?token=${token}`);
    expect([fetched.statusCode, fetched.body]).toEqual([200, '0123456789']);
    // Also with a key that is known to that node alone, and in parts.
    const part = await call(`/${idOf(1)}/file?token=${token}`, 'sk_of_the_other_node', { range: 'bytes=0-1' });
    expect([part.statusCode, part.body]).toEqual([206, '01']);
    const foreign = new RecordingLinks({ secrets: () => [Buffer.alloc(32, 8)], wall: () => now });
    for (const [id, wrong] of [
      [idOf(2), token],
      [idOf(1), foreign.tokenFor(idOf(1))],
      [idOf(1), `${token}A`],
      [idOf(1), token.slice(1)],
      [idOf(1), ''],
      [idOf(1), '.'],
    ] as const)
      expect(codeOf(await call(`/${id}/file?token=${wrong}`))).toBe('api.key-missing');
    expect((await call(`/${idOf(1)}?token=${token}`)).statusCode).toBe(401);
    expect((await call(`/${idOf(1)}?token=${token}`, undefined, {}, 'DELETE')).statusCode).toBe(401);
    now += 300_000;
    expect(codeOf(await call(`/${idOf(1)}/file?token=${token}`))).toBe('api.key-missing');
    expect((await call(`/${idOf(1)}/file?token=${token}`, 'sk_one')).statusCode).toBe(200);
  });

  it('is no session, nor is a session one', async () => {
    const keys = testKeys({ sk_admin: 'admin' });
    const sessions = new SessionCookies({ secrets: () => [SECRET], wall: () => wallMs(now), keyOf: (id) => keys.byId(id) });
    expect(sessions.sessionOf(`sluice-session=${links.tokenFor(idOf(1))}`)).toBeUndefined();
    const admin = keys.find('sk_admin') as SessionKey;
    const [, session = ''] = /^sluice-session=([^;]+)/.exec(sessions.begin(admin, false).cookie) ?? [];
    expect(sessions.sessionOf(`sluice-session=${session}`)).toMatchObject({ key: admin });
    expect(links.opens(idOf(1), session)).toBe(false);
  });

  it('is none where nothing was written', async () => {
    const answer = await call(`/${idOf(6)}/file`, 'sk_one');
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'recordings.file-gone']);
  });
});
