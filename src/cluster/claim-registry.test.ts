import { beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8Encode } from '../core/mod.ts';
import type { Holder } from './claim-record.ts';
import { ClaimRegistry } from './claim-registry.ts';
import { ClaimReplica } from './claim-replica.ts';
import { type MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';

interface Body {
  readonly says: string;
}

let engine: MemoryEngine;

beforeEach(() => {
  engine = new MemoryEngine();
});

/** The store goes away for a moment, and has nothing when it is back. */
function forgetAll(): void {
  engine.stop();
  engine.advance(100);
  engine.wipe();
  engine.start();
}

/** A node with a registry of its own, and all that it was told. */
class Node {
  readonly told: string[] = [];
  readonly client: MemoryClient = engine.client();
  readonly registry: ClaimRegistry<Body>;
  /** Holders that this node takes for dead. */
  readonly dead = new Set<string>();
  /** The replica says that it does not know all yet. */
  isLate = false;

  constructor(node: string, incarnation = 1) {
    const isLate = (): boolean => this.isLate;
    class LateReplica<Any> extends ClaimReplica<Any> {
      override get isCurrent(): boolean {
        return super.isCurrent && !isLate();
      }
    }
    this.registry = new ClaimRegistry<Body>(
      {
        share: { claims: (options, out) => new LateReplica(options, out) },
        store: this.client.store,
        prefix: 'streams/',
        followsAll: true,
        own: { node, incarnation },
        now: () => engine.now(),
        readBody: (json) => (typeof json === 'object' && json !== null && 'says' in json ? (json as Body) : undefined),
        isGone: (holder: Holder) => this.dead.has(holder.node),
        mayReplace: (_name, holder: Holder, _wasOurs, done) => done(this.dead.has(holder.node) || holder.node === node ? 'yes' : 'no'),
      },
      {
        changed: (name, claimed) =>
          this.told.push(claimed === undefined ? `${name} is gone` : `${name} by ${claimed.holder.node}: ${claimed.body.says}`),
        held: (name) => this.told.push(`held ${name}`),
        lost: (name, to) => this.told.push(`lost ${name} to ${to?.node}`),
        current: () => undefined,
      },
    );
    this.registry.start();
    engine.every(50, () => this.registry.tick(engine.now()));
  }
}

describe('claims in a registry', () => {
  it('say when they are to be ticked: not while nothing is under way', () => {
    const { client, registry } = new Node('one');
    registry.claim('live/show', { says: 'hello' });
    engine.advance(1_000);
    expect(registry.wakeAt).toBe(Number.POSITIVE_INFINITY);
    client.cut();
    registry.describe('live/show', { says: 'more' });
    // The call has failed after two seconds, and is made again soon.
    engine.advance(2_040);
    expect(registry.wakeAt - engine.now()).toBeGreaterThan(0);
    expect(registry.wakeAt - engine.now()).toBeLessThanOrEqual(100);
    client.heal();
    registry.release('live/show');
    engine.advance(10_000);
    expect(registry.size).toBe(0);
    expect(registry.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('are known everywhere, with what they say, until they are given up', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'hello' });
    engine.advance(100);
    expect(one.told).toEqual(expect.arrayContaining(['held live/show']));
    expect(two.registry.get('live/show')).toMatchObject({ holder: { node: 'one', incarnation: 1 }, body: { says: 'hello' } });
    const epoch = one.registry.heldEpoch('live/show');
    one.registry.describe('live/show', { says: 'more' });
    engine.advance(100);
    expect(two.registry.get('live/show')).toMatchObject({ epoch, body: { says: 'more' } });
    one.registry.release('live/show');
    engine.advance(100);
    expect(two.told).toEqual(['live/show by one: hello', 'live/show by one: more', 'live/show is gone']);
    expect(engine.under('streams/')).toEqual([]);
  });

  it('of many nodes at the same time are won by exactly one, each time with a greater epoch', () => {
    const nodes = Array.from({ length: 12 }, (_, index) => new Node(`n${index}`));
    let last = 0;
    for (let round = 0; round < 5; round++) {
      for (const { registry } of nodes) registry.claim('live/show', { says: '' });
      engine.advance(1_000);
      const holders = nodes.filter(({ registry }) => registry.heldEpoch('live/show') !== undefined);
      expect(holders).toHaveLength(1);
      const epoch = holders[0]?.registry.heldEpoch('live/show') ?? 0;
      expect(epoch).toBeGreaterThan(last);
      last = epoch;
      holders[0]?.registry.release('live/show');
      engine.advance(200);
    }
  });

  it('of a dead node are taken, and the one that comes back learns that it lost them', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'first' });
    engine.advance(100);
    const before = one.registry.heldEpoch('live/show') ?? 0;
    one.client.cut();
    two.dead.add('one');
    two.registry.claim('live/show', { says: 'second' });
    engine.advance(5_000);
    expect(two.registry.heldEpoch('live/show')).toBeGreaterThan(before);
    // Whoever is cut off goes on with what it has.
    expect(one.registry.heldEpoch('live/show')).toBe(before);
    one.client.heal();
    engine.advance(1_000);
    expect(one.told).toContain('lost live/show to two');
    expect(one.registry.heldEpoch('live/show')).toBeUndefined();
    expect(one.registry.get('live/show')?.holder.node).toBe('two');
  });

  it('that the store has as they were left are neither asked for nor written again when it is back', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'hello' });
    engine.advance(100);
    const calls = [vi.spyOn(engine, 'read'), vi.spyOn(engine, 'write')];
    const told = [...one.told, ...two.told];
    engine.stop();
    engine.advance(60_000);
    engine.start();
    engine.advance(5_000);
    for (const call of calls) expect(call).not.toHaveBeenCalled();
    expect([...one.told, ...two.told]).toEqual(told);
    // One that says something else meanwhile does so then.
    engine.stop();
    one.registry.describe('live/show', { says: 'more' });
    engine.advance(60_000);
    engine.start();
    engine.advance(5_000);
    expect(two.registry.get('live/show')?.body.says).toBe('more');
  });

  it('are lost to others who have them in a store that began anew, also with the same revision', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'first' });
    engine.advance(100);
    const { revision } = engine.read('streams/live/show') ?? {};
    one.client.cut();
    engine.wipe();
    two.client.cut();
    two.client.heal();
    two.dead.add('one');
    engine.advance(15_000);
    two.registry.claim('live/show', { says: 'second' });
    engine.advance(1_000);
    expect(engine.read('streams/live/show')?.revision).toBe(revision);
    one.client.heal();
    engine.advance(1_000);
    expect(one.told).toContain('lost live/show to two');
    expect(one.registry.heldEpoch('live/show')).toBeUndefined();
  });

  it('that are there already in the name of this process say what is wanted of them now', () => {
    const before = new Node('one');
    before.registry.claim('live/show', { says: 'before' });
    engine.advance(100);
    before.registry.stop();
    const now = new Node('one');
    now.registry.claim('live/show', { says: 'now' });
    engine.advance(100);
    expect(new TextDecoder().decode(engine.read('streams/live/show')?.value)).toContain('now');
  });

  it('that are made while the store is away hold as soon as it is back', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    engine.advance(100);
    engine.stop();
    one.registry.claim('live/show', { says: 'meanwhile' });
    engine.advance(60_000);
    expect(one.told).toEqual([]);
    engine.start();
    engine.advance(5_000);
    expect(one.registry.heldEpoch('live/show')).toBeDefined();
    expect(two.registry.get('live/show')?.body.says).toBe('meanwhile');
  });

  it('survive a store that forgot everything: they are put back as they were, and nobody is told of anything', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'kept' });
    two.registry.claim('live/other', { says: 'kept, too' });
    engine.advance(100);
    const epochs = [one.registry.heldEpoch('live/show'), two.registry.heldEpoch('live/other')];
    const before = [...one.told, ...two.told];
    const asked = vi.spyOn(engine, 'read');
    forgetAll();
    // Known all the time, also before it is there again.
    for (let ms = 0; ms < 5_000; ms++) {
      engine.advance(1);
      expect([one.registry.get('live/other')?.epoch, two.registry.get('live/show')?.epoch]).toEqual(epochs.toReversed());
    }
    expect([one.registry.heldEpoch('live/show'), two.registry.heldEpoch('live/other')]).toEqual(epochs);
    expect([...one.told, ...two.told]).toEqual(before);
    expect(engine.under('streams/')).toHaveLength(2);
    // What is missing is put back without a question.
    expect(asked).not.toHaveBeenCalled();
    // The new store counts as the old one did.
    one.registry.describe('live/show', { says: 'more' });
    engine.advance(100);
    expect(two.registry.get('live/show')).toMatchObject({ epoch: epochs[0], body: { says: 'more' } });
    one.registry.release('live/show');
    engine.advance(100);
    two.registry.claim('live/show', { says: 'mine' });
    engine.advance(100);
    expect(one.registry.get('live/show')?.epoch).toBeGreaterThan(epochs[0] ?? 0);
  });

  it('are told of where they were put back as something else', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'before' });
    engine.advance(100);
    engine.stop();
    one.registry.describe('live/show', { says: 'meanwhile' });
    forgetAll();
    engine.advance(5_000);
    expect(two.told).toEqual(['live/show by one: before', 'live/show by one: meanwhile']);
  });

  it('are given up by others when nobody puts them back for ten seconds', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: '' });
    two.registry.claim('live/other', { says: '' });
    engine.advance(100);
    one.client.cut();
    forgetAll();
    engine.advance(9_900);
    expect(two.registry.get('live/show')).toBeDefined();
    engine.advance(300);
    expect(two.registry.get('live/show')).toBeUndefined();
    expect(two.told.filter((line) => line.endsWith('is gone'))).toEqual(['live/show is gone']);
    one.client.heal();
    engine.advance(1_000);
    expect(two.registry.get('live/show')).toBeDefined();
  });

  it('are held and put back also by those who come back when others have put back theirs, and over another outage', () => {
    const [one, two, three] = [new Node('one'), new Node('two'), new Node('three')];
    for (const says of ['0', '1', '2']) {
      one.registry.claim('live/show', { says });
      two.registry.claim('live/other', { says });
      one.registry.describe('live/show', { says });
      two.registry.describe('live/other', { says });
      engine.advance(100);
    }
    const epoch = one.registry.heldEpoch('live/show');
    for (const { client } of [one, three]) client.cut();
    forgetAll();
    engine.advance(1_000);
    expect(engine.under('streams/').map(({ key }) => key)).toEqual(['streams/live/other']);
    three.client.heal();
    engine.advance(1_000);
    // The store has what was put back, and does not begin anew another time.
    engine.stop();
    engine.advance(15_000);
    engine.start();
    engine.advance(8_000);
    expect([two, three].map(({ registry }) => registry.get('live/show')?.epoch)).toEqual([epoch, epoch]);
    one.client.heal();
    engine.advance(5_000);
    expect([one, two, three].map(({ registry }) => registry.get('live/show')?.epoch)).toEqual([epoch, epoch, epoch]);
    for (const { told } of [one, two, three]) expect(told.filter((line) => line.endsWith('is gone'))).toEqual([]);
  });

  it('wait for what the store has, before they are put back', () => {
    const one = new Node('one');
    one.registry.claim('live/show', { says: '' });
    engine.advance(100);
    const epoch = one.registry.heldEpoch('live/show');
    one.isLate = true;
    forgetAll();
    engine.advance(1_000);
    expect(engine.under('streams/')).toEqual([]);
    expect(one.registry.heldEpoch('live/show')).toBe(epoch);
    one.isLate = false;
    engine.advance(2_000);
    expect(engine.under('streams/')).toHaveLength(1);
    expect(one.registry.heldEpoch('live/show')).toBe(epoch);
  });

  it('are not put back where somebody had them meanwhile: a store that says nothing of them has not forgotten them', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: 'first' });
    engine.advance(100);
    one.client.cut();
    two.dead.add('one');
    two.registry.claim('live/show', { says: 'second' });
    engine.advance(1_000);
    const second = two.registry.heldEpoch('live/show') ?? 0;
    two.registry.release('live/show');
    engine.advance(1_000);
    one.client.heal();
    engine.advance(1_000);
    expect(one.registry.heldEpoch('live/show')).toBeGreaterThan(second);
    expect(two.registry.get('live/show')?.epoch).toBe(one.registry.heldEpoch('live/show'));
  });

  it('that are gone from a store that has all others are gone at once', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: '' });
    one.registry.claim('live/other', { says: '' });
    engine.advance(100);
    two.client.cut();
    engine.advance(100);
    one.registry.release('live/show');
    engine.advance(100);
    two.client.heal();
    engine.advance(100);
    expect(two.registry.get('live/show')).toBeUndefined();
    expect(two.registry.get('live/other')).toBeDefined();
  });

  it('that were given up while the store was away leave nothing behind', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: '' });
    engine.advance(100);
    engine.stop();
    one.registry.release('live/show');
    engine.advance(30_000);
    engine.start();
    engine.advance(10_000);
    expect(engine.under('streams/')).toEqual([]);
    expect(two.registry.get('live/show')).toBeUndefined();
  });

  it('of a former run of this node are not held by the new one', () => {
    const one = new Node('one');
    one.registry.claim('live/show', { says: 'old' });
    engine.advance(100);
    one.client.cut();
    const again = new Node('one', 2);
    engine.advance(100);
    expect(again.registry.heldEpoch('live/show')).toBeUndefined();
    again.registry.claim('live/show', { says: 'new' });
    engine.advance(100);
    expect(again.registry.get('live/show')).toMatchObject({ holder: { incarnation: 2 }, body: { says: 'new' } });
  });

  it('replace garbage, and leave alone what needs a newer reader', () => {
    const { store } = engine.client();
    store.create('streams/live/bad', utf8Encode('{"v":1,"holder":"?'), () => undefined);
    store.create('streams/live/newer', utf8Encode('{"v":2,"anything":true}'), () => undefined);
    const one = new Node('one');
    engine.advance(100);
    one.registry.claim('live/bad', { says: 'fine' });
    one.registry.claim('live/newer', { says: 'no' });
    engine.advance(100);
    expect(one.registry.get('live/bad')?.body.says).toBe('fine');
    expect(one.told).toContain('lost live/newer to undefined');
    expect(one.registry.get('live/newer')).toBeUndefined();
  });

  it('are unaffected when both the store and the node flap', () => {
    const [one, two] = [new Node('one'), new Node('two')];
    one.registry.claim('live/show', { says: '0' });
    for (let round = 1; round <= 50; round++) {
      one.registry.describe('live/show', { says: String(round) });
      if (round % 3 === 0) one.client.cut();
      else one.client.heal();
      if (round % 7 === 0) engine.stop();
      else engine.start();
      engine.advance((round * 37) % 200);
    }
    one.client.heal();
    engine.start();
    engine.advance(10_000);
    expect(two.registry.get('live/show')?.body.says).toBe('50');
    expect(one.told.filter((line) => line.startsWith('lost'))).toEqual([]);
  });
});
