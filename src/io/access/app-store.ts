import {
  type AccessControl,
  type AccessReplica,
  APPS_MAX,
  type AppFigures,
  type AppRecord,
  appKey,
  decodeAppRecord,
  type EffectiveApp,
  encodeAppRecord,
  encodeRevokedToken,
  encodeWithdrawal,
  keyCredential,
  newAppRecord,
  REVOKED_TOKENS_SHARE,
  type RevokedToken,
  revokedTokenId,
  revokedTokenKey,
  streamKeyKey,
  TOKEN_KEYS_MAX,
  type TokenKey,
  tokenCredential,
  type UrlPolicy,
  WITHDRAWALS_SHARE,
  type Withdrawal,
  withdrawalKey,
} from '../../access/mod.ts';
import {
  ApiError,
  type AppPatch,
  type AppRegistry,
  type AppResource,
  type AppUsageNow,
  type AppWish,
  type NewStreamKeyResource,
  type NewTokenKeyResource,
  type RevokedTokenResource,
  type RevokedTokenWish,
  type SettingsAuthor,
  type StreamKeyResource,
  type StreamKeyWish,
  type TokenKeyResource,
  type TokenKeyWish,
} from '../../api/mod.ts';
import { streamRef } from '../../core/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { assertRoom } from './app-room.ts';
import { patched } from './app-settings.ts';
import { limitsResource, usageNow } from './app-usage.ts';
import { isoTime, newId, newSecret, sha256Bytes, untilShown } from './hashed-key.ts';
import { StreamKeyStore } from './stream-key-store.ts';
import { importKey } from './token-verifier.ts';

export interface AppStoreOptions {
  readonly store: StoreCalls;
  readonly replica: AccessReplica;
  readonly control: AccessControl;
  /** What key sets may be fetched from. */
  readonly policy: UrlPolicy;
  /** Makes what is set of apps a version of the settings. */
  readonly settings: AppSettings;
  /** What an app uses on all nodes now. */
  readonly usageOf: (app: string) => AppFigures;
  readonly wall: () => number;
}

export interface AppSettings {
  /** Writes an app's record as `change` makes it, again from the beginning when somebody else was faster; undefined removes it with all that is its own. */
  changeApp(name: string, by: SettingsAuthor, change: (record: AppRecord | undefined) => AppRecord | undefined): Promise<void>;
}

/** Apps in the store: read from this node's replica, written by compare-and-swap. */
export class AppStore implements AppRegistry {
  private readonly options: AppStoreOptions;
  private readonly keys: StreamKeyStore;

  constructor(options: AppStoreOptions) {
    this.options = options;
    this.keys = new StreamKeyStore(options);
  }

  list(): readonly AppResource[] {
    return this.options.control.apps().map(resourceOf);
  }

  usageOf(name: string): AppUsageNow {
    return usageNow(this.options.usageOf(name));
  }

  find(name: string): AppResource | undefined {
    const app = this.options.control.app(name);
    return app === undefined ? undefined : resourceOf(app);
  }

  async create({ name, ...patch }: AppWish, who: string): Promise<AppResource> {
    const { replica, control, policy, settings } = this.options;
    assertAppName(name);
    if (control.app(name) !== undefined) throw exists(name);
    if ([...replica.apps.values()].length >= APPS_MAX) throw new ApiError('apps.too-many', `there are ${APPS_MAX} apps: delete one first`);
    const made = patched(newAppRecord(name, this.now()), patch, policy);
    await settings.changeApp(name, { who, action: 'createApp' }, (record) => {
      if (record !== undefined) throw exists(name);
      return made;
    });
    return this.shown(name);
  }

  async change(name: string, patch: AppPatch, who: string): Promise<AppResource> {
    const { settings, policy, control } = this.options;
    const limits = control.limitsOf(name);
    await settings.changeApp(name, { who, action: 'changeApp' }, (record) =>
      patched(record ?? newAppRecord(name, this.now()), patch, policy, limits),
    );
    return this.shown(name);
  }

  async remove(name: string, who: string): Promise<void> {
    const { control, settings } = this.options;
    if (control.app(name)?.isConfigured === true)
      throw new ApiError('apps.configured', `${name} stands in the configuration of this node: take it out there`);
    await settings.changeApp(name, { who, action: 'deleteApp' }, () => undefined);
  }

