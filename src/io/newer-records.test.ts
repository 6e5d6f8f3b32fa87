import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AccessControl,
  AccessReplica,
  apiKeyKey,
  appKey,
  keyCredential,
  NO_FIGURES,
  revokedTokenId,
  revokedTokenKey,
  streamKeyKey,
  UrlPolicy,
  withdrawalKey,
} from '../access/mod.ts';
import { formatJoinToken, nodeKey, type StoreResult, tokenKey } from '../cluster/mod.ts';
import { monotonicMs, utf8Encode, wallMs } from '../core/mod.ts';
import { recordingId, recordingKey } from '../recording/mod.ts';
import { LADDERS_PREFIX, ROUTING_SETTINGS, TRANSCODING_SETTINGS, versionKey } from '../settings/mod.ts';
import { sha256Bytes } from './access/hashed-key.ts';
import { ApiKeyStore, AppStore, KeptAnswers } from './access/mod.ts';
import { systemClock } from './clock.ts';
import { NodeRegistry, StoreCalls, TokenStore } from './cluster/mod.ts';
import { EmbeddedStore } from './coordination/mod.ts';
import { RecordingCatalogue } from './recording/recording-catalogue.ts';
import type { SettingsStore } from './settings/mod.ts';
import { testSettings } from './settings/settings.fixture.ts';

const ID = '5f1c9a2be07d4e68';
const RECORDING = recordingId(1_000, '8a0d3c5e7f91');
const by = { who: 'key:a', action: 'test' };
const ladder = { template: 'off', rungs: [], always: false, lingerMs: 0 };

let store: EmbeddedStore;
let replica: AccessReplica;
let control: AccessControl;
let settings: SettingsStore;
let apps: AppStore;
let apiKeys: ApiKeyStore;
let calls: StoreCalls;
let catalogue: RecordingCatalogue;
let ended: string[];

beforeEach(async () => {
  store = new EmbeddedStore({ file: join(mkdtempSync(join(tmpdir(), 'sluice-newer-')), 'store.sqlite') });
  calls = new StoreCalls(store);
  ended = [];
  replica = new AccessReplica(store, { appDeleted: (name) => ended.push(name) });
  const wall = (): number => Date.now();
  control = new AccessControl([{ name: 'live', keys: [], publishFromLoopback: true, secondPublisher: 'reject' }], replica, {
    sha256: sha256Bytes,
    now: () => monotonicMs(0),
    wall: () => wallMs(wall()),
    verify: () => undefined,
  });
  const policy = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });
  settings = testSettings({ calls, replica, control, wall });
  apps = new AppStore({ store: calls, replica, control, policy, settings, usageOf: () => NO_FIGURES, wall });
  apiKeys = new ApiKeyStore({ store: calls, replica, own: { apiKeys: [] }, wall });
  catalogue = new RecordingCatalogue({ store, nodeId: 'n1', deleted: () => undefined, log: pino({ level: 'silent' }) });
  await expect.poll(() => replica.isRead).toBe(true);
});
afterEach(() => {
  replica.close();
  catalogue.close();
  store.close();
});

/** What newer software has written under a key, as a text. */
const put = async (key: string, fields: object = {}): Promise<string> => {
  const text = JSON.stringify({ v: 2, later: { kept: true }, ...fields });
  const result = await new Promise<StoreResult<number>>((resolve) => store.create(key, utf8Encode(text), resolve));
  expect(result).toMatchObject({ ok: true });
  return text;
};
const kept = async (key: string): Promise<string> => Buffer.from((await calls.get(key))?.value ?? []).toString();

const app = {
  name: 'live',
  note: 'as it was',
  playback: { policy: 'token', domains: [], networks: [] },
  tokens: { keys: [{ id: 'k', algorithm: 'HS256', material: 's', createdAtMs: 0 }] },
};
const request = { caller: 'c', id: 'k', fingerprint: 'f', secret: 's' };
const joinToken = formatJoinToken({ id: ID, secret: 'a'.repeat(43), caPin: Buffer.alloc(32).toString('base64url') });
const joinTokens = (): TokenStore => new TokenStore(calls, '00'.repeat(32), () => 0);
const nodes = (): NodeRegistry =>
  new NodeRegistry({ store: calls, replica: { nodes: () => [], node: () => undefined }, ownId: 'n1', clock: systemClock });

