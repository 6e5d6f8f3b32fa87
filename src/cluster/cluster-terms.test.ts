import { expect, it } from 'vitest';
import { ClusterTerms, STALE_MS, writeStaleMs } from './cluster-terms.ts';
import { MemoryEngine } from './memory-engine.fixture.ts';

it('a period that the founding node writes counts for all nodes, from when they hear of it', () => {
  const engine = new MemoryEngine();
  const write = (ms: number): void => {
    let isWritten: boolean | undefined;
    writeStaleMs(engine.client().store, ms, (done) => {
      isWritten = done;
    });
    engine.advance(1000);
    expect(isWritten).toBe(true);
  };
  const early = new ClusterTerms(engine.client().store);
  engine.advance(1000);
  expect(early.staleMs).toBe(STALE_MS);
  write(15_000);
  const late = new ClusterTerms(engine.client().store);
  engine.advance(1000);
  expect([early.staleMs, late.staleMs]).toEqual([15_000, 15_000]);
  // Written again at each start of that node.
  write(15_000);
  write(9000);
  expect([early.staleMs, late.staleMs]).toEqual([9000, 9000]);
  late.close();
  write(12_000);
  expect([early.staleMs, late.staleMs]).toEqual([12_000, 9000]);
});

it('a period that cannot be is the nearest that can', () => {
  const engine = new MemoryEngine();
  const terms = new ClusterTerms(engine.client().store);
  for (const [written, counts] of [
    [1, 3000],
    [10 ** 9, 60_000],
  ] as const) {
    writeStaleMs(engine.client().store, written, () => undefined);
    engine.advance(1000);
    expect(terms.staleMs).toBe(counts);
  }
});

it('while the store is away, what was known goes on to count', () => {
  const engine = new MemoryEngine();
  const client = engine.client();
  const terms = new ClusterTerms(client.store);
  writeStaleMs(engine.client().store, 20_000, () => undefined);
  engine.advance(1000);
  client.cut();
  engine.advance(10_000);
  expect(terms.staleMs).toBe(20_000);
  let isWritten: boolean | undefined;
  writeStaleMs(client.store, 5000, (done) => {
    isWritten = done;
  });
  engine.advance(10_000);
  expect(isWritten).toBe(false);
});
