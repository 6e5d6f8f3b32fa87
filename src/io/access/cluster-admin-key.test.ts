import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessReplica } from '../../access/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { Secrets } from '../secrets.ts';
import { ADMIN_KEY_NAME, ApiKeyStore, ClusterAdminKey, type ClusterAdminKeyOptions } from './mod.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const LATER = new Date('2026-02-02T03:04:05Z');
let folder: string;
const closing: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-admin-key-'));
});
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
  rmSync(folder, { recursive: true, force: true });
});

interface TestNode {
  readonly secrets: Secrets;
  readonly admin: ClusterAdminKey;
  readonly keys: ApiKeyStore;
  /** The keys that it printed. */
  readonly made: string[];
}

/** A process of a node of the cluster whose store is in the folder. */
async function node(name: string, options: Partial<ClusterAdminKeyOptions> = {}): Promise<TestNode> {
  const store = new EmbeddedStore({ file: join(folder, 'store.sqlite'), onReachable: () => undefined });
  const replica = new AccessReplica(store, { appDeleted: () => undefined });
  closing.push(
    () => store.close(),
    () => replica.close(),
  );
  const secrets = Secrets.open(join(folder, name));
  const made: string[] = [];
  const calls = new StoreCalls(store);
  const wall = (): number => LATER.getTime();
  const admin = new ClusterAdminKey({
    secrets,
    store: calls,
    replica,
    clusterId: 'c1',
    nodeId: name,
    isFounder: false,
    joinedAtMs: NOW.getTime(),
    wall,
    made: (key) => made.push(key),
    ...options,
  });
  await vi.waitFor(() => expect(replica.isRead).toBe(true), 10_000);
  return { secrets, admin, made, keys: new ApiKeyStore({ store: calls, replica, own: admin, wall }) };
}

const founder = (): Promise<TestNode> => node('first', { isFounder: true });
const takes = (of: TestNode, key: string | undefined): Promise<void> =>
  vi.waitFor(() => expect(of.keys.find(key ?? '')?.held).toBe('admin'), 10_000);
const refuses = (of: TestNode, key: string | undefined): Promise<void> =>
  vi.waitFor(() => expect(of.keys.find(key ?? '')?.held).toBeUndefined(), 10_000);

describe('the admin key of a cluster', () => {
  it('is made once, by the first manager, and counts on all nodes, also without it', async () => {
    const first = await founder();
    const second = await node('second');
    await first.admin.share(NOW);
    await second.admin.share(NOW);
    expect([first.made.length, second.made]).toEqual([1, []]);
    await takes(first, first.made[0]);
    await takes(second, first.made[0]);
    await takes(await node('third'), first.made[0]);
    expect(second.keys.find(first.made[0] ?? '')).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(second.keys.list()).toMatchObject([{ scopes: ['admin'], note: 'made on the node first' }]);
    expect(second.secrets.hasAdminKey).toBe(false);
  });

  it('is the one that a node on its own had before it founded the cluster', async () => {
    const key = Secrets.open(join(folder, 'first')).createApiKey(ADMIN_KEY_NAME, 'admin', new Date(0));
    const first = await founder();
    expect(first.keys.find(key)?.held).toBe('admin');
    await first.admin.share(NOW);
    expect(first.made).toEqual([]);
    await takes(await node('second'), key);
  });

  it('is not the one that a node on its own had before it joined', async () => {
    const key = Secrets.open(join(folder, 'second')).createApiKey(ADMIN_KEY_NAME, 'admin', new Date(0));
    const first = await founder();
    await first.admin.share(NOW);
    const second = await node('second');
    await second.admin.share(LATER);
    expect(second.keys.find(key)?.held).toBeUndefined();
    expect(first.keys.find(key)?.held).toBeUndefined();
  });

  it('gives way to one that is made anew, on any manager, and does not come back', async () => {
    const first = await founder();
    await first.admin.share(NOW);
    const [old] = first.made;
    const anew = Secrets.open(join(folder, 'first')).createApiKey(ADMIN_KEY_NAME, 'admin', LATER);
    const again = await founder();
    await again.admin.share(LATER);
    await takes(first, anew);
    await refuses(first, old);
    const other = Secrets.open(join(folder, 'second')).createApiKey(ADMIN_KEY_NAME, 'admin', LATER);
    await (await node('second')).admin.share(LATER);
    await takes(first, other);
    await takes(first, anew);
  });

  it('that was deleted by the API stays so, unless nobody could change anything any more', async () => {
    const first = await founder();
    await first.admin.share(NOW);
    const spare = await first.keys.create({ scopes: ['admin'], note: '' });
    const [key] = first.made;
    const own = first.keys.list().find(({ note }) => note !== '');
    await first.keys.remove(own?.id ?? '');
    await refuses(first, key);
    const again = await founder();
    await again.admin.share(LATER);
    await refuses(again, key);
    await again.keys.remove(spare.id);
    await (await founder()).admin.share(LATER);
    await takes(again, key);
  });
});
