import { describe, expect, it } from 'vitest';
import { NODES, Nodes } from './crowd-nodes.fixture.ts';
import { Random } from './random.ts';
import type { SimNode } from './sim-node.ts';

/** The same nodes that are told together, and each by itself. */
class Both {
  readonly together: Nodes;
  readonly alone: Nodes;

  constructor(seed: number) {
    [this.together, this.alone] = [new Nodes(seed, true), new Nodes(seed, false)];
  }

  do(act: (nodes: Nodes, node: (place: number) => SimNode) => void): void {
    for (const nodes of [this.together, this.alone]) act(nodes, (place) => nodes.world.nodes[place] as SimNode);
  }

  run(ms: number): void {
    this.do(({ world }) => world.agenda.runUntil(world.now + ms));
    expect(this.together.known).toEqual(this.alone.known);
  }

  /** The engine is away for so long, and may have lost everything. */
  outage(ms: number, isLost: boolean): void {
    this.do(({ world }) => world.engine.stop());
    this.run(ms);
    this.do(({ world }) => {
      if (isLost) world.engine.wipe();
      world.engine.start();
    });
  }
}

describe('nodes that are told of records together', () => {
  it('are not told of those that say what they know', () => {
    const both = new Both(1);
    both.run(20_000);
    const before = [both.together.toldOfRecords, both.alone.toldOfRecords] as const;
    both.outage(5_000, true);
    both.run(30_000);
    // Each puts its own back.
    expect(both.alone.toldOfRecords - before[1]).toBeGreaterThanOrEqual(NODES * NODES);
    expect(both.together.toldOfRecords - before[0]).toBeLessThan(NODES * 4);
  });

  it.each(Array.from({ length: 12 }, (_, step) => 9_500 + step * 200))(
    'see one again that comes back %i ms after the store has lost all',
    (ms) => {
      const both = new Both(2);
      both.run(20_000);
      both.do(({ world }, node) => world.pause(node(7)));
      both.outage(3_000, true);
      both.run(ms);
      both.do(({ world }, node) => world.resume(node(7)));
      for (let step = 0; step < 30; step++) both.run(200);
      expect(both.together.known).toEqual(both.alone.known);
    },
  );

  it('learn what changed while they were cut off, though all come back at once', () => {
    const both = new Both(3);
    both.run(20_000);
    const cut = [3, 4, 5, 6, 7, 8];
    both.do(({ world }, node) => {
      for (const place of cut) world.cut(node(place), true);
    });
    both.do(({ world }, node) => {
      world.kill(node(20));
      node(21).process?.drain(60_000);
    });
    both.run(2_000);
    both.do(({ world }, node) => world.start(node(20)));
    both.run(5_000);
    both.do(({ world }) => world.engine.stop());
    both.run(1_000);
    both.do(({ world }, node) => {
      for (const place of cut) world.cut(node(place), false);
      world.engine.start();
    });
    both.run(500);
    const statuses = both.together.world.nodes.map(
      ({ process }) => process?.membership.record(both.together.world.nodes[21]?.id ?? '')?.status,
    );
    expect(new Set(statuses)).toEqual(new Set(['draining']));
    both.run(10_000);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))('know what each would by itself (seed %i)', (seed) => {
    const random = new Random(seed + 100);
    const both = new Both(seed);
    for (let step = 0; step < 120; step++) {
      const places = Array.from({ length: random.pick([1, 1, 4, 12]) ?? 1 }, () => random.between(0, NODES - 1));
      const act = random.between(0, 11);
      const [isYes, ms] = [random.chance(0.5), random.between(1, random.pick([50, 500, 3_000]) ?? 1)];
      both.do(({ world }, node) => {
        const { engine } = world;
        if (act === 8 && isYes) engine.stop();
        else if (act === 9 && isYes && !engine.isRunning) engine.wipe();
        else if (act >= 8 && act <= 10 && !engine.isRunning) engine.start();
        else
          for (const place of places) {
            const one = node(place);
            if (act === 0) world.kill(one);
            else if (act <= 2) world.start(one);
            else if (act === 3 && one.process?.isPaused === false) world.pause(one);
            else if (act <= 5) world.resume(one);
            else if (act <= 7) world.cut(one, isYes);
            else if (act === 11) one.process?.drain(60_000);
          }
      });
      both.run(ms);
    }
  });
});
