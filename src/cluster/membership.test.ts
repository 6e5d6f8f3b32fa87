import { beforeEach, describe, expect, it } from 'vitest';
import { durationMs } from '../core/mod.ts';
import { CLUSTER_IDENTITY_KEY, encodeClusterIdentity } from './cluster-identity.ts';
import { encodeHeartbeat, heartbeatSubject } from './heartbeat.ts';
import { load, MemberProcess } from './member-process.fixture.ts';
import type { MembershipOptions } from './membership-options.ts';
import { type MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';
import { decodeNodeRecord, encodeNodeRecord, type NodeRecord, nodeKey, withStatus } from './node-record.ts';
import { encodeRevocation, revokedKey } from './revocations.ts';
import { encodeVersioned } from './versioned-json.ts';

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

const stored = (id: string): NodeRecord | undefined => {
  const entry = engine.read(nodeKey(id));
  return entry === undefined ? undefined : decodeNodeRecord(entry.value);
};

/** As an operator's call of the API does. */
function operatorWrites(id: string, change: (record: NodeRecord) => NodeRecord | undefined): void {
  const entry = engine.read(nodeKey(id))!;
  const next = change(decodeNodeRecord(entry.value)!);
  engine.write(nodeKey(id), next === undefined ? undefined : encodeNodeRecord(next), entry.revision);
}

function operatorRemoves(id: string): void {
  const serial = `serial-${id}`;
  engine.write(revokedKey(serial), encodeRevocation({ v: 1, node: id, serial, revokedAtMs: 1, notAfterMs: 2 }), 0);
  operatorWrites(id, () => undefined);
}

describe('a node that starts', () => {
  it('registers with its first incarnation, is active, and is heard by the others within two seconds', () => {
    const a = new Process('a');
    engine.advance(100);
    expect(a.states).toEqual([['active', undefined]]);
    expect(a.membership.incarnation).toBe(1);
    const b = new Process('b');
    engine.advance(2000);
    expect(a.view('b')).toMatchObject({ incarnation: 1, isStale: false, heartbeat: { cpu: 0.25, viewers: { webrtc: 3 } } });
    expect(b.view('a')).toMatchObject({ incarnation: 1, isStale: false, heartbeat: { id: 'a' } });
    expect(a.membership.isAlive('b', 1)).toBe(true);
    expect(a.membership.isAlive('b', 2)).toBe(false);
  });

  it('takes the record of its join over, and grows the incarnation by one at each start', () => {
    const record: NodeRecord = {
      v: 1,
      id: 'a',
      region: 'eu',
      roles: ['edge'],
      status: 'active',
      incarnation: 0,
      endpoints: { http: 'http://a' },
      version: '',
      protocol: 1,
      joinedAtMs: 77,
    };
    engine.write(nodeKey('a'), encodeNodeRecord(record), 0);
    for (const incarnation of [1, 2, 3]) {
      const a = new Process('a');
      engine.advance(50);
      expect(stored('a')).toMatchObject({ incarnation, joinedAtMs: 77, version: '1.0.0' });
      a.kill();
    }
  });

  it('is not drained any more when it was, but still disabled', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(50);
    operatorWrites('a', (record) => withStatus(record, { status: 'draining', drain: { forMs: 1000, deadlineWallMs: 99 } }));
    operatorWrites('b', (record) => withStatus(record, { status: 'disabled' }));
    engine.advance(50);
    expect([a.states.at(-1), b.states.at(-1)]).toEqual([
      ['draining', 1000],
      ['disabled', undefined],
    ]);
    a.kill();
    b.kill();
    const states = [new Process('a'), new Process('b')];
    engine.advance(50);
    expect(states.map(({ state }) => state)).toEqual(['active', 'disabled']);
    expect(stored('a')).not.toHaveProperty('drainForMs');
  });

  it('waits for a store that is out of reach, and serves nothing of the cluster meanwhile', () => {
    const client = engine.client();
    client.cut();
    const a = new Process('a', {}, client);
    engine.advance(60_000);
    expect(a.states).toEqual([]);
    expect(a.membership.incarnation).toBeUndefined();
    client.heal();
    engine.advance(8000);
    expect(a.state).toBe('active');
  });

  it('does not join a store that is another cluster of the same name', () => {
    engine.write(CLUSTER_IDENTITY_KEY, encodeClusterIdentity({ v: 1, id: 'other', name: 'sluice', caSha256: '' }), 0);
    const a = new Process('a');
    engine.advance(5000);
    expect(a.states).toEqual([['foreign', undefined]]);
    expect(stored('a')).toBeUndefined();
    expect(a.membership.incarnation).toBeUndefined();
  });
});

