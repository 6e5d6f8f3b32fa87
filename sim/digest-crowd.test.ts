import { describe, expect, it } from 'vitest';
import { DIGESTS, type MembershipSharing } from '../src/cluster/mod.ts';
import type { EngineClient } from './engine-client.ts';
import { Random } from './random.ts';
import { SharedKnowledge } from './shared-knowledge.ts';
import { World } from './world.ts';

/** Enough of them for a large cluster, in which most nodes hear digests alone. */
const NODES = 30;

/** Nodes that hear digests together or each by itself, without streams. */
class Nodes {
  readonly world: World;
  /** How often a node was told of a digest. */
  told = 0;

  constructor(seed: number, areTogether: boolean) {
    const knowledge = new SharedKnowledge();
    const membershipOf = (client: EngineClient): MembershipSharing => {
      const together = knowledge.membershipOf(client);
      return {
        ...together,
        hearDigests: (hearer) => {
          const heard = (message: Uint8Array): void => {
            this.told += 1;
            hearer.heard(message);
          };
          if (areTogether) return together.hearDigests({ ...hearer, heard });
          return client.bus.subscribe(DIGESTS, (_subject, message) => heard(message));
        },
      };
    };
    this.world = new World({
      seed,
      nodes: NODES,
      regions: 2,
      streams: 0,
      viewers: 0,
      viewersEach: 1,
      tickMs: 50,
      streamLifeMs: 60_000,
      viewerStayMs: 40_000,
      makers: 0,
      relayChildrenMax: 2,
    });
    Object.assign(this.world.knowledge, { membershipOf });
    for (const node of this.world.nodes) this.world.start(node);
  }

  /** What each node knows of each other one. */
  get known(): object {
    const { now, nodes } = this.world;
    return nodes.map(({ id, process }) => {
      if (process === undefined || process.isPaused) return id;
      const views = Array.from(process.membership.nodes(), ({ record, isStale, incarnation, headroom, heardAt, clockOffsetMs }) => {
        const about = [record.incarnation, isStale, incarnation, headroom?.toFixed(2), now - heardAt, clockOffsetMs];
        return `${record.id} ${about.join(' ')}`;
      });
      return `${id} (${process.membership.isFirstOfRegion}): ${views.sort().join(', ')}`;
    });
  }
}

describe('nodes that hear digests together', () => {
  it('are not told of those that say nothing new', () => {
    const [together, alone] = [new Nodes(1, true), new Nodes(1, false)];
    for (const { world } of [together, alone]) world.agenda.runUntil(40_000);
    expect(together.known).toEqual(alone.known);
    const before = [together.told, alone.told] as const;
    for (const { world } of [together, alone]) world.agenda.runUntil(80_000);
    // Those that hear heartbeats are told by themselves.
    expect(alone.told - before[1]).toBeGreaterThan(NODES * 10);
    expect(together.told - before[0]).toBeLessThan((alone.told - before[1]) / 3);
    expect(together.known).toEqual(alone.known);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))('know what each would by itself (seed %i)', (seed) => {
    const random = new Random(seed);
    const both = [new Nodes(seed, true), new Nodes(seed, false)] as const;
    for (let step = 0; step < 120; step++) {
      const place = random.between(0, NODES - 1);
      const act = random.between(0, 13);
      const [isCut, offsetMs, ms] = [random.chance(0.5), random.between(-50_000, 50_000), random.between(1, 3_000)];
      for (const { world } of both) {
        const { engine } = world;
        const node = world.nodes[place] as (typeof world.nodes)[number];
        if (act === 0) world.kill(node);
        else if (act <= 3) world.start(node);
        else if (act === 4 && node.process?.isPaused === false) world.pause(node);
        else if (act <= 6) world.resume(node);
        else if (act === 7) world.cut(node, isCut);
        else if (act === 8 && engine.isRunning && isCut) engine.stop();
        else if (act === 9 && !engine.isRunning && isCut) engine.wipe();
        else if (act <= 10 && !engine.isRunning) engine.start();
        else if (act === 11) node.clock.offsetMs = offsetMs;
        else if (act === 12 && engine.isRunning) node.process?.drain(60_000);
        world.agenda.runUntil(world.now + ms);
      }
      expect(both[0].known).toEqual(both[1].known);
    }
  });
});
