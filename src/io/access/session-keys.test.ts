import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { AccessReplica } from '../../access/mod.ts';
import { SessionCookies } from '../../api/mod.ts';
import { wallMs } from '../../core/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { ApiKeyStore } from './mod.ts';

const SECRET = Buffer.alloc(32, 7);
const WAIT = { timeout: 10_000 };
const closings: { close(): void }[] = [];
let now = Date.UTC(2026, 0, 2);
afterEach(() => {
  for (const each of closings.splice(0).reverse()) each.close();
});

/** What a node of a cluster knows of keys and sessions. */
async function node(file: string): Promise<{ keys: ApiKeyStore; sessions: SessionCookies }> {
  const store = new EmbeddedStore({ file });
  const replica = new AccessReplica(store, { appDeleted: () => undefined, withdrawn: () => undefined });
  closings.push(store, replica);
  const keys = new ApiKeyStore({ store: new StoreCalls(store), replica, own: { apiKeys: [] }, wall: () => now });
  await vi.waitFor(() => expect(replica.isRead).toBe(true), WAIT);
  return { keys, sessions: new SessionCookies({ secrets: () => [SECRET], wall: () => wallMs(now), keyOf: (id) => keys.byId(id) }) };
}

it('a session ends on all nodes when its key is deleted on one, or expires', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-session-keys-')), 'store.sqlite');
  const [first, second] = [await node(file), await node(file)];
  const begin = async (expiresInS?: number): Promise<{ id: string; cookie: string }> => {
    const { key, id } = await first.keys.create({ scopes: ['admin'], note: '', ...(expiresInS === undefined ? {} : { expiresInS }) });
    const known = first.keys.find(key);
    if (known?.held === undefined) throw new Error('the key is not known');
    const { cookie } = first.sessions.begin({ ...known, held: known.held }, true);
    return { id, cookie: cookie.split(';')[0] ?? '' };
  };
  const [deleted, expiring, staying] = [await begin(), await begin(60), await begin()];
  const isOpen = (cookie: string): boolean[] => [first, second].map(({ sessions }) => sessions.sessionOf(cookie) !== undefined);
  for (const { cookie } of [deleted, expiring, staying]) await vi.waitFor(() => expect(isOpen(cookie)).toEqual([true, true]), WAIT);
  await second.keys.remove(deleted.id);
  await vi.waitFor(() => expect(isOpen(deleted.cookie)).toEqual([false, false]), WAIT);
  now += 60_000;
  expect(isOpen(expiring.cookie)).toEqual([false, false]);
  expect(isOpen(staying.cookie)).toEqual([true, true]);
});
