import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { ClusterView } from './cluster-view.ts';
import { replyOfThumbnail, thumbnailReply } from './node-thumbnails.ts';
import { testApi, testKeys } from './test-api.fixture.ts';
import type { ThumbnailAnswer } from './thumbnail-answer.ts';
import { thumbnailOperations } from './thumbnails.ts';

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
const picture: ThumbnailAnswer = { jpeg, etag: '"a-1"' };

interface World {
  readonly here?: Readonly<Record<string, ThumbnailAnswer>>;
  /** What another node says of its streams. */
  readonly there?: Readonly<Record<string, unknown>>;
  readonly publicReads?: boolean;
  readonly nowMs?: () => number;
}

async function serve({
  here = {},
  there = {},
  publicReads = true,
  nowMs = () => 0,
}: World): Promise<{ fastify: FastifyInstance; asked: string[] }> {
  const asked: string[] = [];
  const view: Pick<ClusterView, 'stream' | 'ask' | 'ownId'> = {
    ownId: 'n1',
    stream: (name) =>
      name in there || name in here
        ? ({ name, holder: { node: name in there ? 'n2' : 'n1' } } as unknown as ReturnType<ClusterView['stream']>)
        : undefined,
    ask: async (node, question, path = '') => {
      asked.push(`${node} ${question} ${path}`);
      return there[path];
    },
  };
  const fastify = await testApi({
    operations: thumbnailOperations({
      source: { thumbnail: async (path) => here[path] },
      view,
      isOpen: (app) => app !== 'closed',
      now: nowMs,
    }),
    keys: testKeys({ sk_read: 'read', sk_closed: ['closed'], sk_other: ['other'] }),
    publicReads,
    isLocal: () => false,
    version: '1',
  });
  return { fastify, asked };
}

