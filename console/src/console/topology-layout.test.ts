import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutTopology, NODE_HEIGHT, NODE_WIDTH } from './topology-layout.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('picture of the cluster', () => {
  it('has nothing in it without nodes', () => {
    expect(layoutTopology([], [{ from: 'a', to: 'b' }])).toEqual({ width: 0, height: 0, regions: [], nodes: [], relays: [] });
  });

  it('leaves relays out whose nodes are gone', () => {
    const picture = layoutTopology(
      [
        { id: 'a', region: 'eu' },
        { id: 'b', region: 'us' },
      ],
      [
        { from: 'a', to: 'b' },
        { from: 'a', to: 'gone' },
      ],
    );
    expect(picture.relays.map(({ from, to }) => [from, to])).toEqual([['a', 'b']]);
  });

  it('puts each node into its region, and no two over each other', () => {
    const node = fc.record({ id: fc.uuid(), region: fc.constantFrom('eu', 'us', 'asia') });
    fc.assert(
      fc.property(fc.uniqueArray(node, { selector: ({ id }) => id, maxLength: 60 }), (nodes) => {
        const picture = layoutTopology(nodes, []);
        const regionOf = new Map(nodes.map(({ id, region }) => [id, region]));
        expect(picture.nodes).toHaveLength(nodes.length);
        for (const { id, x, y } of picture.nodes) {
          const region = picture.regions.find(({ name }) => name === regionOf.get(id));
          expect(region).toBeDefined();
          if (region === undefined) continue;
          expect(x).toBeGreaterThan(region.x);
          expect(x + NODE_WIDTH).toBeLessThan(region.x + region.width);
          expect(y + NODE_HEIGHT).toBeLessThan(region.y + region.height);
        }
        const places = new Set(picture.nodes.map(({ x, y }) => `${x},${y}`));
        expect(places.size).toBe(nodes.length);
      }),
      { numRuns },
    );
  });
});
