import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../cluster/memory-engine.fixture.ts';
import { durationMs, monotonicMs, type StreamRef, streamRef, wallMs } from '../core/mod.ts';
import {
  AccessControl,
  type AccessDecision,
  AccessReplica,
  type AccessRequest,
  type AppRecord,
  appKey,
  encodeAppRecord,
  encodeRevokedToken,
  encodeStreamKey,
  formatStreamKey,
  newAppRecord,
  readClaims,
  revokedTokenId,
  revokedTokenKey,
  type StreamKeyRecord,
  streamKeyKey,
} from './mod.ts';

const WALL = Date.UTC(2026, 0, 1);
const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const show = streamRef('live', 'show');
const ID = '0123456789abcdef';
const KEY = formatStreamKey(ID, 'k'.repeat(43));

/** Stands in for a signature: the second part of a token is its claims, and all are right. */
const tokenOf = (claims: object): string =>
  `eyJ9.${Buffer.from(JSON.stringify({ exp: WALL / 1000 + 60, ...claims })).toString('base64url')}.x`;

function makeAccess() {
  const engine = new MemoryEngine();
  const client = engine.client();
  const deleted: string[] = [];
  const clock = { now: monotonicMs(0), wall: wallMs(WALL) };
  const replica = new AccessReplica(client.store, { appDeleted: (name) => deleted.push(name) });
  const apps = [
    { name: 'live', keys: ['secret-1', 'secret-2'], publishFromLoopback: true, secondPublisher: 'takeover' as const },
    { name: 'locked', keys: [], publishFromLoopback: false, secondPublisher: 'reject' as const },
  ];
  const attempts = { attemptsMax: 3, refillMs: durationMs(1_000), addressesMax: 2 };
  const control = new AccessControl(
    apps,
    replica,
    {
      sha256,
      now: () => clock.now,
      wall: () => clock.wall,
      verify: (_app, settings, token, done) => {
        const read = readClaims(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()), settings);
        done('refused' in read ? read : { claims: read });
      },
    },
    attempts,
  );
  const put = (key: string, value: Uint8Array | undefined): void => {
    engine.write(key, value, engine.read(key)?.revision ?? 0);
    engine.advance(10);
  };
  const admit = (request: Omit<AccessRequest, 'address' | 'credential'> & Partial<AccessRequest>): AccessDecision => {
    const decisions: AccessDecision[] = [];
    control.admit({ address: '192.0.2.1', credential: {}, ...request }, (decision) => decisions.push(decision));
    expect(decisions).toHaveLength(1);
    return decisions[0] as AccessDecision;
  };
  engine.advance(10);
  return {
    engine,
    client,
    replica,
    control,
    clock,
    deleted,
    put,
    admit,
    publish: (key: string | undefined, address = '192.0.2.1', ref: StreamRef = show) =>
      admit({ act: 'publish', ref, credential: key === undefined ? {} : { key }, address }),
    play: (token?: string, more: Partial<AccessRequest> = {}) =>
      admit({ act: 'play', ref: show, credential: token === undefined ? {} : { token }, ...more }),
    app: (name: string, change: Partial<AppRecord>) => put(appKey(name), encodeAppRecord({ ...newAppRecord(name, 0), ...change })),
    key: (change: Partial<StreamKeyRecord>) => {
      const secrets = [{ sha256: hex(KEY), expiresAtMs: undefined }];
      const record: StreamKeyRecord = {
        v: 1,
        id: ID,
        app: 'live',
        stream: undefined,
        secrets,
        expiresAtMs: undefined,
        createdAtMs: 0,
        note: '',
        ...change,
      };
      put(streamKeyKey(record.id), encodeStreamKey(record));
    },
  };
}

