import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { encodeRevocation, nodeKey, revokedKey } from '../../cluster/mod.ts';
import { keptNatsMembers, NatsMembers } from './nats-members.ts';

let folder: string;
let engine: MemoryEngine;
let told: (readonly string[])[];
let failed: unknown[];
let pump: NodeJS.Timeout;
const open: NatsMembers[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-members-'));
  engine = new MemoryEngine();
  told = [];
  failed = [];
  pump = setInterval(() => engine.advance(10), 1);
});
afterEach(() => {
  for (const members of open.splice(0)) members.close();
  clearInterval(pump);
  rmSync(folder, { recursive: true, force: true });
});

const file = (): string => join(folder, 'members.json');
function begin(): NatsMembers {
  const members = new NatsMembers(engine.client().store, {
    file: file(),
    ownId: 'own',
    admit: (ids) => told.push(ids),
    failed: (error) => failed.push(error),
  });
  open.push(members);
  return members;
}
const joined = (id: string): void => void engine.write(nodeKey(id), new TextEncoder().encode('{"v":9}'), 0);
const remove = (id: string): void =>
  void engine.write(
    revokedKey(`serial-${id}`),
    encodeRevocation({ v: 1, node: id, serial: `serial-${id}`, revokedAtMs: 1, notAfterMs: 2 }),
    0,
  );
const lastTold = (ids: readonly string[]): Promise<void> => vi.waitFor(() => expect(told.at(-1)).toEqual(ids), 10_000);

it('lets in who has a record, whatever it says, and keeps out who was removed', async () => {
  begin();
  joined('a');
  joined('b');
  await lastTold(['a', 'b', 'own']);
  remove('a');
  await lastTold(['b', 'own']);
  // A record that the removed node has put there once more.
  engine.write(nodeKey('a'), new TextEncoder().encode('{"v":1}'), 1);
  joined('c');
  await lastTold(['b', 'c', 'own']);
});

it('keeps them for the next start, for their owner alone, and loses none with the store', async () => {
  begin();
  joined('a');
  await lastTold(['a', 'own']);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(keptNatsMembers(file(), 'own')).toEqual(['own', 'a']);
  engine = new MemoryEngine();
  begin();
  joined('b');
  await lastTold(['a', 'b', 'own']);
});

it('never puts out the node that runs the server, and takes nothing for a member that is none', async () => {
  begin();
  remove('own');
  joined('x.y');
  joined('a');
  await lastTold(['a', 'own']);
});

it('tries again when the disk does not take them', async () => {
  begin();
  mkdirSync(file());
  joined('a');
  await vi.waitFor(() => expect(failed).toMatchObject([{ code: 'cluster.identity-unwritable' }]), 10_000);
  expect(told).toEqual([]);
  rmdirSync(file());
  await lastTold(['a', 'own']);
});