const address = (path: string): string => `/api/v1/streams/${path}/thumbnail.jpg`;
const withKey = (key: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${key}` } });

describe('the thumbnail of a stream', () => {
  it('is a JPEG that may be kept for a moment, and is not sent to who has it', async () => {
    const { fastify } = await serve({ here: { 'live/show': picture } });
    const answer = await fastify.inject({ url: address('live/show') });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': '4',
      'cache-control': 'private, max-age=5',
      etag: '"a-1"',
    });
    expect(new Uint8Array(answer.rawPayload)).toEqual(jpeg);
    for (const known of ['"a-1"', 'W/"a-1"', '"x", "a-1"', '*']) {
      const same = await fastify.inject({ url: address('live/show'), headers: { 'if-none-match': known } });
      expect([same.statusCode, same.rawPayload.length, same.headers['etag']]).toEqual([304, 0, '"a-1"']);
    }
    const other = await fastify.inject({ url: address('live/show'), headers: { 'if-none-match': '"a-0"' } });
    expect(other.statusCode).toBe(200);
    const head = await fastify.inject({ method: 'HEAD', url: address('live/show') });
    expect([head.statusCode, head.headers['content-type'], head.rawPayload.length]).toEqual([200, 'image/jpeg', 0]);
  });

  it('says why there is none', async () => {
    const { fastify } = await serve({
      here: {
        'live/sound': { code: 'thumbnails.no-video', detail: 'sound alone' },
        'live/busy': { code: 'thumbnails.busy', detail: 'later', retryAfterS: 2 },
        'live/never': { code: 'thumbnails.unavailable', detail: 'no node-av' },
      },
    });
    const told = async (path: string): Promise<unknown[]> => {
      const { statusCode, headers, body } = await fastify.inject({ url: address(path) });
      return [statusCode, (JSON.parse(body) as { code: string }).code, headers['retry-after']];
    };
    expect(await told('live/none')).toEqual([404, 'api.stream-not-found', undefined]);
    expect(await told('live/sound')).toEqual([409, 'thumbnails.no-video', undefined]);
    expect(await told('live/busy')).toEqual([503, 'thumbnails.busy', '2']);
    expect(await told('live/never')).toEqual([501, 'thumbnails.unavailable', undefined]);
  });

  it('is for those who may play, or have a key', async () => {
    const { fastify } = await serve({ here: { 'closed/show': picture, 'live/show': picture } });
    const status = async (path: string, key?: string): Promise<number> =>
      (await fastify.inject({ url: address(path), ...(key === undefined ? {} : withKey(key)) })).statusCode;
    expect(await status('closed/show')).toBe(401);
    expect(await status('closed/none')).toBe(401);
    expect(await status('closed/show', 'sk_other')).toBe(404);
    expect(await status('closed/show', 'sk_wrong')).toBe(401);
    expect(await status('closed/show', 'sk_read')).toBe(200);
    expect(await status('closed/show', 'sk_closed')).toBe(200);
    expect(await status('live/show')).toBe(200);
    expect(await status('live/show', 'sk_other')).toBe(404);
    const { fastify: guarded } = await serve({ here: { 'live/show': picture }, publicReads: false });
    expect((await guarded.inject({ url: address('live/show') })).statusCode).toBe(401);
    expect((await guarded.inject({ url: address('live/show'), ...withKey('sk_read') })).statusCode).toBe(200);
  });

  it('is asked of the origin where the stream is not here, once in five seconds', async () => {
    let now = 0;
    const { fastify, asked } = await serve({
      here: { 'live/fresh': { code: 'thumbnails.no-keyframe', detail: 'not yet' } },
      there: {
        'live/far': replyOfThumbnail(picture),
        'live/fresh': replyOfThumbnail(picture),
        'live/sound': replyOfThumbnail({ code: 'thumbnails.no-video', detail: 'sound alone' }),
        'live/gone': replyOfThumbnail(undefined),
        'live/silent': undefined,
        'live/odd': { kind: 'jpeg', base64: 3 },
      },
      nowMs: () => now,
    });
    const told = async (path: string): Promise<unknown> => {
      const { statusCode, rawPayload, body } = await fastify.inject({ url: address(path) });
      return statusCode === 200 ? [...rawPayload] : (JSON.parse(body) as { code: string }).code;
    };
    expect(await told('live/far')).toEqual([...jpeg]);
    expect(await told('live/far')).toEqual([...jpeg]);
    expect(asked).toEqual(['n2 thumbnail live/far']);
    now = 5_000;
    expect(await told('live/far')).toEqual([...jpeg]);
    expect(asked).toHaveLength(2);
    // It is on its way here, and has no keyframe yet.
    expect(await told('live/fresh')).toEqual([...jpeg]);
    expect(await told('live/sound')).toBe('thumbnails.no-video');
    expect(await told('live/gone')).toBe('api.stream-not-found');
    expect(await told('live/silent')).toBe('cluster.node-silent');
    expect(await told('live/odd')).toBe('cluster.node-silent');
  });

  it('goes from node to node as it is, if it is not too large', () => {
    expect(thumbnailReply(JSON.parse(JSON.stringify(replyOfThumbnail(picture))))).toMatchObject({ etag: '"a-1"', jpeg: Buffer.from(jpeg) });
    const failure = { code: 'thumbnails.failed', detail: 'broken', retryAfterS: 54 } as const;
    expect(thumbnailReply(JSON.parse(JSON.stringify(replyOfThumbnail(failure))))).toEqual(failure);
    expect(replyOfThumbnail({ jpeg: new Uint8Array(200_000), etag: '"b"' })).toMatchObject({ code: 'thumbnails.failed' });
    expect(JSON.stringify(replyOfThumbnail({ jpeg: new Uint8Array(128 * 1024), etag: '"b"' })).length).toBeLessThan(200 * 1024);
    for (const wrong of [
      undefined,
      null,
      3,
      {},
      { kind: 'jpeg' },
      { kind: 'jpeg', base64: '', etag: 'x\r\ny: z' },
      { kind: 'failure', code: 'x', detail: '' },
    ])
      expect(thumbnailReply(wrong)).toBeUndefined();
  });
});