describe('publishing with keys of the configuration', () => {
  it('lets any of the keys in and nothing else', () => {
    const { publish } = makeAccess();
    expect(publish('secret-1')).toBe('allowed');
    expect(publish('secret-2')).toBe('allowed');
    expect(publish(undefined)).toEqual({ refused: 'key-missing' });
    expect(publish('')).toEqual({ refused: 'key-missing' });
    expect(publish('secret-')).toEqual({ refused: 'key-wrong' });
    expect(publish('x'.repeat(1_000_000))).toEqual({ refused: 'key-wrong' });
  });

  it('takes a key as a bearer token', () => {
    const { admit } = makeAccess();
    expect(admit({ act: 'publish', ref: show, credential: { token: 'secret-1' } })).toBe('allowed');
    expect(admit({ act: 'publish', ref: show, credential: { token: 'guess' } })).toEqual({ refused: 'key-wrong' });
  });

  it('asks loopback for no key where the app says so', () => {
    const { publish, app } = makeAccess();
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) expect(publish(undefined, address)).toBe('allowed');
    for (const address of ['128.0.0.1', '::2', '127.0.0.1.example.com', ''])
      expect(publish(undefined, address)).toEqual({ refused: 'key-missing' });
    expect(publish('wrong', '127.0.0.1')).toEqual({ refused: 'key-wrong' });
    expect(publish(undefined, '127.0.0.1', streamRef('locked', 'show'))).toEqual({ refused: 'key-missing' });
    app('live', { publishFromLoopback: false });
    expect(publish(undefined, '127.0.0.1')).toEqual({ refused: 'key-missing' });
  });

  it('refuses apps that there are not', () => {
    const { publish } = makeAccess();
    expect(publish('secret-1', '127.0.0.1', streamRef('other', 'show'))).toEqual({ refused: 'app-unknown' });
    expect(publish('secret-1', '127.0.0.1', streamRef('constructor', 'show'))).toEqual({ refused: 'app-unknown' });
  });

  it('stops listening to an address that guesses, and hears it again later', () => {
    const { publish, clock } = makeAccess();
    for (let guess = 0; guess < 3; guess++) expect(publish(`guess-${guess}`)).toEqual({ refused: 'key-wrong' });
    expect(publish('secret-1')).toEqual({ refused: 'too-many-attempts' });
    expect(publish('secret-1', '192.0.2.2')).toBe('allowed');
    clock.now = monotonicMs(1_000);
    expect(publish('secret-1')).toBe('allowed');
  });

  it('counts guesses from one IPv6 /64 together', () => {
    const { publish } = makeAccess();
    for (let guess = 0; guess < 3; guess++) publish('guess', `2001:db8::${guess + 1}`);
    expect(publish('secret-1', '2001:db8::ffff')).toEqual({ refused: 'too-many-attempts' });
    expect(publish('secret-1', '2001:db8:0:1::1')).toBe('allowed');
  });
});

describe('publishing with keys of the store', () => {
  it('lets a key in for its app or its one stream, until it expires or is deleted', () => {
    const { publish, key, put, clock } = makeAccess();
    expect(publish(KEY)).toEqual({ refused: 'key-wrong' });
    key({});
    expect(publish(KEY)).toBe('allowed');
    expect(publish(KEY, '192.0.2.3', streamRef('locked', 'show'))).toEqual({ refused: 'key-wrong' });
    key({ stream: 'other' });
    expect(publish(KEY)).toEqual({ refused: 'key-stream' });
    key({ stream: 'show', expiresAtMs: WALL + 1000 });
    expect(publish(KEY)).toBe('allowed');
    clock.wall = wallMs(WALL + 1000);
    expect(publish(KEY)).toEqual({ refused: 'key-expired' });
    put(streamKeyKey(ID), undefined);
    expect(publish(KEY, '192.0.2.4')).toEqual({ refused: 'key-wrong' });
  });

  it('lets the old secret in for as long as it was left', () => {
    const { publish, key, clock } = makeAccess();
    const next = formatStreamKey(ID, 'n'.repeat(43));
    key({
      secrets: [
        { sha256: hex(next), expiresAtMs: undefined },
        { sha256: hex(KEY), expiresAtMs: WALL + 1000 },
      ],
    });
    expect([publish(KEY), publish(next)]).toEqual(['allowed', 'allowed']);
    clock.wall = wallMs(WALL + 1000);
    expect([publish(KEY), publish(next)]).toEqual([{ refused: 'key-expired' }, 'allowed']);
  });

  it('goes by what it knows while the store is away, and forgets what was deleted meanwhile', () => {
    const { publish, key, client, engine } = makeAccess();
    key({});
    client.cut();
    engine.advance(10);
    expect(publish(KEY)).toBe('allowed');
    engine.write(streamKeyKey(ID), undefined, engine.read(streamKeyKey(ID))?.revision ?? 0);
    engine.advance(10);
    expect(publish(KEY)).toBe('allowed');
    client.heal();
    engine.advance(10);
    expect(publish(KEY)).toEqual({ refused: 'key-wrong' });
  });
});