describe('staleness', () => {
  it('comes six seconds after the last heartbeat, and goes with the next', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(3000);
    b.pause();
    engine.advance(5500);
    expect(a.view('b')?.isStale).toBe(false);
    engine.advance(2000);
    expect(a.view('b')?.isStale).toBe(true);
    expect(a.told.at(-1)).toBe('b stale 1');
    b.resume();
    engine.advance(1500);
    expect(a.view('b')?.isStale).toBe(false);
    expect(a.told.at(-1)).toBe('b active 1');
  });

  it('is not judged while the own bus is away, and everybody has a full period after it', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(3000);
    a.client.cut();
    b.kill();
    engine.advance(600_000);
    expect(a.view('b')?.isStale).toBe(false);
    a.client.heal();
    engine.advance(5900);
    expect(a.view('b')?.isStale).toBe(false);
    engine.advance(1200);
    expect(a.view('b')?.isStale).toBe(true);
  });

  it('stays as it was for a node that was stale before the cut', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(3000);
    b.kill();
    engine.advance(8000);
    a.client.cut();
    engine.advance(8000);
    a.client.heal();
    engine.advance(3000);
    expect(a.view('b')?.isStale).toBe(true);
  });

  it('makes nobody stale when the whole engine is away for ten minutes', () => {
    const nodes = ['a', 'b', 'c'].map((id) => new Process(id));
    engine.advance(3000);
    for (const node of nodes) node.told.length = 0;
    engine.stop();
    engine.advance(600_000);
    engine.start();
    engine.advance(20_000);
    for (const node of nodes) {
      expect(node.told.filter((line) => line.includes('stale') || line.includes('gone'))).toEqual([]);
      expect(node.state).toBe('active');
    }
  });

  it('is not judged by a process that itself stood still', () => {
    const a = new Process('a');
    new Process('b');
    engine.advance(3000);
    a.pause();
    const tick = engine.now() + 20_000;
    // The pause of a process: what comes meanwhile is read after the first tick.
    a.membership.tick((tick + 0) as never);
    expect(a.view('b')?.isStale).toBe(false);
  });

  it('does not care about wall clocks: an hour ahead, and back again', () => {
    const a = new Process('a');
    const b = new Process('b');
    const c = new Process('c');
    engine.advance(3000);
    b.client.wallOffsetMs = 3_600_000;
    engine.advance(10_000);
    expect(a.view('b')).toMatchObject({ isStale: false });
    expect(a.view('b')?.clockOffsetMs).toBeGreaterThan(3_590_000);
    expect(b.warnings).toEqual(['cluster.clock-off']);
    expect([...a.warnings, ...c.warnings]).toEqual([]);
    b.client.wallOffsetMs = -3_600_000;
    engine.advance(10_000);
    expect([a.view('b')?.isStale, b.view('a')?.isStale]).toEqual([false, false]);
  });
});

describe('a restart', () => {
  it('makes claims of the old process void at once, and the node fresh', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(3000);
    b.kill();
    engine.advance(1000);
    expect(a.membership.isAlive('b', 1)).toBe(true);
    new Process('b');
    engine.advance(100);
    expect([a.membership.isAlive('b', 1), a.membership.isAlive('b', 2)]).toEqual([false, true]);
  });

  it('is not undone by a late heartbeat of the old process', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    b.kill();
    new Process('b');
    engine.advance(1000);
    b.client.bus.publish(heartbeatSubject('eu', 'b'), encodeHeartbeat({ ...load, v: 1, id: 'b', incarnation: 1, sentMs: 1, streams: 99 }));
    engine.advance(100);
    expect(a.view('b')).toMatchObject({ incarnation: 2, heartbeat: { streams: 1 } });
  });

  it('of a copy of the node puts the older process out, which says so', () => {
    const first = new Process('a');
    engine.advance(2000);
    const second = new Process('a');
    engine.advance(2000);
    expect(first.state).toBe('superseded');
    expect(first.membership.incarnation).toBeUndefined();
    expect([second.state, second.membership.incarnation]).toEqual(['active', 2]);
    engine.advance(60_000);
    expect(stored('a')?.incarnation).toBe(2);
  });

  it('of two copies at the same moment gives each its own incarnation, and one of them stays', () => {
    const copies = [new Process('a'), new Process('a'), new Process('a')];
    engine.advance(5000);
    expect(copies.map(({ state }) => state).sort()).toEqual(['active', 'superseded', 'superseded']);
  });
});

