import { describe, expect, it } from 'vitest';
import { type ResourceOptions, ResourceRefused, WebrtcResource } from './webrtc-resource.ts';

const ENDPOINT = 'https://example.org/live/show/whep';

interface Seen {
  readonly url: string;
  readonly method: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly keepalive: boolean | undefined;
}

/** A server that gives the answers one after the other, and remembers what it was asked. */
function server(...answers: (Response | 'silence')[]): { readonly seen: Seen[]; readonly options: ResourceOptions } {
  const seen: Seen[] = [];
  const stub = (async (url: string, init: RequestInit = {}) => {
    seen.push({ url, method: init.method, headers: init.headers as Record<string, string>, body: init.body, keepalive: init.keepalive });
    const answer = answers.shift();
    if (answer === undefined || answer === 'silence') throw new TypeError('fetch failed');
    return answer;
  }) as typeof fetch;
  return { seen, options: { endpoint: ENDPOINT, token: 'secret', fetch: stub, answerMsMax: 1000 } };
}

const created = (headers: Record<string, string> = {}): Response =>
  new Response('v=0\r\nanswer', { status: 201, headers: { location: '/session/1', etag: '"a"', ...headers } });

describe('a session on the server', () => {
  it('is made by posting an offer with the bearer token', async () => {
    const { seen, options } = server(created({ link: '<stun:stun.example.org>; rel="ice-server"' }));
    const resource = await WebrtcResource.open('v=0\r\noffer', options);
    expect(resource.answer).toBe('v=0\r\nanswer');
    expect(resource.iceServers).toEqual([{ urls: 'stun:stun.example.org' }]);
    expect(seen[0]).toMatchObject({ url: ENDPOINT, method: 'POST', body: 'v=0\r\noffer' });
    expect(seen[0]?.headers).toEqual({ authorization: 'Bearer secret', 'content-type': 'application/sdp' });
  });

  it('is asked for with the token again where a redirect to another server lost it', async () => {
    const elsewhere = 'https://o1.example.org/live/show/whip?via=n1.17';
    const lost = Object.defineProperties(new Response(null, { status: 401 }), { redirected: { value: true }, url: { value: elsewhere } });
    const { seen, options } = server(lost, created());
    await WebrtcResource.open('v=0\r\noffer', options);
    expect(seen.map(({ url, method }) => `${method} ${url}`)).toEqual([`POST ${ENDPOINT}`, `POST ${elsewhere}`]);
    expect(seen[1]?.headers).toMatchObject({ authorization: 'Bearer secret' });
  });

  it('is not asked for twice where the token is wrong', async () => {
    const { seen, options } = server(new Response(null, { status: 401 }));
    await expect(WebrtcResource.open('v=0\r\noffer', options)).rejects.toMatchObject({ status: 401 });
    expect(seen).toHaveLength(1);
  });

  it('is told of candidates under its entity tag, and is removed at its own URL by a request that outlives the page', async () => {
    const { seen, options } = server(created(), new Response(null, { status: 204 }), new Response(null));
    const resource = await WebrtcResource.open('v=0', options);
    await resource.addCandidates('a=end-of-candidates\r\n');
    await resource.remove();
    expect(seen[1]).toMatchObject({ url: 'https://example.org/session/1', method: 'PATCH', body: 'a=end-of-candidates\r\n' });
    expect(seen[1]?.headers).toMatchObject({ 'if-match': '"a"', 'content-type': 'application/trickle-ice-sdpfrag' });
    expect(seen[2]).toMatchObject({ url: 'https://example.org/session/1', method: 'DELETE', keepalive: true });
    expect(seen[2]?.headers).toEqual({ authorization: 'Bearer secret' });
  });

  it('says which layers there are and takes a choice, where the server announced that', async () => {
    const state = '{"active":"source","automatic":true,"reason":"highest","layers":[{"encodingId":"source","height":720}]}';
    const link = '</session/1/layer>; rel="urn:ietf:params:whep:ext:core:layer"';
    const { seen, options } = server(
      created({ link }),
      ...[state, state, state, ''].map((text) => new Response(text)),
      new Response('', { status: 422 }),
    );
    const resource = await WebrtcResource.open('v=0', options);
    expect(await resource.layers()).toMatchObject({ active: 'source', layers: [{ encodingId: 'source', height: 720 }] });
    expect(await resource.selectLayer('l')).toMatchObject({ active: 'source' });
    expect(await resource.selectLayer(undefined)).toMatchObject({ active: 'source' });
    const url = 'https://example.org/session/1/layer';
    expect(seen[1]).toMatchObject({ url, method: 'GET', body: undefined });
    expect(seen[2]).toMatchObject({ url, method: 'POST', body: '{"encodingId":"l"}', headers: { 'content-type': 'application/json' } });
    expect(seen[3]).toMatchObject({ method: 'POST', body: '{}' });
    for (const what of ['no list', 'a refusal', 'silence']) expect(await resource.selectLayer('l'), what).toBeUndefined();
  });

  it('asks nothing about layers where the server announced none', async () => {
    const { seen, options } = server(created());
    const resource = await WebrtcResource.open('v=0', options);
    expect([await resource.layers(), await resource.selectLayer('l')]).toEqual([undefined, undefined]);
    expect(seen).toHaveLength(1);
  });

  it('asks a server that takes no candidates only once, and forgives one that is gone', async () => {
    const { seen, options } = server(created(), new Response(null, { status: 405 }));
    const resource = await WebrtcResource.open('v=0', options);
    await resource.addCandidates('x');
    await resource.addCandidates('y');
    await resource.remove();
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'DELETE']);
  });

  it.each<[string, Response | 'silence', Partial<ResourceRefused>]>([
    ['no answer', 'silence', { status: 0, message: 'the server does not answer' }],
    [
      'a problem document',
      new Response('{"title":"t","detail":"the key is wrong"}', { status: 401 }),
      { status: 401, message: 'the key is wrong' },
    ],
    [
      'a full server',
      new Response('', { status: 503, headers: { 'retry-after': '7' } }),
      { status: 503, message: 'HTTP 503', retryAfterMs: 7000 },
    ],
    ['an answer without Location', new Response('v=0', { status: 201 }), { status: 201 }],
    ['an answer that is not SDP', new Response('<html>', { status: 201, headers: { location: '/x' } }), { status: 201 }],
  ])('is refused by %s', async (_title, answer, expected) => {
    const { options } = server(answer);
    const error = await WebrtcResource.open('v=0', options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ResourceRefused);
    expect(error).toMatchObject(expected);
  });
});
