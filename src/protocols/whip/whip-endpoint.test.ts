import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WhipRefused, WhipResponse } from './mod.ts';
import { WhipEndpoint } from './mod.ts';
import { type Ask, MemoryLayers, MemorySessions, makeEndpoint } from './whip-sessions.fixture.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

const problem = ({ body }: WhipResponse): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

describe('POST to an endpoint', () => {
  it.each(['whip', 'whep'] as const)('answers 201 with the SDP answer, Location and ETag: %s', (protocol) => {
    const { post, sessions } = makeEndpoint();
    const created = post(protocol);
    expect(created).toMatchObject({ status: 201, body: `answer to ${protocol === 'whip' ? 'publish' : 'play'}\r\n` });
    expect(created.headers).toMatchObject({
      'content-type': 'application/sdp',
      location: `/live/show/${protocol}/n1.${'01'.repeat(16)}`,
      etag: '"local1"',
      'accept-patch': 'application/trickle-ice-sdpfrag',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    });
    expect(created.headers['link']).toBeUndefined();
    expect(sessions.offers[0]).toMatchObject({ ref: { path: 'live/show' }, address: '192.0.2.1', sdp: expect.stringMatching(/^v=0/) });
  });

  it('makes session URLs that differ and cannot be guessed', () => {
    const { post } = makeEndpoint();
    const locations = [post(), post(), post('whep')].map(({ headers }) => headers['location']);
    expect(new Set(locations).size).toBe(3);
    for (const location of locations) expect(location).toMatch(/^\/live\/show\/whi?e?p\/n1\.[0-9a-f]{32}$/);
  });

  it.each(['application/sdp', 'Application/SDP; charset=utf-8', ' application/sdp ;x=1'])('takes the type %j', (type) => {
    expect(makeEndpoint().post('whip', { headers: { 'content-type': type } }).status).toBe(201);
  });

  it.each([undefined, '', 'text/plain', 'application/json', 'application/sdpx', 'application/trickle-ice-sdpfrag'])(
    'refuses the type %j with 415',
    (type) => {
      const refused = makeEndpoint().post('whip', { headers: { 'content-type': type } });
      expect(refused).toMatchObject({ status: 415, headers: { 'accept-post': 'application/sdp' } });
      expect(problem(refused)).toMatchObject({ code: 'whip.media-type' });
    },
  );

  it('refuses encoded bodies with 415', () => {
    const { post } = makeEndpoint();
    expect(post('whip', { headers: { 'content-encoding': 'gzip' } })).toMatchObject({
      status: 415,
      headers: { 'accept-encoding': 'identity' },
    });
    expect(post('whip', { headers: { 'content-encoding': 'identity' } }).status).toBe(201);
  });

  it.each([
    ['', 400, 'whip.empty-body'],
    ['too-large', 413, 'whip.body-too-large'],
    ['too-slow', 408, 'whip.body-timeout'],
    ['too-many', 503, 'whip.too-busy'],
    ['malformed', 400, 'sdp.bad'],
    ['unusable', 422, 'sdp.no-usable-codec'],
  ])('answers the body %j with %i and %s', (body, status, code) => {
    const { post, sessions } = makeEndpoint();
    const refused = post('whip', { body });
    expect(refused).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } });
    expect(problem(refused)).toMatchObject({ code, status, type: `urn:sluice:problem:${code}` });
    expect(sessions.live.size).toBe(0);
  });

  it.each<[WhipRefused, number, Record<string, string>]>([
    [{ refused: 'credential-missing' }, 401, { 'www-authenticate': 'Bearer realm="live/show"' }],
    [{ refused: 'credential-wrong' }, 401, { 'www-authenticate': 'Bearer realm="live/show", error="invalid_token"' }],
    [{ refused: 'forbidden' }, 403, {}],
    [{ refused: 'stream-not-found' }, 404, {}],
    [{ refused: 'stream-not-live' }, 409, { 'retry-after': '2' }],
    [{ refused: 'stream-taken' }, 409, {}],
    [{ refused: 'offer-unusable', code: 'sdp.no-video' }, 422, {}],
    [{ refused: 'too-many-attempts', retryAfterS: 5.2 }, 429, { 'retry-after': '6' }],
    [{ refused: 'too-many-requests' }, 429, { 'retry-after': '1' }],
    [{ refused: 'too-many-sessions' }, 503, { 'retry-after': '5' }],
    [{ refused: 'unavailable', retryAfterS: 60 }, 503, { 'retry-after': '60' }],
  ])('answers the refusal %j with %i', (refused, status, headers) => {
    const { post, sessions, endpoint } = makeEndpoint();
    sessions.refuse = refused;
    const code = refused.code ?? `whip.${refused.refused}`;
    const response = post();
    expect(response).toMatchObject({ status, headers: { ...headers, 'access-control-allow-origin': '*' }, code });
    expect(problem(response)).toMatchObject({ code, status, title: expect.any(String), detail: expect.stringMatching(/./) });
    expect(endpoint.stats().refusedByCode.get(code)).toBe(1);
  });

  it('answers 409 with Retry-After while nobody publishes what is to be played', () => {
    const { post, sessions } = makeEndpoint();
    sessions.refuse = { refused: 'stream-not-live', detail: 'live/show is not published' };
    const response = post('whep');
    expect(response).toMatchObject({ status: 409, headers: { 'retry-after': '2' } });
    expect(problem(response)).toMatchObject({ detail: 'live/show is not published' });
  });

  it('redirects with 307 to the same endpoint of another node', () => {
    const { post, sessions } = makeEndpoint();
    sessions.refuse = { origin: 'https://edge2.example:8443' };
    expect(post('whep', { query: 'token=abc' })).toMatchObject({
      status: 307,
      headers: { location: 'https://edge2.example:8443/live/show/whep?token=abc', 'access-control-allow-origin': '*' },
    });
  });

  it('never answers 301, 302 or 406', () => {
    const { post, sessions } = makeEndpoint();
    const all = ['credential-missing', 'forbidden', 'stream-not-found', 'stream-not-live', 'offer-unusable', 'unavailable'] as const;
    const answers = all.map((refused) => {
      sessions.refuse = { refused };
      return post('whep').status;
    });
    answers.push(post('whep', { body: 'unusable' }).status, post('whep', { headers: { accept: 'text/html' } }).status);
    sessions.refuse = { origin: 'http://n2' };
    answers.push(post('whep').status);
    for (const status of answers) expect([301, 302, 406]).not.toContain(status);
  });

  it('announces no extension where there are no layers, and requires none', () => {
    const { post } = makeEndpoint([{ url: 'stun:stun.example.net' }]);
    for (const protocol of ['whip', 'whep'] as const) {
      const { status, headers } = post(protocol);
      expect(status).toBe(201);
      expect([headers['link']].flat().join()).not.toContain(':ext:');
    }
  });

  it('lets faults of the sessions through to its owner', () => {
    const { post, sessions } = makeEndpoint();
    sessions.create = () => {
      throw new TypeError('a bug');
    };
    expect(() => post()).toThrow(TypeError);
  });
});

