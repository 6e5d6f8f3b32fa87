import { describe, expect, it } from 'vitest';
import { type DigestHearer, digestSubject, encodeDigest, type RegionDigest, RegionRoster, RosterTable } from '../src/cluster/mod.ts';
import { wallMs } from '../src/core/mod.ts';
import { Agenda } from './agenda.ts';
import { NODES, Nodes } from './crowd-nodes.fixture.ts';
import { NodeDigests } from './digest-crowd.ts';
import { Engine } from './engine.ts';
import { EngineClient } from './engine-client.ts';
import { Random } from './random.ts';
import { SHARED_READER } from './shared-reader.ts';

/** Knows of a region without nodes, and takes over whatever a digest says. */
class Listener implements DigestHearer {
  readonly id: string;
  readonly roster: RegionRoster;
  readonly rosters: ReadonlyMap<string, RegionRoster>;
  private readonly hear: (digest: RegionDigest) => void;

  constructor(id: string, engine: Engine, table: RosterTable) {
    this.id = id;
    const loop = { hand: (run: () => void) => run(), stirred: () => undefined };
    const client = new EngineClient(engine, { latencyMs: 1, isCut: false, loop });
    this.roster = new RegionRoster('eu', { monotonic: () => client.now, wall: () => wallMs(0) }, table, new Map());
    this.rosters = new Map([['eu', this.roster]]);
    this.hear = (digest) => {
      this.roster.news.take(digest, client.now, table);
      this.roster.judge(digest, () => true);
    };
    new NodeDigests(this, client);
  }

  isDeaf(): boolean {
    return true;
  }

  heard(message: Uint8Array): void {
    const digest = SHARED_READER.digest(message);
    if (digest !== undefined) this.hear(digest);
  }
}

describe('nodes that hear digests together', () => {
  it('are not told of what was on its way before they began to listen', () => {
    const agenda = new Agenda();
    const engine = new Engine(agenda, new Random(1));
    const table = new RosterTable();
    const say = (node: string, late: number): void => {
      Object.assign(engine.faults, { late, lateMsMax: 1_000 });
      const digest = { v: 1, region: 'eu', node, incarnation: 1, count: 1, sentMs: 5, roster: 0, stale: [], levels: '' } as const;
      engine.publish(digestSubject('eu'), encodeDigest(digest));
    };
    const before = [new Listener('a', engine, table), new Listener('b', engine, table)];
    say('x', 1);
    const after = new Listener('c', engine, table);
    say('y', 0);
    agenda.runUntil(10);
    const all = [...before, after].map(({ roster }) => roster);
    expect(new Set(all.map(({ news }) => news)).size).toBe(1);
    expect(all.map(({ speaker }) => speaker)).toEqual(['y', 'y', 'y']);
    agenda.runUntil(2_000);
    expect(all.map(({ speaker }) => speaker)).toEqual(['x', 'x', 'y']);
  });

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
    const faults = { late: random.pick([0, 0.3]) ?? 0, lateMsMax: 5_000, twice: random.pick([0, 0.2]) ?? 0 };
    for (const { world } of both) Object.assign(world.engine.faults, faults);
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
