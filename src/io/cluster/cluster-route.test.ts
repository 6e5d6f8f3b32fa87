import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodeRecord, type NodeView, ROUTE_WEIGHTS } from '../../cluster/mod.ts';
import { edgeView, routedNodes } from '../../cluster/routed-nodes.fixture.ts';
import { ClientRegion } from './client-region.ts';
import { ClusterRoute } from './cluster-route.ts';
import { NodeRouting } from './node-routing.ts';

const node = (id: string, record: Partial<NodeRecord> = {}, headroom = 1): NodeView =>
  edgeView(id, { endpoints: { http: `https://${id}.example:8080` }, ...record }, { headroom });

interface Explained {
  readonly region: string;
  readonly regionBy: string;
  readonly choice: string;
  readonly node?: string;
  readonly extent?: string;
  readonly nodes: readonly { readonly node: string; readonly refusal?: string }[];
}

let nodes: NodeView[] = [];
let server: Server;
let base: string;

beforeEach(async () => {
  const routing = new NodeRouting({
    nodes: routedNodes(() => nodes),
    hasStream: (id) => id === 'b',
    weights: () => ROUTE_WEIGHTS,
  });
  const networks = new Map([['us', ['198.51.100.0/24']]]);
  const route = new ClusterRoute({ routing, region: new ClientRegion({ networks, header: 'x-region', fallback: 'eu' }) });
  server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    route.handle(request, response, path, query);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cluster`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const hosts = async (query: string, count: number): Promise<readonly string[]> => {
  const answers: string[] = [];
  for (let asked = 0; asked < count; asked++) answers.push((await (await fetch(base + query)).text()).trim().replace('.example:8080', ''));
  return answers;
};
const explain = async (query: string): Promise<Explained> => (await (await fetch(`${base}?explain=1&${query}`)).json()) as Explained;

describe('GET /cluster', () => {
  it('goes round two nodes that are alike, and says so', async () => {
    nodes = [node('a'), node('b')];
    expect(await hosts('', 6)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(await explain('')).toMatchObject({ choice: 'turn', node: 'a', extent: 'fit' });
  });

  it('goes round the region that the client says, or is known to be in, and round all of them where nothing is known', async () => {
    nodes = [node('a'), node('b', { region: 'us' }), node('c', { region: 'us' })];
    expect(await hosts('?region=us', 4)).toEqual(['b', 'c', 'b', 'c']);
    expect(await hosts('?region=nowhere', 3)).toEqual(['a', 'b', 'c']);
    expect(await hosts('', 3)).toEqual(['a', 'b', 'c']);
    expect(await explain('address=198.51.100.7')).toMatchObject({ region: 'us', regionBy: 'network', node: 'b' });
    const byHeader = await fetch(base, { headers: { 'x-region': 'us', accept: 'application/json' } });
    expect(await byHeader.json()).toEqual({ region: 'us', node: 'c', endpoints: { http: 'https://c.example:8080' } });
  });

  it('gives the best node for a stream, near the node that was asked where nothing is known', async () => {
    nodes = [node('a'), node('b'), node('c', { region: 'us' })];
    expect(await hosts('?stream=live/show', 3)).toEqual(['b', 'b', 'b']);
    expect(await explain('stream=live/show')).toMatchObject({ choice: 'score', region: 'eu', regionBy: 'node', node: 'b' });
  });

  it.each(['', 'stream=live/show'])('gives a full node when there is no other one, and says that it is full: ?%s', async (query) => {
    nodes = [node('a', {}, 0.01), node('o', { roles: ['origin'] })];
    expect(await hosts(`?${query}`, 1)).toEqual(['a']);
    const { extent, node: chosen, nodes: opinions } = await explain(query);
    expect([extent, chosen]).toEqual(['full', 'a']);
    expect(opinions).toContainEqual(expect.objectContaining({ node: 'a', refusal: 'full' }));
    nodes.push(node('c', { region: 'us' }));
    expect(await hosts(`?${query}`, 1)).toEqual(['c']);
  });

  it('gives viewers an origin when there is no edge, and publishers no edge', async () => {
    nodes = [node('o', { roles: ['origin'] }, 0)];
    expect(await explain('stream=live/show')).toMatchObject({ node: 'o', extent: 'origin' });
    expect(await explain('stream=live/show&publish=1')).toMatchObject({ node: 'o', extent: 'full' });
    nodes = [node('e')];
    expect((await fetch(`${base}?publish=1`)).status).toBe(503);
  });

  it.each<[query: string, init: RequestInit, status: number, code: string]>([
    ['?stream=live/show', {}, 503, 'cluster.no-node'],
    ['?stream=nonsense', {}, 400, 'cluster.bad-query'],
    ['', { method: 'POST' }, 405, 'cluster.method-not-allowed'],
  ])('answers problems as everywhere: %s', async (query, init, status, code) => {
    nodes = [node('m', { roles: ['manager'] }), node('d', { status: 'draining' })];
    const response = await fetch(base + query, init);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    const problem = (await response.json()) as Record<string, string>;
    expect(problem).toMatchObject({ type: `urn:sluice:problem:${code}`, status, code });
    expect(problem['title']).not.toBe(problem['detail']);
    expect((await fetch(base + query, { ...init, method: init.method ?? 'HEAD' })).status).toBe(status);
  });

  it('says why when no node could serve', async () => {
    nodes = [node('m', { roles: ['manager'] })];
    const response = await fetch(`${base}?explain=1`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ region: 'eu', nodes: [{ node: 'm', refusal: 'role' }] });
  });
});