describe('the credential of a POST', () => {
  it.each([
    [{}, '', {}],
    [{ authorization: 'Bearer show-key' }, '', { token: 'show-key' }],
    [{ authorization: 'bearer   a.b-c_d~e+f/g==' }, 'token=other', { token: 'a.b-c_d~e+f/g==' }],
    [{}, 'token=a%2Fb', { token: 'a/b' }],
    [{}, 'x=1&token=abc&token=def', { token: 'abc' }],
    [{}, 'token=', {}],
  ])('is read from %j and %j', (headers, query, credential) => {
    const { post, sessions } = makeEndpoint();
    expect(post('whip', { headers, query }).status).toBe(201);
    expect(sessions.offers[0]?.credential).toEqual(credential);
  });

  it.each([
    [{ authorization: 'Basic dXNlcjpwYXNz' }, ''],
    [{ authorization: 'Bearer' }, ''],
    [{ authorization: '' }, ''],
    [{ authorization: 'Bearer a b' }, ''],
    [{ authorization: `Bearer ${'x'.repeat(5_000)}` }, ''],
    [{ authorization: ['Bearer a', 'Bearer b'] }, ''],
    [{}, 'token=%'],
    [{}, 'token=%00'],
  ])('that cannot be one is answered with 401: %j %j', (headers, query) => {
    const { post, sessions } = makeEndpoint();
    const response = post('whip', { headers, query });
    expect(response).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="live/show", error="invalid_request"' } });
    expect(sessions.offers).toEqual([]);
  });
});