describe('playing', () => {
  it('is open where nothing else is said, also for apps that this node does not know', () => {
    const { play, control } = makeAccess();
    expect(play()).toBe('allowed');
    expect(play(undefined, { ref: streamRef('elsewhere', 'show') })).toBe('allowed');
    expect(control.isOpen('live')).toBe(true);
  });

  it('is open to nobody before the store was read; publishing goes by the configuration then', () => {
    const engine = new MemoryEngine();
    engine.stop();
    const replica = new AccessReplica(engine.client().store, { appDeleted: () => undefined });
    const ports = { sha256, now: () => monotonicMs(0), wall: () => wallMs(WALL), verify: () => undefined };
    const control = new AccessControl(
      [{ name: 'live', keys: ['k'], publishFromLoopback: false, secondPublisher: 'reject' }],
      replica,
      ports,
    );
    const decisions: AccessDecision[] = [];
    const decided = (decision: AccessDecision): void => void decisions.push(decision);
    control.admit({ act: 'play', ref: show, credential: {}, address: '192.0.2.1' }, decided);
    control.admit({ act: 'publish', ref: show, credential: { key: 'k' }, address: '192.0.2.1' }, decided);
    control.admit({ act: 'publish', ref: streamRef('x', 'y'), credential: { key: 'k' }, address: '192.0.2.1' }, decided);
    expect(decisions).toEqual([{ refused: 'not-ready' }, 'allowed', { refused: 'not-ready' }]);
  });

  it('needs a token with that policy', () => {
    const { play, app, control } = makeAccess();
    app('live', { playback: { policy: 'token', domains: [], networks: [] } });
    expect(control.isOpen('live')).toBe(false);
    expect(play()).toEqual({ refused: 'token-missing' });
    expect(play('no-token')).toEqual({ refused: 'token-malformed' });
    expect(play(tokenOf({ sub: 'live/show', act: 'play' }))).toBe('allowed');
    expect(play(tokenOf({ stream: 'live/sh*', act: 'play' }))).toBe('allowed');
    expect(play(tokenOf({ stream: 'live/*', act: 'play' }))).toBe('allowed');
    expect(play(tokenOf({ stream: 'live/other', act: 'play' }))).toEqual({ refused: 'token-stream' });
    expect(play(tokenOf({ stream: 'li/*', act: 'play' }))).toEqual({ refused: 'token-stream' });
    expect(play(tokenOf({ stream: 'live/show', act: 'publish' }))).toEqual({ refused: 'token-act' });
    expect(play(tokenOf({ stream: 'live/show', act: 'play', exp: WALL / 1000 }))).toEqual({ refused: 'token-expired' });
    expect(play(tokenOf({ stream: 'live/show', act: 'play', nbf: WALL / 1000 + 10 }))).toEqual({ refused: 'token-not-yet' });
    expect(play(tokenOf({ stream: 'live/show', act: 'play', addr: '192.0.2.0/24' }))).toBe('allowed');
    expect(play(tokenOf({ stream: 'live/show', act: 'play', addr: ['198.51.100.7'] }))).toEqual({ refused: 'token-address' });
  });

  it('refuses a token that is revoked, in its own app alone', () => {
    const { play, app, put, admit } = makeAccess();
    for (const name of ['live', 'locked']) app(name, { playback: { policy: 'token', domains: [], networks: [] } });
    const id = revokedTokenId('live', 'viewer-1', sha256);
    put(revokedTokenKey(id), encodeRevokedToken({ v: 1, id, app: 'live', jti: 'viewer-1', revokedAtMs: 0, expiresAtMs: WALL }));
    expect(play(tokenOf({ sub: 'live/show', act: 'play', jti: 'viewer-1' }))).toEqual({ refused: 'token-revoked' });
    expect(play(tokenOf({ sub: 'live/show', act: 'play', jti: 'viewer-2' }))).toBe('allowed');
    const token = tokenOf({ sub: 'locked/show', act: 'play', jti: 'viewer-1' });
    expect(admit({ act: 'play', ref: streamRef('locked', 'show'), credential: { token } })).toBe('allowed');
  });

  it('goes by the page with domains, and by the address with networks; a token opens both', () => {
    const { play, app, control } = makeAccess();
    app('live', { playback: { policy: 'domains', domains: ['example.org', '*.example.net'], networks: [] } });
    expect(control.asksForPage('live')).toBe(true);
    const pages = ['https://example.org', 'http://example.org:8080', 'https://a.b.example.net/x?y', 'https://EXAMPLE.org/'];
    for (const page of pages) expect(play(undefined, { page })).toBe('allowed');
    const others = [
      'https://example.net',
      'https://example.org.evil.com',
      'https://evil.com/?example.org',
      'https://example.org@evil.com',
      'null',
      '',
    ];
    for (const page of [...others, undefined]) expect(play(undefined, { page })).toEqual({ refused: 'domain' });
    app('live', { playback: { policy: 'networks', domains: [], networks: ['192.0.2.0/24', 'nonsense', '2001:db8::/32'] } });
    expect(play()).toBe('allowed');
    expect(play(undefined, { address: '2001:db8::7' })).toBe('allowed');
    for (const address of ['198.51.100.1', '2001:db9::1', '']) expect(play(undefined, { address })).toEqual({ refused: 'network' });
    expect(play(tokenOf({ sub: 'live/show', act: 'play' }), { address: '198.51.100.1' })).toBe('allowed');
  });

  it('does not open again when an app is deleted', () => {
    const { admit, app, put, deleted } = makeAccess();
    const ref = streamRef('news', 'show');
    app('news', { playback: { policy: 'token', domains: [], networks: [] } });
    put(appKey('news'), undefined);
    expect(deleted).toEqual(['news']);
    expect(admit({ act: 'play', ref })).toEqual({ refused: 'app-unknown' });
    app('news', {});
    expect(admit({ act: 'play', ref })).toBe('allowed');
  });
});

