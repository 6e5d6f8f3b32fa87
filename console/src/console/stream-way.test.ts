import { describe, expect, it } from 'vitest';
import type { StreamPlaceResource } from '../../../src/api/console-contract.ts';
import { viewersBy, waysOf } from './stream-way.ts';

const place = (node: string, hops: string[], byProtocol: Record<string, number> = {}): StreamPlaceResource => ({
  node,
  region: node.slice(0, 2),
  hops,
  viewers: { total: Object.values(byProtocol).reduce((sum, count) => sum + count, 0), byProtocol },
  bitrateBps: 1,
});
const relay = (from: string, to: string, p50Ms?: number) => ({
  from,
  to,
  streamCount: 1,
  streams: [],
  ...(p50Ms === undefined ? {} : { p50Ms }),
});

describe('the way of a stream', () => {
  it('goes from node to node, with the latency of each step and of all', () => {
    const places = [place('eu1', []), place('us1', ['eu1']), place('us2', ['eu1', 'us1'])];
    const [origin, regional, edge] = waysOf(places, [relay('eu1', 'us1', 40), relay('us1', 'us2', 2.5)]);
    expect(origin).toMatchObject({ steps: [], latencyMs: 0 });
    expect(regional?.steps).toEqual([{ from: 'eu1', to: 'us1', p50Ms: 40 }]);
    expect(edge?.steps.map(({ p50Ms }) => p50Ms)).toEqual([40, 2.5]);
    expect(edge?.latencyMs).toBe(42.5);
  });

  it('has no figure as a whole where a step has none', () => {
    const [way] = waysOf([place('us2', ['eu1', 'us1'])], [relay('eu1', 'us1', 40), relay('us1', 'us2')]);
    expect(way?.steps).toEqual([
      { from: 'eu1', to: 'us1', p50Ms: 40 },
      { from: 'us1', to: 'us2' },
    ]);
    expect(way?.latencyMs).toBeUndefined();
  });

  it('has its viewers counted by whatever one asks, the most first', () => {
    const places = [place('eu1', [], { hls: 2 }), place('us1', [], { hls: 1, flv: 9 }), place('us2', [], { flv: 0 })];
    expect(viewersBy(places, ({ viewers }) => viewers.byProtocol)).toEqual([
      ['flv', 9],
      ['hls', 3],
    ]);
    expect(viewersBy(places, ({ region, viewers }) => ({ [region]: viewers.total }))).toEqual([
      ['us', 10],
      ['eu', 2],
    ]);
  });
});