describe('ICE servers', () => {
  const servers = [
    { url: 'stun:stun.example.net' },
    { url: 'turn:turn.example.net:3478?transport=udp', username: 'us"er', credential: 'pass\\word' },
  ];

  it('come with the 201 answer, one Link each', () => {
    expect(makeEndpoint(servers).post().headers['link']).toEqual([
      '<stun:stun.example.net>; rel="ice-server"',
      '<turn:turn.example.net:3478?transport=udp>; rel="ice-server"; username="us\\"er"; credential="pass\\\\word"; credential-type="password"',
    ]);
  });

  it('come with OPTIONS only when it is no preflight, and never with credentials', () => {
    const { ask } = makeEndpoint(servers);
    expect(ask({ method: 'OPTIONS' }).headers['link']).toEqual(['<stun:stun.example.net>; rel="ice-server"']);
    expect(ask({ method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }).headers['link']).toBeUndefined();
  });

  it.each([
    [{ url: 'https://example.net' }],
    [{ url: 'stun:a\r\nx: y' }],
    [{ url: 'turn:a', username: 'u' }],
    [{ url: 'turn:a', username: 'u', credential: 'a\r\nb' }],
  ])('that cannot be told are refused at the start: %j', (server) => {
    expect(() => makeEndpoint([server])).toThrow(expect.objectContaining({ code: 'whip.bad-ice-server' }));
  });

  it.each(['', 'a/b', 'x'.repeat(65)])('a node id that cannot stand in a URL is refused: %j', (nodeId) => {
    const random = { randomBytes: (length: number) => new Uint8Array(length) };
    expect(() => new WhipEndpoint(new MemorySessions(), random, { nodeId, iceServers: [] })).toThrow(/cannot stand in a URL/);
  });
});