describe('apps', () => {
  it('are those of the configuration, with what the store says over it, and those of the store', () => {
    const { control, app } = makeAccess();
    app('news', { secondPublisher: 'takeover' });
    app('live', { secondPublisher: 'standby', note: 'main' });
    expect(
      control
        .apps()
        .map(({ name, isConfigured, configuredKeys, secondPublisher }) => [name, isConfigured, configuredKeys, secondPublisher]),
    ).toEqual([
      ['live', true, 2, 'standby'],
      ['locked', true, 0, 'reject'],
      ['news', false, 0, 'takeover'],
    ]);
    expect(control.secondPublisher('unknown')).toBe('reject');
  });

  it('that other software wrote are read, and nothing opens by it', () => {
    const { put, play, replica } = makeAccess();
    const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    put(appKey('live'), json({ v: 1, name: 'live', playback: { policy: 'by-moon' }, more: true }));
    expect(play()).toEqual({ refused: 'token-missing' });
    put(streamKeyKey(ID), json({ v: 1, id: ID, app: 'live', stream: 7, secrets: [] }));
    expect(replica.streamKeys.get(ID)).toBeUndefined();
    for (const value of [json({ v: 2 }), json([]), new Uint8Array([0xff])]) put(appKey('news'), value);
    expect(replica.apps.get('news')).toBeUndefined();
  });
});
