import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem, addressOf, allItems, createClient, EventParser, fetchTransport, headersOf, type Page } from './mod.ts';

/** A client whose requests go to `answer`. */
function client(answer: (request: { url: string; init: RequestInit }) => Response) {
  const fetch = vi.fn(async (url: string | URL | Request, init: RequestInit = {}) => answer({ url: String(url), init }));
  return {
    fetch,
    api: createClient(fetchTransport({ url: 'https://media.example.org', key: 'sk_one', fetch: fetch as typeof globalThis.fetch })),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the generated client', () => {
  it('makes the calls of the document', async () => {
    const seen: unknown[] = [];
    const { api } = client(({ url, init }) => {
      seen.push([init.method, url, init.body ?? null]);
      return Response.json({ id: 'k1' }, { status: 201 });
    });
    await api.apps.create({ name: 'news' });
    await api.apps.keys.rotate('a/b', 'k 1', { graceS: 60 }, { idempotencyKey: 'a"b' });
    await api.streams.list({ limit: 5, search: 'a b' });
    expect(seen).toEqual([
      ['POST', 'https://media.example.org/api/v1/apps', '{"name":"news"}'],
      ['POST', 'https://media.example.org/api/v1/apps/a%2Fb/keys/k%201/rotate', '{"graceS":60}'],
      ['GET', 'https://media.example.org/api/v1/streams?limit=5&search=a+b', null],
    ]);
  });

  it('sends the key, the type of the body and the idempotency key as a structured field', () => {
    const headers = headersOf({ method: 'POST', path: '/apps', body: {}, idempotencyKey: 'a"b\\c' });
    expect(headers).toEqual({ accept: 'application/json', 'content-type': 'application/json', 'idempotency-key': '"a\\"b\\\\c"' });
    expect(addressOf({ path: '/apps', query: { limit: undefined, cursor: 'x=' } })).toBe('/api/v1/apps?cursor=x%3D');
  });

  it('answers with what the server says, nothing where there is nothing, and problems with their code', async () => {
    const { api } = client(({ init }) =>
      init.method === 'DELETE'
        ? new Response(null, { status: 204 })
        : Response.json({ code: 'apps.not-found', detail: 'no app is named "x"' }, { status: 404 }),
    );
    expect(await api.apps.delete('x')).toBeUndefined();
    const problem: unknown = await api.apps.get('x').catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ApiProblem);
    expect(problem).toMatchObject({ status: 404, code: 'apps.not-found', message: 'no app is named "x"' });
  });

  it.each([
    ['no JSON', () => new Response('<html>', { status: 502 }), 502],
    [
      'no answer',
      () => {
        throw new TypeError('fetch failed');
      },
      0,
    ],
  ])('says so where there is %s', async (_what, answer, status) => {
    await expect(client(answer).api.overview.get()).rejects.toMatchObject({ status, code: '' });
  });

  it.each(['', '.', '..'])('does not ask for %j, which would lead elsewhere', (id) => {
    const { api, fetch } = client(() => Response.json({}));
    expect(() => api.apps.keys.delete('live', id)).toThrow(ApiProblem);
    expect(fetch).not.toHaveBeenCalled();
  });

  it('reads lists page by page', async () => {
    const pages: Record<string, Page<number>> = {
      '': { items: [1, 2], nextCursor: 'b' },
      b: { items: [3], nextCursor: 'c' },
      c: { items: [4] },
    };
    const list = async ({ cursor = '' }): Promise<Page<number>> => pages[cursor] as Page<number>;
    expect(await allItems(list)).toEqual([1, 2, 3, 4]);
    expect(await allItems(list, 3)).toEqual([1, 2, 3]);
  });
});

describe('server-sent events', () => {
  const text =
    ': beat\n\nid: n1.a-1\nevent: hello\ndata: {"isResumed":true}\n\nevent: reset\ndata: x\ndata: y\n\r\nid: n1.a-2\ndata: 1\n\n';

  it('are read whole, in whatever pieces they come', () => {
    const wanted = [
      { id: 'n1.a-1', type: 'hello', data: { isResumed: true } },
      { id: 'n1.a-1', type: 'reset', data: 'x\ny' },
      { id: 'n1.a-2', type: 'message', data: 1 },
    ];
    for (const size of [1, 2, 3, 7, 1000]) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
      expect(events).toEqual(wanted);
    }
  });

  it('without an end are refused', () => {
    const parser = new EventParser();
    expect(() => {
      for (let count = 0; count < 20; count++) parser.push('x'.repeat(100_000));
    }).toThrow('longer than');
  });
});