describe('other methods', () => {
  it.each(['/live/show/whip', '/live/show/whip/n1.unknown', '/live/show/whep'])('OPTIONS is answered with 200 for CORS: %s', (path) => {
    const { status, headers, body } = makeEndpoint().ask({ method: 'OPTIONS', path });
    expect({ status, body }).toEqual({ status: 200, body: '' });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-methods']).toBe(headers['allow']);
    for (const name of ['Authorization', 'Content-Type', 'If-Match']) expect(headers['access-control-allow-headers']).toContain(name);
    for (const name of ['Location', 'ETag', 'Link', 'Accept-Patch']) expect(headers['access-control-expose-headers']).toContain(name);
  });

  it('OPTIONS says what is taken', () => {
    const { ask } = makeEndpoint();
    expect(ask({ method: 'OPTIONS' }).headers).toMatchObject({ 'accept-post': 'application/sdp', allow: 'GET, HEAD, POST, OPTIONS' });
    expect(ask({ method: 'OPTIONS', path: '/live/show/whep/n1.x' }).headers).toMatchObject({
      'accept-patch': 'application/trickle-ice-sdpfrag',
      allow: 'GET, HEAD, PATCH, DELETE, OPTIONS',
    });
  });

  it.each(['GET', 'HEAD'])('%s of an endpoint or a session is a success without content', (method) => {
    const { ask, post } = makeEndpoint();
    const session = post().headers['location'] as string;
    for (const path of ['/live/show/whip', '/live/show/whep', session]) {
      const { status, body } = ask({ method, path });
      expect(Math.floor(status / 100)).toBe(2);
      expect(body).toBe('');
    }
  });

  it('GET and HEAD of a WHEP endpoint have the type application/sdp', () => {
    const { ask } = makeEndpoint();
    const head = ask({ method: 'HEAD', path: '/live/show/whep' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'application/sdp' }, body: '' });
    expect(ask({ method: 'GET', path: '/live/show/whep' })).toEqual(head);
  });

  it.each([
    ['PUT', 'GET, HEAD, POST, OPTIONS'],
    ['PATCH', 'GET, HEAD, POST, OPTIONS'],
    ['DELETE', 'GET, HEAD, POST, OPTIONS'],
    ['BREW', 'GET, HEAD, POST, OPTIONS'],
  ])('%s to an endpoint is answered with 405', (method, allow) => {
    expect(makeEndpoint().ask({ method })).toMatchObject({ status: 405, headers: { allow }, code: 'whip.method-not-allowed' });
  });

  it.each(['POST', 'PUT', 'BREW'])('%s to a session is answered with 405', (method) => {
    const { ask, post } = makeEndpoint();
    const path = post().headers['location'] as string;
    expect(ask({ method, path })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, PATCH, DELETE, OPTIONS' } });
  });
});

describe('any request', () => {
  it('gets a status and headers that HTTP can carry', () => {
    const { ask, post, sessions } = makeEndpoint([{ url: 'stun:stun.example.net' }]);
    const session = post().headers['location'] as string;
    sessions.layers = new MemoryLayers([{ encodingId: 'l', bitrate: 1 }]);
    const playing = post('whep').headers['location'] as string;
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
    const piece = fc.constantFrom(
      'a=ice-ufrag:EsAw',
      'a=ice-ufrag:Zz9x',
      'a=ice-pwd:0123456789012345678901',
      'm=',
      'a=mid:0',
      '\r\n',
      '\n',
      'a=candidate:',
    );
    const request: fc.Arbitrary<Ask> = fc.record({
      method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'), fc.string()),
      path: fc.oneof(
        fc.constantFrom('/live/show/whip', '/live/show/whep', session, `${playing}/layer`),
        text.map((name) => `/live/show/whip/${name}`),
        text,
      ),
      query: fc.oneof(
        text,
        text.map((token) => `token=${token}`),
      ),
      headers: fc.record({
        'content-type': fc.oneof(
          fc.constantFrom('application/sdp', 'application/trickle-ice-sdpfrag', 'application/json', undefined),
          text,
        ),
        'if-match': fc.oneof(fc.constantFrom('*', '"local1"', undefined), text),
        authorization: fc.oneof(fc.constantFrom(undefined, 'Bearer x'), text, fc.array(text)),
        'user-agent': fc.oneof(fc.constant(undefined), text),
      }),
      body: fc.oneof(
        text,
        fc.uint8Array(),
        fc.array(fc.oneof(piece, piece, text)).map((parts) => parts.join('')),
        fc.constantFrom('malformed', 'unusable'),
        fc.json(),
        fc.oneof(fc.constant('l'), text).map((encodingId) => JSON.stringify({ encodingId })),
      ),
    });
    fc.assert(
      fc.property(request, (anything) => {
        const { status, headers, body } = ask(anything);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(500);
        for (const value of Object.values(headers).flat()) expect(value).toMatch(/^[\x20-\x7e]*$/);
        if (status >= 400) expect(JSON.parse(body)).toMatchObject({ status, code: expect.stringMatching(/^(whip|sdp|ice)\./) });
        for (const made of [...sessions.live.keys()].slice(10)) sessions.live.delete(made);
      }),
      RUNS,
    );
  });
});
