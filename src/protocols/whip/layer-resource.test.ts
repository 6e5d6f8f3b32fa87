import { beforeEach, describe, expect, it } from 'vitest';
import { parseWhipPath, type WhipResponse } from './mod.ts';
import { MemoryLayers, makeEndpoint } from './whip-sessions.fixture.ts';

const LAYERS = [
  { encodingId: 'source', width: 1280, height: 720, bitrate: 2_000_000 },
  { encodingId: 'l', width: 320, height: 180, bitrate: 200_000 },
  { encodingId: '90p', bitrate: 100_000 },
];

let made: ReturnType<typeof makeEndpoint>;
let layers: MemoryLayers;
let link: string | undefined;
let path: string;

beforeEach(() => {
  made = makeEndpoint([{ url: 'stun:stun.example.net' }]);
  layers = new MemoryLayers(LAYERS);
  made.sessions.layers = layers;
  const created = made.post('whep');
  link = [created.headers['link']].flat().find((one) => one?.includes(':ext:'));
  path = `${created.headers['location'] as string}/layer`;
});

const choose = (body: string, type: string | undefined = 'application/json'): WhipResponse =>
  made.ask({ method: 'POST', path, body, headers: { 'content-type': type } });
const json = ({ body }: WhipResponse): unknown => JSON.parse(body);

describe('the layers of a WHEP session', () => {
  it('are announced by a Link of their own in the 201 answer, to viewers alone', () => {
    expect(link).toBe(`<${path}>; rel="urn:ietf:params:whep:ext:core:layer"`);
    expect(made.post('whep').headers['link']).toHaveLength(2);
    expect(made.post('whip').headers['link']).toEqual(['<stun:stun.example.net>; rel="ice-server"']);
  });

  it('are told by GET: what is sent, why, and what else there is', () => {
    const told = made.ask({ path });
    expect(told).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'access-control-allow-origin': '*' },
    });
    const list = [{ ...LAYERS[0], active: true }, ...LAYERS.slice(1).map((layer) => ({ ...layer, active: false }))];
    expect(json(told)).toEqual({ active: 'source', automatic: true, reason: 'highest', layers: list });
    expect(made.ask({ method: 'HEAD', path })).toEqual(told);
  });

  it('say when a new session is to be made, as this one ends soon', () => {
    let isLeaving = false;
    const leaving = makeEndpoint([], () => isLeaving);
    leaving.sessions.layers = new MemoryLayers(LAYERS);
    const at = `${leaving.post('whep').headers['location'] as string}/layer`;
    expect(json(leaving.ask({ path: at }))).not.toHaveProperty('reconnect');
    isLeaving = true;
    expect(json(leaving.ask({ path: at }))).toMatchObject({ active: 'source', reconnect: true });
    const chosen = leaving.ask({ method: 'POST', path: at, body: '{}', headers: { 'content-type': 'application/json' } });
    expect(json(chosen)).toMatchObject({ reconnect: true });
  });

  it.each([
    ['{"mediaId":"0","encodingId":"l"}', 'l'],
    ['{"encodingId":"90p"}', '90p'],
    ['{"mediaId":"1","rid":"l"}', 'l'],
    [' {"encodingId":"source","more":[1]}', 'source'],
  ])('are chosen by POST of %s', (body, encodingId) => {
    const answered = choose(body, 'application/json; charset=utf-8');
    expect(answered.status).toBe(200);
    expect(json(answered)).toMatchObject({ active: encodingId, automatic: false, reason: 'pinned' });
    expect(layers.chosen).toBe(encodingId);
  });

  it.each(['{}', '{"mediaId":"0"}'])('are left to the server by POST of %s', (body) => {
    choose('{"encodingId":"l"}');
    expect(json(choose(body))).toMatchObject({ active: 'source', automatic: true });
    expect(layers.chosen).toBeUndefined();
  });

  it.each([
    ['{"encodingId":"h"}', 422, 'whip.layer-unusable', 'There is no layer \\"h\\": take one of \\"source\\", \\"l\\", \\"90p\\"'],
    ['{"encodingId":"L"}', 422, 'whip.layer-unusable', 'There is no layer'],
    ['{"maxHeight":360}', 422, 'whip.layer-unusable', 'maxHeight'],
    ['{"encodingId":"l","spatialLayerId":0}', 422, 'whip.layer-unusable', 'spatialLayerId'],
    ['{"encodingId":""}', 400, 'whip.bad-layer', 'name of a layer'],
    ['{"encodingId":1}', 400, 'whip.bad-layer', 'name of a layer'],
    ['{encodingId:"l"}', 400, 'whip.bad-layer', 'not JSON'],
    ['"l"', 400, 'whip.bad-layer', 'no JSON object'],
    ['null', 400, 'whip.bad-layer', 'no JSON object'],
    ['["l"]', 400, 'whip.bad-layer', 'no JSON object'],
    ['', 400, 'whip.empty-body', 'body'],
    ['too-large', 413, 'whip.body-too-large', 'Leave out'],
  ])('stay as they are after %s: %i %s', (body, status, code, words) => {
    choose('{"encodingId":"l"}');
    const refused = choose(body);
    expect(refused).toMatchObject({ status, code, headers: { 'content-type': 'application/problem+json' } });
    expect(refused.body).toContain(words);
    expect(layers.chosen).toBe('l');
  });

  it.each(['text/plain', 'application/sdp', ''])('are not chosen by the type %j: 415', (type) => {
    expect(choose('{"encodingId":"l"}', type)).toMatchObject({ status: 415, headers: { 'accept-post': 'application/json' } });
    expect(layers.chosen).toBeUndefined();
  });

  it('have methods of their own', () => {
    const allow = 'GET, HEAD, POST, OPTIONS';
    expect(made.ask({ method: 'OPTIONS', path })).toMatchObject({
      status: 200,
      headers: { allow, 'access-control-allow-methods': allow, 'accept-post': 'application/json' },
    });
    for (const method of ['PUT', 'PATCH', 'DELETE']) expect(made.ask({ method, path })).toMatchObject({ status: 405, headers: { allow } });
    expect(made.sessions.live.size).toBe(1);
  });

  it('are not there without pictures, for publishers, and after the session', () => {
    made.sessions.layers = undefined;
    for (const protocol of ['whip', 'whep'] as const) {
      const other = `${made.post(protocol).headers['location'] as string}/layer`;
      expect(made.ask({ path: other })).toMatchObject({ status: 404, code: 'whip.no-layers' });
    }
    made.ask({ method: 'DELETE', path: path.replace('/layer', '') });
    expect(choose('{}')).toMatchObject({ status: 404, code: 'whip.session-not-found' });
  });

  it('are found under their own path alone', () => {
    expect(parseWhipPath(path)).toMatchObject({ kind: 'play', part: 'layer' });
    for (const wrong of [`${path}/`, `${path}s`, `${path}/layer`, '/live/show/whep//layer']) expect(parseWhipPath(wrong)).toBeUndefined();
    expect(parseWhipPath('/live/show/whep/layer')).toMatchObject({ session: 'layer' });
  });
});
