import { describe, expect, it } from 'vitest';
import { MemoryEngine } from './memory-engine.fixture.ts';
import { encodeRevocation, Revocations, revokedKey } from './revocations.ts';

const entry = (node: string, serial: string): Uint8Array => encodeRevocation({ v: 1, node, serial, revokedAtMs: 1, notAfterMs: 2 });

describe('the list of the revoked', () => {
  it('has a node with every certificate of its, as soon as it is written, and over a time without the store', () => {
    const engine = new MemoryEngine();
    const client = engine.client();
    engine.write(revokedKey('s1'), entry('a', 's1'), 0);
    const told: string[] = [];
    const revocations = new Revocations(client.store, ({ node }) => told.push(node));
    engine.advance(10);
    expect(revocations.has('a', 'another')).toBe(true);
    expect(revocations.has('b', 's1')).toBe(true);
    expect(revocations.has('b', 's2')).toBe(false);
    client.cut();
    engine.write(revokedKey('s2'), entry('b', 's2'), 0);
    engine.advance(100);
    expect([revocations.has('a', ''), revocations.has('b', 's2')]).toEqual([true, false]);
    client.heal();
    engine.advance(10);
    expect(told).toEqual(['a', 'b']);
    engine.write(revokedKey('s1'), undefined, engine.read(revokedKey('s1'))!.revision);
    engine.write(revokedKey('s3'), new Uint8Array([1]), 0);
    engine.advance(10);
    expect([revocations.has('a', 's1'), revocations.has('b', '')]).toEqual([false, true]);
    revocations.close();
  });

  it('forgets what was deleted while the store was away', () => {
    const engine = new MemoryEngine();
    const client = engine.client();
    engine.write(revokedKey('s1'), entry('a', 's1'), 0);
    const revocations = new Revocations(client.store, () => {});
    engine.advance(10);
    client.cut();
    engine.advance(10);
    engine.write(revokedKey('s1'), undefined, engine.read(revokedKey('s1'))!.revision);
    client.heal();
    engine.advance(10);
    expect(revocations.has('a', 's1')).toBe(false);
  });
});