describe('what operators do', () => {
  it('reaches the node and all others', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    operatorWrites('b', (record) => withStatus(record, { status: 'draining', drain: { forMs: 300_000, deadlineWallMs: 1 } }));
    engine.advance(100);
    expect(b.states.at(-1)).toEqual(['draining', 300_000]);
    expect(a.view('b')?.record.status).toBe('draining');
    // The same length again is another deadline.
    operatorWrites('b', (record) => withStatus(record, { status: 'draining', drain: { forMs: 300_000, deadlineWallMs: 2 } }));
    engine.advance(100);
    expect(b.states.filter(([state]) => state === 'draining')).toHaveLength(2);
    operatorWrites('b', (record) => withStatus(record, { status: 'active' }));
    engine.advance(100);
    expect(b.state).toBe('active');
  });

  it('is kept over a store that forgets, and nobody is removed by that', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    const change = { atMs: 5, by: 'key:abc' };
    operatorWrites('b', (record) => withStatus(record, { status: 'disabled', change }));
    engine.advance(1000);
    engine.stop();
    engine.wipe();
    engine.start();
    engine.advance(5000);
    expect([a.state, b.state]).toEqual(['active', 'disabled']);
    expect(stored('b')).toMatchObject({ status: 'disabled', incarnation: 1, statusChange: change });
    expect(a.view('b')).toMatchObject({ isStale: false, incarnation: 1 });
  });

  it('removes a node: the others drop it, it says so itself and does not come back, also not by a restart', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    operatorRemoves('b');
    engine.advance(1000);
    expect(b.state).toBe('removed');
    expect(b.membership.incarnation).toBeUndefined();
    expect(a.told.at(-1)).toBe('b gone');
    b.kill();
    const again = new Process('b');
    engine.advance(60_000);
    expect(again.state).toBe('removed');
    expect(a.view('b')).toBeUndefined();
  });

  it('removes a node that is cut off: it learns of it when it is back', () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    b.client.cut();
    operatorRemoves('b');
    engine.advance(60_000);
    expect(b.state).toBe('active');
    expect(a.view('b')).toBeUndefined();
    b.client.heal();
    engine.advance(1000);
    expect(b.state).toBe('removed');
    expect(stored('b')).toBeUndefined();
  });

  it("yields to the node's own wish to drain, also when the store is away at that moment", () => {
    const a = new Process('a');
    const b = new Process('b');
    engine.advance(1000);
    b.client.cut();
    b.membership.setOwnStatus('draining', { forMs: 5000, deadlineWallMs: 5 });
    expect(b.states.at(-1)).toEqual(['draining', 5000]);
    engine.advance(10_000);
    b.client.heal();
    engine.advance(6000);
    expect(a.view('b')?.record).toMatchObject({ status: 'draining', drainForMs: 5000, statusChange: { by: 'b' } });
    expect(b.state).toBe('draining');
  });
});

describe('what comes from elsewhere', () => {
  it('is skipped when it is garbage, of a newer version, or of a node that is not known', () => {
    const a = new Process('a');
    engine.advance(1000);
    const told = a.told.length;
    const { bus } = a.client;
    bus.publish('heartbeat/eu/x', new Uint8Array([1, 2, 3]));
    bus.publish('heartbeat/eu/x', encodeHeartbeat({ ...load, v: 1, id: 'x', incarnation: 9, sentMs: 1 }));
    engine.write('nodes/y', new Uint8Array([255]), 0);
    engine.write('nodes/z', encodeVersioned({ v: 2, id: 'z' } as never), 0);
    engine.write('nodes/w', engine.read(nodeKey('a'))!.value, 0);
    engine.advance(1000);
    expect(a.told.length).toBe(told);
  });

  it('is read when it has only more fields than are known', () => {
    const a = new Process('a');
    engine.advance(500);
    const record = { ...stored('a')!, id: 'n', roles: ['edge', 'oracle'], colour: 'red' };
    engine.write('nodes/n', encodeVersioned(record as never), 0);
    engine.advance(100);
    expect(a.view('n')?.record).toMatchObject({ id: 'n', roles: ['edge'] });
  });

  it('is bounded: nodes past the limit are not seen, this one always is', () => {
    const b = new Process('b');
    const c = new Process('c');
    engine.advance(500);
    const a = new Process('a', { nodesMax: 2 });
    engine.advance(2000);
    expect([...a.membership.nodes()].map(({ record }) => record.id)).toEqual(['b', 'c', 'a']);
    new Process('d');
    engine.advance(2000);
    expect(a.view('d')).toBeUndefined();
    expect(a.warnings).toEqual(['cluster.too-many-nodes']);
    expect([b.view('d'), c.view('d')]).not.toContain(undefined);
  });
});

it('a node is stale after the time that the cluster has set, also when that changes', () => {
  let staleMs = durationMs(10_000);
  const [a, b] = [new Process('a', { staleMs: () => staleMs }), new Process('b')];
  engine.advance(3000);
  b.kill();
  engine.advance(9000);
  expect(a.view('b')?.isStale).toBe(false);
  engine.advance(2000);
  expect(a.view('b')?.isStale).toBe(true);
  staleMs = durationMs(3000);
  const c = new Process('c');
  engine.advance(3000);
  c.kill();
  engine.advance(4000);
  expect(a.view('c')?.isStale).toBe(true);
});
