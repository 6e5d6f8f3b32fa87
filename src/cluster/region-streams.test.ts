import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryEngine } from './memory-engine.fixture.ts';
import { DirectoryNode as Node, newEngine, SHOW } from './stream-directory.fixture.ts';

let engine: MemoryEngine;

beforeEach(() => {
  engine = newEngine();
});

describe('a stream from another region', () => {
  it('is pulled across by one node only, however many want it at the same time', () => {
    const origin = new Node('o1', 'us');
    const edges = Array.from({ length: 6 }, (_, index) => new Node(`e${index}`));
    origin.publish();
    engine.advance(50);
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(500);
    const pulls = edges.map((edge) => edge.take().at(-1));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from o1`)).toHaveLength(1);
    const regional = edges.findIndex(({ directory }) => directory.isRegionalOrigin(SHOW));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from e${regional}`)).toHaveLength(5);
  });

  it('is pulled across by another node as soon as the first one is out of reach', () => {
    const origin = new Node('o1', 'us');
    const edges = Array.from({ length: 4 }, (_, index) => new Node(`e${index}`));
    origin.publish();
    engine.advance(50);
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(500);
    const regional = edges.findIndex(({ directory }) => directory.isRegionalOrigin(SHOW));
    const others = edges.filter((_, index) => index !== regional);
    edges[regional]?.kill();
    for (const { directory } of others) directory.broken(SHOW, directory.upstreamOf(SHOW) ?? { node: '', epoch: 0 });
    engine.advance(100);
    const pulls = others.map((edge) => edge.take().at(-1));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from o1`)).toHaveLength(1);
    expect(pulls.filter((pull) => pull?.startsWith(`pull ${SHOW} from e`))).toHaveLength(2);
    expect(others.filter(({ directory }) => directory.isRegionalOrigin(SHOW))).toHaveLength(1);
  });

  it('is pulled across though the store is away, and by one node again when it is back', () => {
    const origin = new Node('o1', 'us');
    const edges = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    engine.stop();
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(1_200);
    expect(edges.map((edge) => edge.take())).toEqual([[`pull ${SHOW} from o1`], [`pull ${SHOW} from o1`]]);
    engine.start();
    engine.advance(10_000);
    const regional = edges.filter(({ directory }) => directory.isRegionalOrigin(SHOW));
    expect(regional).toHaveLength(1);
    const other = edges.find(({ directory }) => !directory.isRegionalOrigin(SHOW));
    expect(other?.directory.upstreamOf(SHOW)?.node).toBe(edges[0] === other ? 'e2' : 'e1');
  });

  it('leaves nothing in the store when nobody watches any more', () => {
    const [origin, edge] = [new Node('o1', 'us'), new Node('e1')];
    origin.publish();
    engine.advance(50);
    edge.directory.want(SHOW);
    engine.advance(100);
    edge.directory.unwant(SHOW);
    origin.directory.unpublish(SHOW);
    engine.advance(1_000);
    expect(engine.under('')).toEqual([]);
  });

  it('is not taken to and fro by two nodes that cannot reach each other', () => {
    const origin = new Node('o1', 'us');
    const [left, right] = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    for (const { directory } of [left, right]) directory.want(SHOW);
    engine.advance(500);
    const before = engine.under('regions/')[0]?.revision ?? 0;
    // As the relay's client does: each attempt fails.
    engine.every(500, () => {
      for (const [node, other] of [
        [left, 'e2'],
        [right, 'e1'],
      ] as const) {
        const upstream = node.directory.upstreamOf(SHOW);
        if (upstream?.node === other) node.directory.broken(SHOW, upstream);
      }
    });
    engine.advance(20_000);
    expect((engine.under('regions/')[0]?.revision ?? 0) - before).toBeLessThan(6);
  });

  it('leaves no claim on the region behind that was won late', () => {
    const origin = new Node('o1', 'us');
    const [left, right] = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    for (let round = 0; round < 20; round++) {
      left.directory.want(SHOW);
      right.directory.want(SHOW);
      engine.advance(round % 7);
      left.directory.unwant(SHOW);
      engine.advance(round % 5);
      right.directory.unwant(SHOW);
      engine.advance(1_000);
      expect(engine.under('regions/')).toEqual([]);
    }
  });
});
