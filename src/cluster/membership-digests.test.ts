import { beforeEach, describe, expect, it } from 'vitest';
import { HEARTBEATS } from './heartbeat.ts';
import { MemberProcess } from './member-process.fixture.ts';
import type { MembershipOptions } from './membership-options.ts';
import { type MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';
import { NODES_PREFIX, nodeKey } from './node-record.ts';
import { decodeDigest, encodeDigest, type RegionDigest } from './region-digest.ts';

let engine: MemoryEngine;

beforeEach(() => {
  engine = new MemoryEngine();
});

/** Processes of the present engine. */
class Process extends MemberProcess {
  constructor(id: string, options?: Partial<MembershipOptions>, client?: MemoryClient) {
    super(engine, id, options, client);
  }
}

const edge = (id: string, region: string, protocol = 1): Process =>
  new Process(id, { own: { id, region, roles: ['edge'], endpoints: { http: `http://${id}` }, version: '1', protocol, joinedAtMs: 5 } });

describe('a cluster of many nodes', () => {
  /** Two regions of `each` nodes, `e…` and `u…`. */
  function many(each: number): { readonly eu: Process[]; readonly us: Process[] } {
    const make = (region: string): Process[] =>
      Array.from({ length: each }, (_, at) => edge(`${region[0]}${String(at).padStart(2, '0')}`, region));
    const nodes = { eu: make('eu'), us: make('us') };
    engine.advance(20_000);
    return nodes;
  }

  it('lets a few of each region hear heartbeats, and tells all others by digests', () => {
    const { eu, us } = many(10);
    expect(eu.map(({ membership }) => membership.heardNodes)).toEqual([10, 10, 10, 0, 0, 0, 0, 0, 0, 0]);
    expect(us[9]?.view('e05')).toMatchObject({ isStale: false, heartbeat: undefined });
    expect(us[9]?.view('e05')?.headroom).toBeCloseTo(0.75, 1);
    expect(us[9]?.membership.recordsOf('eu').map(({ id }) => id)).toEqual(eu.map((_, at) => `e0${at}`));
    expect(us[9]?.membership.recordsOf('elsewhere')).toEqual([]);
    eu[5]?.kill();
    engine.advance(8_500);
    for (const node of [...eu.slice(0, 5), ...us]) expect(node.view('e05')?.isStale).toBe(true);
    new Process('e05', {}, eu[5]!.client);
    engine.advance(3_000);
    for (const node of [...eu.slice(0, 5), ...us]) expect(node.view('e05')?.isStale).toBe(false);
  });

  it('goes on when those die who spoke for a region: nobody else counts as stale', () => {
    const { eu, us } = many(10);
    for (const node of [...eu, ...us]) node.told.length = 0;
    for (const node of eu.slice(0, 3)) node.kill();
    engine.advance(30_000);
    for (const node of [...eu.slice(3), ...us]) {
      const stale = node.told.filter((line) => line.includes('stale'));
      expect(stale.sort()).toEqual(['e00 stale 1', 'e01 stale 1', 'e02 stale 1']);
    }
    expect(eu[3]?.membership.heardNodes).toBe(10);
  });

  it('takes a region that says nothing any more for stale, and back again', () => {
    const { eu, us } = many(10);
    for (const { client } of eu) client.cut();
    engine.advance(13_000);
    for (const node of us) expect([...node.membership.nodes()].filter(({ isStale }) => isStale)).toHaveLength(10);
    for (const node of eu) expect([...node.membership.nodes()].filter(({ isStale }) => isStale)).toHaveLength(0);
    for (const { client } of eu) client.heal();
    engine.advance(12_000);
    for (const node of [...us, ...eu]) expect([...node.membership.nodes()].filter(({ isStale }) => isStale)).toHaveLength(0);
  });

  it('keeps of those that were stale once no more than of the others', () => {
    const { eu, us } = many(10);
    for (const { client } of eu) client.cut();
    engine.advance(13_000);
    const views = us.map((node) => node.view('e05'));
    for (const { client } of eu) client.heal();
    engine.advance(12_000);
    // Those of whom only digests are heard are looked at anew.
    const isSame = us.map((node, at) => node.view('e05') === views[at]);
    expect(isSame).toEqual(us.map(() => false));
  });

  it('gives those their time of whom nothing but their record is known, each from when that came', () => {
    const { eu, us } = many(10);
    for (const node of eu) node.kill();
    engine.advance(60_000);
    const stale = (id: string): boolean[] => us.map((node) => node.view(id)?.isStale === true);
    for (const id of ['e10', 'e11']) {
      const dying = edge(id, 'eu');
      engine.advance(200);
      dying.kill();
      engine.advance(8_000);
      expect(stale(id)).toEqual(us.map(() => false));
    }
    expect(stale('e10')).toEqual(us.map(() => true));
    engine.advance(4_000);
    expect(stale('e11')).toEqual(us.map(() => true));
  });

  it('makes nobody stale when the whole engine is away for ten minutes', () => {
    const { eu, us } = many(10);
    for (const node of [...eu, ...us]) node.told.length = 0;
    engine.stop();
    engine.advance(600_000);
    engine.start();
    engine.advance(20_000);
    for (const node of [...eu, ...us]) expect(node.told.filter((line) => line.includes('stale') || line.includes('gone'))).toEqual([]);
  });

  it('stays what it was over a store that loses everything: nobody is told of anybody, and no more is heard than before', () => {
    const { eu, us } = many(10);
    const nodes = [...eu, ...us];
    const heard = nodes.map(({ membership }) => membership.heardNodes);
    for (const node of nodes) node.told.length = 0;
    // The store is away once more before this one has put its record back.
    us[9]?.client.cut();
    for (const isWiped of [true, false]) {
      engine.stop();
      engine.advance(500);
      if (isWiped) engine.wipe();
      engine.start();
      engine.advance(1_500);
      expect(nodes.map(({ membership }) => membership.heardNodes)).toEqual(heard);
    }
    expect(engine.under(NODES_PREFIX)).toHaveLength(nodes.length - 1);
    us[9]?.client.heal();
    engine.advance(20_000);
    for (const node of nodes) expect(node.told).toEqual([]);
    expect(engine.under(NODES_PREFIX)).toHaveLength(nodes.length);
  });

  it('lets those go that do not come back into a store that lost everything', () => {
    const { eu, us } = many(10);
    const others = [...eu.slice(0, 7), ...eu.slice(8), ...us];
    for (const node of others) node.told.length = 0;
    eu[7]?.kill();
    engine.stop();
    engine.wipe();
    engine.start();
    engine.advance(9_000);
    for (const node of others) expect(node.membership.record('e07')).toBeDefined();
    engine.advance(3_000);
    for (const node of others) expect([node.membership.record('e07'), node.told.at(-1)]).toEqual([undefined, 'e07 gone']);
  });

  it('lets those go at once that were taken out while the store was away, and is told of nothing else again', () => {
    const { eu, us } = many(10);
    const others = [...eu.slice(0, 7), ...eu.slice(8), ...us];
    eu[7]?.kill();
    engine.advance(20_000);
    for (const node of others) node.told.length = 0;
    engine.stop();
    engine.advance(500);
    engine.write(nodeKey('e07'), undefined, engine.read(nodeKey('e07'))?.revision ?? 0);
    engine.start();
    engine.advance(500);
    for (const node of others) expect(node.told).toEqual(['e07 gone']);
  });

  it('believes a node that counts its processes from 1 again, as the store has lost everything, also where only digests are heard', () => {
    const { eu, us } = many(10);
    const [node, far] = [eu[5]!, us[9]!];
    node.kill();
    const second = new Process('e05', {}, node.client);
    engine.advance(5_000);
    far.view('e05');
    expect(far.membership.isAlive('e05', 2)).toBe(true);
    far.client.cut();
    engine.stop();
    second.kill();
    engine.wipe();
    engine.start();
    new Process('e05', {}, node.client);
    engine.advance(3_000);
    far.client.heal();
    engine.advance(10_000);
    expect(far.membership.record('e05')?.incarnation).toBe(1);
    expect(far.membership.isAlive('e05', 1)).toBe(true);
  });

  it('is not misled by an observer that stood still: it says nothing before it has listened for a while', () => {
    const { eu, us } = many(10);
    eu[0]?.pause();
    eu[7]?.kill();
    engine.advance(12_000);
    expect(us[3]?.view('e07')?.isStale).toBe(true);
    for (const node of us) node.told.length = 0;
    eu[0]?.resume();
    engine.advance(20_000);
    for (const node of us) expect(node.told.filter((line) => line.startsWith('e07'))).toEqual([]);
    expect(us[3]?.view('e00')?.isStale).toBe(false);
  });

  it('reads digests only of those who know the same nodes, and no garbage', () => {
    const { us } = many(10);
    const digest: RegionDigest = {
      v: 1,
      region: 'eu',
      node: 'e01',
      incarnation: 1,
      count: 1e6,
      sentMs: 1,
      roster: 1,
      stale: [0, 1, 2, 3],
      levels: '0'.repeat(10),
    };
    us[0]!.client.bus.publish('digest/eu', encodeDigest(digest));
    us[0]!.client.bus.publish('digest/eu', new Uint8Array([1, 2, 3]));
    engine.advance(100);
    for (const node of us) expect(node.view('e02')?.isStale).toBe(false);
    expect(decodeDigest(encodeDigest(digest))).toEqual(digest);
    for (const broken of [{ stale: 1 }, { levels: 7 }, { node: 'a b' }, { roster: -1 }, { v: 2 }]) {
      expect(decodeDigest(encodeDigest({ ...digest, ...broken } as never))).toBeUndefined();
    }
  });
});

describe('heartbeats in a cluster of several versions', () => {
  const versions = (ms: number): string[] => {
    const seen = new Set<string>();
    const end = engine.client().bus.subscribe(HEARTBEATS, (_subject, message) => {
      const [first = 0] = message;
      seen.add(String.fromCharCode(first) === '{' ? 'JSON' : `version ${first}`);
    });
    engine.advance(ms);
    end();
    return [...seen];
  };

  it('are JSON as long as one node reads no other ones, and are read by all', () => {
    const [a, b] = [edge('a', 'eu', 3), edge('b', 'eu', 3)];
    engine.advance(3_000);
    expect(versions(3_000)).toEqual(['version 3']);
    expect(a.view('b')?.heartbeat?.cpu).toBe(0.25);
    const c = edge('c', 'eu', 2);
    engine.advance(3_000);
    expect(versions(3_000)).toEqual(['JSON']);
    for (const node of [a, b, c]) for (const id of ['a', 'b', 'c']) expect(node.view(id)?.heartbeat?.viewers.webrtc).toBe(3);
    c.kill();
    // The same node with newer software.
    edge('c', 'eu', 3);
    engine.advance(3_000);
    expect(versions(3_000)).toEqual(['version 3']);
  });

  it('go by who is a member: one that was removed is not minded any more', () => {
    edge('a', 'eu', 3);
    const b = edge('b', 'eu', 2);
    engine.advance(3_000);
    b.kill();
    expect(versions(3_000)).toEqual(['JSON']);
    engine.write(nodeKey('b'), undefined, engine.read(nodeKey('b'))?.revision ?? 0);
    engine.advance(1_000);
    expect(versions(3_000)).toEqual(['version 3']);
  });
});