  async addTokenKey(name: string, { algorithm, publicKey }: TokenKeyWish): Promise<NewTokenKeyResource> {
    const isSecret = algorithm === 'HS256';
    if (isSecret === (publicKey !== undefined))
      throw new ApiError(
        'apps.public-key',
        isSecret ? 'HS256 has no public key: the server makes the secret' : `${algorithm} needs "publicKey", PEM`,
      );
    const material = publicKey ?? newSecret();
    const key: TokenKey = { id: newId(), algorithm, material, createdAtMs: this.now() };
    if (algorithm !== 'HS256')
      await importKey({ algorithm, material }).catch((error: unknown) => {
        throw new ApiError(
          'apps.public-key',
          `the public key is none of ${algorithm} in PEM (SubjectPublicKeyInfo): ${(error as Error).message}`,
        );
      });
    await this.changeKeys(name, (keys) => {
      if (keys.length >= TOKEN_KEYS_MAX) throw new ApiError('apps.too-many', `${name} has ${TOKEN_KEYS_MAX} token keys: delete one first`);
      return [...keys, key];
    });
    return { ...tokenKeyResource(key), ...(isSecret ? { secret: material } : {}) };
  }

  async removeTokenKey(name: string, id: string): Promise<boolean> {
    if (this.options.control.app(name)?.tokens.keys.some((key) => key.id === id) !== true) return false;
    await this.changeKeys(name, (keys) => keys.filter((key) => key.id !== id));
    return true;
  }

  streamKeys(app: string): readonly StreamKeyResource[] {
    return this.keys.list(app);
  }

  createStreamKey(app: string, wish: StreamKeyWish): Promise<NewStreamKeyResource> {
    return this.keys.create(app, wish);
  }

  rotateStreamKey(app: string, id: string, graceS: number): Promise<NewStreamKeyResource | undefined> {
    return this.keys.rotate(app, id, graceS);
  }

  async removeStreamKey(app: string, id: string, endsSessions: boolean): Promise<StreamKeyResource | undefined> {
    const removed = await this.keys.remove(app, id);
    if (removed !== undefined && endsSessions) await this.withdraw(app, keyCredential(id), WITHDRAWN_KEY_S);
    return removed;
  }

  revokedTokens(app: string): readonly RevokedTokenResource[] {
    return [...this.options.replica.revokedTokens.values()].filter((revoked) => revoked.app === app).map(revokedResource);
  }

  async revokeToken(app: string, { jti, expiresInS, endSessions }: RevokedTokenWish): Promise<RevokedTokenResource> {
    const { store, replica } = this.options;
    const id = revokedTokenId(app, jti, sha256Bytes);
    const others = await this.othersLeft(replica.revokedTokens.values(), { app, id }, revokedTokenKey);
    assertRoom(others, app, REVOKED_TOKENS_SHARE, 'revoked tokens', 'delete the key that signed them instead');
    const now = this.now();
    const record: RevokedToken = { v: 1, id, app, jti, revokedAtMs: now, expiresAtMs: now + expiresInS * 1000 };
    await store.change(revokedTokenKey(id), () => encodeRevokedToken(record));
    await untilShown(() => replica.revokedTokens.get(id) !== undefined);
    if (endSessions) await this.withdraw(app, tokenCredential(id), expiresInS);
    return revokedResource(record);
  }

  /** Ends the sessions of a key or token, on all nodes: those that are away now do it when they are back. */
  private async withdraw(app: string, id: string, forS: number): Promise<void> {
    const { store, replica } = this.options;
    const others = await this.othersLeft(replica.withdrawals.values(), { app, id }, withdrawalKey);
    assertRoom(others, app, WITHDRAWALS_SHARE, 'keys and tokens whose sessions were ended lately', 'wait until these have lapsed');
    const now = this.now();
    const record: Withdrawal = { v: 1, id, app, withdrawnAtMs: now, expiresAtMs: now + forS * 1000 };
    await store.change(withdrawalKey(id), () => encodeWithdrawal(record));
    await untilShown(() => replica.withdrawals.get(id) !== undefined);
  }