/** Each way in which a record of the store is changed. */
const CHANGES: readonly (readonly [what: string, key: string, fields: object, change: () => Promise<unknown>])[] = [
  ['the settings of an app', appKey('live'), app, () => apps.change('live', { note: 'other' }, 'me')],
  ['an app that is made', appKey('news'), {}, () => apps.create({ name: 'news' }, 'me')],
  ['an app that is deleted', appKey('live'), app, () => settings.changeApp('live', by, () => undefined)],
  ['the token keys of an app', appKey('live'), app, () => apps.addTokenKey('live', { algorithm: 'HS256' })],
  ['a stream key that is rotated', streamKeyKey(ID), { id: ID, app: 'live' }, () => apps.rotateStreamKey('live', ID, 0)],
  ['a stream key that is deleted', streamKeyKey(ID), { id: ID, app: 'live' }, () => apps.removeStreamKey('live', ID, false)],
  ['an API key', apiKeyKey(ID), { id: ID }, () => apiKeys.remove(ID)],
  [
    'a revoked token',
    revokedTokenKey(revokedTokenId('live', 'j', sha256Bytes)),
    {},
    () => apps.revokeToken('live', { jti: 'j', expiresInS: 60, endSessions: false }),
  ],
  ['the answer to a request', 'idempotency/c/k', {}, () => new KeptAnswers({ store: calls, wall: () => 0 }).begin(request)],
  ['a ladder', `${LADDERS_PREFIX}live`, {}, () => settings.setLadder('live', ladder, by)],
  ['a ladder that is taken away', `${LADDERS_PREFIX}live`, {}, () => settings.unset(`${LADDERS_PREFIX}live`, by)],
  [
    'a ladder that is applied',
    `${LADDERS_PREFIX}live`,
    {},
    () => settings.apply({ apps: { live: { ladder: { template: 'abr' } } } }, applied),
  ],
  ['the rules of routing', ROUTING_SETTINGS, {}, () => settings.setRouting(ROUTING_SETTINGS, {}, by)],
  ['the weights of transcoding', TRANSCODING_SETTINGS, {}, () => settings.setWeights({ rules: [], pins: [] }, by)],
  ['the versions of the settings', versionKey(1), { n: 1 }, () => settings.setLadder('live', ladder, by)],
  ['a recording', recordingKey(RECORDING), { id: RECORDING }, () => catalogue.markDeleted(RECORDING)],
  ['a join token', tokenKey(ID), { id: ID }, () => joinTokens().use(joinToken, { nodeId: 'n', roles: ['edge'], region: 'eu' })],
  ['a node', nodeKey('n2'), { id: 'n2' }, () => nodes().change('n2', { status: 'draining' }, 'me')],
];
const applied = { by, base: undefined, dryRun: false, prune: false, force: false } as const;

describe('what newer software has written', () => {
  it.each(CHANGES)('is left as it is, and says so: %s', async (_, key, fields, change) => {
    const before = await put(key, fields);
    if (fields === app) await expect.poll(() => control.app('live')?.record).toBeDefined();
    await expect(change()).rejects.toMatchObject({ code: 'cluster.newer-record', message: expect.stringContaining('update this node') });
    expect(await kept(key)).toBe(before);
  });

  it('stays when this node has not heard of it yet', async () => {
    await apps.create({ name: 'news' }, 'me');
    const { key, value, revision } = (await calls.get(appKey('news'))) as { key: string; value: Uint8Array; revision: number };
    const text = Buffer.from(value).toString().replace('{"v":1,', '{"v":2,"later":true,');
    const known = replica.apps.get('news');
    // The replica is told in a later turn.
    const changed = new Promise((resolve) => store.update(key, utf8Encode(text), revision, resolve));
    expect(replica.apps.get('news')).toBe(known);
    await expect(changed.then(() => apps.addTokenKey('news', { algorithm: 'HS256' }))).rejects.toMatchObject({
      code: 'cluster.newer-record',
    });
    expect(await kept(key)).toBe(text);
  });

  it('of an app counts as far as it is understood, and ends no streams', async () => {
    await apps.change('live', { note: 'mine' }, 'me');
    const entry = await calls.get(appKey('live'));
    const text = JSON.stringify({ v: 2, later: true, ...app });
    await new Promise((resolve) => store.update(appKey('live'), utf8Encode(text), entry?.revision ?? 0, resolve));
    await expect
      .poll(() => apps.find('live'))
      .toMatchObject({
        note: 'as it was',
        playback: { policy: 'token' },
        problem: expect.stringContaining('update this node'),
      });
    expect([control.isOpen('live'), ended]).toEqual([false, []]);
  });

  it('does not keep other settings from being changed', async () => {
    const before = await put(`${LADDERS_PREFIX}live`);
    await settings.setLadder('news', ladder, by);
    expect(await settings.apply({ apps: { more: { note: 'new' } } }, applied)).toMatchObject({ applied: true });
    expect(await kept(`${LADDERS_PREFIX}live`)).toBe(before);
    await expect(settings.get(`${LADDERS_PREFIX}live`)).rejects.toMatchObject({ code: 'cluster.newer-record' });
  });

  it('of a recording of this node is not written over when it goes on', async () => {
    const before = await put(recordingKey(RECORDING), { id: RECORDING });
    const record = {
      v: 1,
      id: RECORDING,
      app: 'live',
      stream: 'show',
      node: 'n1',
      startedAtMs: 1_000,
      durationMs: 1,
      sizeBytes: 1,
    } as const;
    const rest = { droppedFrames: 0, tracks: [], end: undefined, endedAtMs: undefined, isDeleted: false };
    await catalogue.put({ ...record, ...rest });
    expect(await kept(recordingKey(RECORDING))).toBe(before);
  });

  it('of sessions that end is not written over', async () => {
    const key = withdrawalKey(keyCredential(ID));
    const made = await apps.createStreamKey('live', { note: '' });
    const own = withdrawalKey(keyCredential(made.id));
    const before = [await put(key), await put(own)];
    await expect(apps.removeStreamKey('live', made.id, true)).rejects.toMatchObject({ code: 'cluster.newer-record' });
    expect([await kept(key), await kept(own)]).toEqual(before);
  });

  it('can be taken away where nothing but its key has to be known', async () => {
    await put(tokenKey(ID));
    await put(nodeKey('n2'));
    expect([await joinTokens().remove(ID), await joinTokens().remove(ID)]).toEqual([true, false]);
    expect(await nodes().remove('n2')).toBe(true);
    expect([await calls.get(tokenKey(ID)), await calls.get(nodeKey('n2'))]).toEqual([undefined, undefined]);
  });
});
