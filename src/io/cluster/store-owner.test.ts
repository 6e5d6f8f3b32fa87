import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { CLUSTER_IDENTITY_KEY, decodeClusterIdentity, encodeRevocation, revokedKey } from '../../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { foundCluster, loadIdentity, type NodeIdentity, noteRemoval, saveIdentity } from './node-identity.ts';
import { checkSharedFile, checkStoreOwner, isRevoked } from './store-owner.ts';

let engine: MemoryEngine;
let first: NodeIdentity;
let second: NodeIdentity;
let pump: NodeJS.Timeout;

const found = (): Promise<NodeIdentity> =>
  foundCluster(
    {
      clusterName: 'tv',
      roles: ['manager'],
      region: 'eu',
      endpoints: { http: 'http://127.0.0.1:1', relay: '127.0.0.1:2' },
      coordination: { kind: 'nats', servers: ['nats://127.0.0.1:4222'], user: '', password: '', ca: '' },
    },
    new Date(),
  );
/** A node of the cluster that is no manager. */
const nodeOf = ({ caPrivateKey: _, ...identity }: NodeIdentity): NodeIdentity => ({ ...identity, roles: ['edge'] });

const check = (identity: NodeIdentity, client = engine.client(), isNew = true): Promise<void> =>
  checkStoreOwner(client.store, identity, isNew);

async function owner(): Promise<string | undefined> {
  const value = await new Promise<Uint8Array | undefined>((resolve) => {
    engine.client().store.get(CLUSTER_IDENTITY_KEY, (result) => resolve(result.ok ? result.value?.value : undefined));
  });
  return value && decodeClusterIdentity(value)?.id;
}

beforeAll(async () => {
  [first, second] = [await found(), await found()];
});
beforeEach(() => {
  engine = new MemoryEngine();
  clearInterval(pump);
  pump = setInterval(() => engine.advance(10), 1);
});
afterAll(() => clearInterval(pump));

describe('the owner of a store', () => {
  it('is the cluster whose manager comes first', async () => {
    await check(first);
    expect(await owner()).toBe(first.clusterId);
  });

  it('is known to its own nodes, however often they start', async () => {
    await check(first);
    for (const identity of [first, nodeOf(first)]) await expect(check(identity)).resolves.toBeUndefined();
  });

  it('is not said anew at once by a manager that starts again: another one may be about to fill a store that lost everything', async () => {
    await check(first, engine.client(), false);
    expect(await owner()).toBeUndefined();
    // Nobody does.
    await vi.waitFor(async () => expect(await owner()).toBe(first.clusterId), { timeout: 15_000, interval: 100 });
  }, 20_000);

  it('is told to managers and nodes of another cluster of the same name, who change nothing', async () => {
    await check(first);
    for (const identity of [second, nodeOf(second)])
      await expect(check(identity)).rejects.toMatchObject({
        code: 'cluster.foreign-store',
        message: expect.stringContaining(first.clusterId) as string,
      });
    expect(await owner()).toBe(first.clusterId);
  });

  it('is one of two that are founded at the same moment', async () => {
    const outcomes = await Promise.allSettled([check(first), check(second)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is nobody for a node that comes before its manager, which may start', async () => {
    await expect(check(nodeOf(first))).resolves.toBeUndefined();
    expect(await owner()).toBeUndefined();
  });

  it('does not matter while the store is out of reach: the node starts', async () => {
    const client = engine.client();
    client.cut();
    await expect(check(first, client)).resolves.toBeUndefined();
  });
});

describe('a store in a file', () => {
  it("is opened by a node that joined only where it is, and is its cluster's: nothing is made elsewhere", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-store-file-'));
    const elsewhere = { code: 'cluster.store-elsewhere', message: expect.stringContaining('coordination nats-server') as string };
    await expect(checkSharedFile(folder, nodeOf(first))).rejects.toMatchObject(elsewhere);
    expect(readdirSync(folder)).toEqual([]);
    const store = new EmbeddedStore({ file: join(folder, 'store.sqlite') });
    await expect(checkSharedFile(folder, nodeOf(first))).rejects.toMatchObject(elsewhere);
    await checkStoreOwner(store, second, true);
    await expect(checkSharedFile(folder, nodeOf(first))).rejects.toMatchObject(elsewhere);
    await expect(checkSharedFile(folder, nodeOf(second))).resolves.toBeUndefined();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is not called another one while it is locked, or cannot be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-store-file-'));
    const file = join(folder, 'store.sqlite');
    const store = new EmbeddedStore({ file });
    await checkStoreOwner(store, second, true);
    store.close();
    // Who opens a file for the first time, or closes it for the last, holds all of it for a moment.
    const other = new DatabaseSync(file);
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    setTimeout(() => other.close(), 100);
    const elsewhere = expect(checkSharedFile(folder, nodeOf(first))).rejects.toMatchObject({ code: 'cluster.store-elsewhere' });
    await expect(checkSharedFile(folder, nodeOf(second))).resolves.toBeUndefined();
    await elsewhere;
    writeFileSync(file, 'no database');
    await expect(checkSharedFile(folder, nodeOf(first))).resolves.toBeUndefined();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('a node that was removed', () => {
  const revoke = (node: string): void =>
    void engine.write(
      revokedKey(`serial-${node}`),
      encodeRevocation({ v: 1, node, serial: `serial-${node}`, revokedAtMs: 1, notAfterMs: 2 }),
      0,
    );

  it('is on the list of the store, where that can be told', async () => {
    revoke(first.nodeId);
    const client = engine.client();
    expect([await isRevoked(client.store, first.nodeId), await isRevoked(client.store, second.nodeId)]).toEqual([true, false]);
    client.cut();
    expect(await isRevoked(client.store, first.nodeId)).toBe(false);
  });

  it('is told so by its own identity from then on, with what to do', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-removed-'));
    saveIdentity(folder, first);
    expect(loadIdentity(folder)).toEqual(first);
    noteRemoval(folder, first);
    expect(() => loadIdentity(folder)).toThrow(
      expect.objectContaining({ code: 'cluster.node-removed', message: expect.stringContaining('join again with a token') as string }),
    );
    rmSync(folder, { recursive: true, force: true });
  });
});