  /** Takes away some of what is of no use any more, the app's own first, and gives what is left beside the record `id`. */
  private async othersLeft<Row extends { readonly id: string; readonly app: string; readonly expiresAtMs: number }>(
    records: Iterable<Row>,
    { app, id }: { readonly app: string; readonly id: string },
    keyOf: (id: string) => string,
  ): Promise<readonly Row[]> {
    const all = [...records].filter((record) => record.id !== id);
    const now = this.now();
    const lapsed = all.filter(({ expiresAtMs }) => expiresAtMs <= now).sort((a, b) => Number(b.app === app) - Number(a.app === app));
    const gone = new Set(lapsed.slice(0, LAPSED_AT_ONCE));
    for (const record of gone) await this.options.store.change(keyOf(record.id), () => undefined);
    return all.filter((record) => !gone.has(record));
  }

  private changeKeys(name: string, change: (keys: readonly TokenKey[]) => readonly TokenKey[]): Promise<void> {
    return this.write(name, (record) => {
      const known = record ?? newAppRecord(name, this.now());
      return { ...known, tokens: { ...known.tokens, keys: change(known.tokens.keys) } };
    });
  }

  private async write(name: string, change: (record: AppRecord | undefined) => AppRecord): Promise<void> {
    const { store, replica } = this.options;
    let written = '';
    await store.change(appKey(name), (value) => {
      const record = change(value === undefined ? undefined : decodeAppRecord(value));
      written = JSON.stringify(record);
      return encodeAppRecord(record);
    });
    await untilShown(() => JSON.stringify(replica.apps.get(name)) === written);
  }

  private shown(name: string): AppResource {
    const app = this.find(name);
    if (app === undefined) throw new ApiError('cluster.store-unavailable', `${name} was written, but this node has not heard of it yet`);
    return app;
  }

  private now(): number {
    return Math.round(this.options.wall());
  }
}

/** The keys in the store of what goes with an app: its stream keys and revoked tokens. */
export function keysOfApp(replica: AccessReplica, name: string): readonly string[] {
  const keys = [...replica.streamKeys.values()].filter(({ app }) => app === name).map(({ id }) => streamKeyKey(id));
  const revoked = [...replica.revokedTokens.values()].filter(({ app }) => app === name).map(({ id }) => revokedTokenKey(id));
  return [...keys, ...revoked];
}

const LAPSED_AT_ONCE = 100;
/** For nodes that are away now. */
const WITHDRAWN_KEY_S = 7 * 86_400;

/** Throws `apps.name`. */
export function assertAppName(name: string): void {
  try {
    streamRef(name, 'any');
  } catch (error) {
    throw new ApiError('apps.name', (error as Error).message);
  }
}

const NEWER_APP = 'it was written by newer software: this node goes by what it understands of it, and does not change it: update this node';

const exists = (name: string): ApiError =>
  new ApiError('apps.exists', `there is an app named ${name}: PATCH /api/v1/apps/${name} changes it`);

function resourceOf({
  name,
  isConfigured,
  configuredKeys,
  publishFromLoopback,
  secondPublisher,
  playback,
  tokens,
  limits,
  recording,
  record,
}: EffectiveApp): AppResource {
  const { issuer, audience, jwksUrl, keys } = tokens;
  return {
    name,
    note: record?.note ?? '',
    configured: isConfigured,
    configuredKeys,
    publishFromLoopback,
    secondPublisher,
    playback: { policy: playback.policy, domains: [...playback.domains], networks: [...playback.networks] },
    tokens: {
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
      ...(jwksUrl === undefined ? {} : { jwksUrl }),
      keys: keys.map(tokenKeyResource),
    },
    limits: limitsResource(limits),
    recording: { ...recording },
    ...(record?.isNewer === true ? { problem: NEWER_APP } : {}),
  };
}

function tokenKeyResource({ id, algorithm, material, createdAtMs }: TokenKey): TokenKeyResource {
  return { id, algorithm, ...(algorithm === 'HS256' ? {} : { publicKey: material }), createdAt: isoTime(createdAtMs) };
}

const revokedResource = ({ jti, revokedAtMs, expiresAtMs }: RevokedToken): RevokedTokenResource => ({
  jti,
  revokedAt: isoTime(revokedAtMs),
  expiresAt: isoTime(expiresAtMs),
});
