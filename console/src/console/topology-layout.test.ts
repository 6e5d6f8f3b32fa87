import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LABEL_HEIGHT, LABEL_WIDTH, layoutTopology, NODE_HEIGHT, NODE_WIDTH } from './topology-layout.ts';

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

  it('goes on below where a window is narrow, and is no wider than that', () => {
    const nodes = ['a', 'b', 'c'].map((region) => ({ id: `${region}1`, region }));
    const picture = layoutTopology(nodes, [{ from: 'a1', to: 'c1' }], 360);
    expect(picture.width).toBeLessThanOrEqual(360);
    expect(picture.regions.map(({ x }) => x)).toEqual([0, 0, 0]);
    expect(layoutTopology(nodes, []).regions.map(({ y }) => y)).toEqual([0, 0, 0]);
  });

  it('has labels on no node and on no other label, within the picture', () => {
    const id = fc.integer({ min: 0, max: 11 });
    const relay = fc.record({ from: id, to: id }).filter(({ from, to }) => from !== to);
    const relaysOf = fc.uniqueArray(relay, { selector: ({ from, to }) => `${from} ${to}`, maxLength: 30 });
    fc.assert(
      fc.property(
        relaysOf,
        fc.array(fc.constantFrom('eu', 'us', 'asia'), { minLength: 12, maxLength: 12 }),
        fc.constantFrom(330, 900, 5_000),
        (of, regions, widthMax) => {
          const picture = layoutTopology(
            regions.map((region, index) => ({ id: String(index), region })),
            of.map(({ from, to }) => ({ from: String(from), to: String(to) })),
            widthMax,
          );
          const boxes = [
            ...picture.nodes.map(({ x, y }) => ({ x: x + NODE_WIDTH / 2, y: y + NODE_HEIGHT / 2, width: NODE_WIDTH, height: NODE_HEIGHT })),
            ...picture.relays.map(({ x, y }) => ({ x, y, width: LABEL_WIDTH, height: LABEL_HEIGHT })),
          ];
          for (const [index, label] of boxes.entries()) {
            if (index < picture.nodes.length) continue;
            expect(label.x - LABEL_WIDTH / 2).toBeGreaterThanOrEqual(0);
            expect(label.x + LABEL_WIDTH / 2).toBeLessThanOrEqual(picture.width);
            expect(label.y - LABEL_HEIGHT / 2).toBeGreaterThanOrEqual(0);
            expect(label.y + LABEL_HEIGHT / 2).toBeLessThanOrEqual(picture.height);
            for (const other of boxes) {
              if (other === label) continue;
              const apartX = Math.abs(other.x - label.x) >= (other.width + label.width) / 2;
              const apartY = Math.abs(other.y - label.y) >= (other.height + label.height) / 2;
              expect(apartX || apartY).toBe(true);
            }
          }
        },
      ),
      { numRuns },
    );
  });
});
