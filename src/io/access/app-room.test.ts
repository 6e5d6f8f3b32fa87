import { expect, it } from 'vitest';
import {
  type AccessControl,
  AccessReplica,
  encodeRevokedToken,
  encodeStreamKey,
  REVOKED_TOKENS_SHARE,
  type RecordSource,
  revokedTokenKey,
  STREAM_KEYS_SHARE,
  streamKeyKey,
  UrlPolicy,
} from '../../access/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { AppStore } from './mod.ts';

const NOW = 1_000_000;

/** Apps over records in memory: a store with thousands of them takes a while to fill. */
function setUp() {
  const watchers = new Map<string, Parameters<RecordSource['watch']>[1]>();
  const change = async (key: string, make: (value: undefined) => Uint8Array | undefined): Promise<void> => put(key, make(undefined));
  const put = (key: string, value: Uint8Array | undefined): void => {
    const watcher = watchers.get(`${key.split('/')[0]}/`);
    if (value === undefined) watcher?.deleted(key);
    else watcher?.changed({ key, value });
  };
  const source: RecordSource = {
    watch: (prefix, watcher) => {
      watchers.set(prefix, watcher);
      watcher.current();
      return () => undefined;
    },
  };
  const apps = new AppStore({
    store: { change } as unknown as StoreCalls,
    replica: new AccessReplica(source, { appDeleted: () => undefined }),
    control: {} as AccessControl,
    policy: new UrlPolicy({ allowedNetworks: [], allowedFolders: [] }),
    settings: { changeApp: () => Promise.resolve() },
    usageOf: () => {
      throw new Error('not asked for here');
    },
    wall: () => NOW,
  });
  return { apps, put };
}

it('an app that has used up its share of stream keys leaves the others theirs', async () => {
  const { apps, put } = setUp();
  const key = { v: 1, app: 'greedy', stream: undefined, secrets: [], expiresAtMs: undefined, createdAtMs: 0, note: '' } as const;
  for (let n = 0; n < STREAM_KEYS_SHARE.perApp; n++) put(streamKeyKey(`${n}`), encodeStreamKey({ ...key, id: `${n}` }));
  const wish = { note: '' };
  await expect(apps.createStreamKey('greedy', wish)).rejects.toMatchObject({
    code: 'apps.too-many',
    message: expect.stringContaining(`greedy has ${STREAM_KEYS_SHARE.perApp} stream keys`),
  });
  expect(await apps.createStreamKey('modest', wish)).toMatchObject({ app: 'modest' });
  await apps.removeStreamKey('greedy', '0', false);
  expect(await apps.createStreamKey('greedy', wish)).toMatchObject({ app: 'greedy' });
});

it('an app that has used up its share of revoked tokens leaves the others theirs, and what has lapsed makes room', async () => {
  const { apps, put } = setUp();
  const revoked = (id: string, expiresAtMs: number): void =>
    put(revokedTokenKey(id), encodeRevokedToken({ v: 1, id, app: 'greedy', jti: id, revokedAtMs: 0, expiresAtMs }));
  for (let n = 1; n < REVOKED_TOKENS_SHARE.perApp; n++) revoked(`${n}`, NOW + 1);
  const wish = { expiresInS: 60, endSessions: false };
  const last = await apps.revokeToken('greedy', { ...wish, jti: 'last' });
  await expect(apps.revokeToken('greedy', { ...wish, jti: 'more' })).rejects.toMatchObject({
    code: 'apps.too-many',
    message: expect.stringContaining(`greedy has ${REVOKED_TOKENS_SHARE.perApp} revoked tokens`),
  });
  expect(await apps.revokeToken('modest', { ...wish, jti: 'more' })).toMatchObject({ jti: 'more' });
  // One that is revoked already is none more.
  expect(await apps.revokeToken('greedy', { ...wish, jti: 'last' })).toEqual(last);
  revoked('1', NOW);
  expect(await apps.revokeToken('greedy', { ...wish, jti: 'more' })).toMatchObject({ jti: 'more' });
});
