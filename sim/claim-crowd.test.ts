import { describe, expect, it, vi } from 'vitest';
import { ClaimReplica, type Claims, type ClaimsOptions, type ClaimsOutput, type StoreEntry, writeClaim } from '../src/cluster/mod.ts';
import { Agenda } from './agenda.ts';
import { Engine } from './engine.ts';
import { EngineClient } from './engine-client.ts';
import { Random } from './random.ts';
import { SharedKnowledge } from './shared-knowledge.ts';

const PREFIX = 'streams/';
const NAMES = ['live/a', 'live/b', 'live/c', 'live/d'];
const NODES = ['n0', 'n1', 'n2', 'n3', 'n4'];

/** One process that follows claims, and what it was told; `claimsOf` makes what it follows them by. */
class Follower {
  readonly told: string[] = [];
  readonly client: EngineClient;
  private readonly claims: Claims<object>;
  private waiting: (() => void)[] | undefined = undefined;

  constructor(
    engine: Engine,
    node: string,
    latencyMs: number,
    claimsOf: (client: EngineClient, options: ClaimsOptions<object>, out: ClaimsOutput<object>) => Claims<object>,
  ) {
    const hand = (run: () => void): void => {
      if (this.waiting === undefined) run();
      else this.waiting.push(run);
    };
    this.client = new EngineClient(engine, { latencyMs, isCut: false, loop: { hand, stirred: () => undefined } });
    const options: ClaimsOptions<object> = {
      store: this.client.store,
      prefix: PREFIX,
      own: { node, incarnation: 1 },
      now: () => this.client.now,
      readBody: (json) => (typeof json === 'object' && json !== null ? json : undefined),
      followsAll: false,
    };
    this.claims = claimsOf(this.client, options, {
      changed: (name, known) => this.told.push(`${name} by ${known?.claimed.holder.node}: ${known?.claimed.epoch}`),
      seen: (name, revision) => this.told.push(`${name} at ${revision}`),
      current: () => this.told.push('current'),
    });
    this.claims.start();
  }

  /** What it knows, and what it was told so far. */
  get state(): object {
    const { claims } = this;
    const told = [...this.told].sort();
    const missing = [...(claims.missing?.claims.keys() ?? [])]
      .filter((name) => claims.get(name) === claims.missing?.claims.get(name))
      .sort();
    const known = Array.from(claims.values(), ({ claimed, revision }) => `${claimed.name} ${revision}`).sort();
    const each = NAMES.map((name) => claims.get(name)?.revision);
    return {
      known,
      missing,
      until: claims.missing?.until,
      each,
      size: claims.size,
      epochSeen: claims.epochSeen,
      isCurrent: claims.isCurrent,
      told,
    };
  }

  follow(name: string, isFollowed: boolean): void {
    if (isFollowed) this.claims.follow(name);
    else this.claims.unfollow(name);
  }

  tick(): void {
    if (this.waiting === undefined) this.claims.tick(this.client.now);
  }

  pause(): void {
    if (this.waiting !== undefined) return;
    this.waiting = [];
    this.client.sleep();
  }

  resume(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    this.client.wake(() => {
      for (const run of waiting) run();
    });
  }
}

describe('nodes that are told together', () => {
  it('are told once for all, but for those that stand still, until they go on', () => {
    const agenda = new Agenda();
    const engine = new Engine(agenda, new Random(1));
    const knowledge = new SharedKnowledge();
    const nodes = NODES.map((node) => new Follower(engine, node, 1, (client, ...rest) => knowledge.claimsOf(client).claims(...rest)));
    agenda.runUntil(10);
    const told = vi.spyOn(EngineClient.prototype, 'written');
    const writeOnce = (name: string): void => {
      write(engine, name, new Random(2));
      agenda.runUntil(agenda.now + 10);
    };
    writeOnce('live/a');
    expect(told).toHaveBeenCalledTimes(0);
    nodes[0]?.pause();
    writeOnce('live/b');
    expect(told).toHaveBeenCalledTimes(1);
    nodes[0]?.resume();
    writeOnce('live/c');
    expect(told).toHaveBeenCalledTimes(1);
    for (const { state } of nodes) expect(state).toMatchObject({ size: 3 });
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('know and hear what each would by itself (seed %i)', (seed) => {
    const random = new Random(seed);
    const agenda = new Agenda();
    const engine = new Engine(agenda, random.fork());
    const knowledge = new SharedKnowledge();
    const pairs = NODES.map((node, at) => ({
      together: new Follower(engine, node, 1 + (at % 2), (client, options, out) => knowledge.claimsOf(client).claims(options, out)),
      alone: new Follower(engine, node, 1 + (at % 2), (_client, options, out) => new ClaimReplica(options, out)),
    }));
    const both = (pair: (typeof pairs)[number] | undefined, act: (one: Follower) => void): void => {
      if (pair !== undefined) for (const one of [pair.together, pair.alone]) act(one);
    };
    for (let round = 0; round < 300; round++) {
      const pair = random.pick(pairs);
      const name = random.pick(NAMES) ?? '';
      const isFollowed = random.chance(0.6);
      const isCut = random.chance(0.5);
      switch (random.between(0, 11)) {
        case 0:
          both(pair, (one) => one.follow(name, isFollowed));
          break;
        case 1:
          both(pair, (one) => one.pause());
          break;
        case 2:
        case 3:
          both(pair, (one) => one.resume());
          break;
        case 4:
          both(pair, (one) => one.client.setCut(isCut));
          break;
        case 5:
          if (random.chance(0.2)) engine.stop();
          else engine.start();
          break;
        case 6:
          if (!engine.isRunning && random.chance(0.5)) engine.wipe();
          break;
        default:
          if (engine.isRunning) write(engine, name, random);
      }
      agenda.runUntil(agenda.now + (random.chance(0.02) ? random.between(1_000, 12_000) : random.between(0, 4)));
      for (const pair of pairs) both(pair, (one) => one.tick());
      for (const { together, alone } of pairs) expect(together.state).toEqual(alone.state);
    }
  });
});

function write(engine: Engine, name: string, random: Random): void {
  const key = PREFIX + name;
  const present: StoreEntry | undefined = engine.read(key);
  const holder = { node: random.pick(NODES) ?? '', incarnation: random.between(1, 2) };
  const value = random.chance(0.1)
    ? new TextEncoder().encode('garbage')
    : writeClaim({ holder, epoch: undefined, floor: random.between(0, 40), salt: 0, body: {} });
  engine.write(key, random.chance(0.3) ? undefined : value, present?.revision ?? 0);
}
