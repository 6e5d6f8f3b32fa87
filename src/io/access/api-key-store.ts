import {
  type AccessReplica,
  API_KEYS_MAX,
  type ApiKeyRecord,
  apiKeyId,
  apiKeyIdOfHash,
  apiKeyKey,
  encodeApiKey,
  formatApiKey,
  hasExpired,
  isApiKeyScope,
  isSameHash,
} from '../../access/mod.ts';
import {
  ApiError,
  type ApiKeyRegistry,
  type ApiKeyResource,
  type ApiKeys,
  type ApiKeyWish,
  type KnownKey,
  type NewApiKeyResource,
} from '../../api/mod.ts';
import { isName } from '../../core/mod.ts';
import { assertKnown, type StoreCalls } from '../cluster/mod.ts';
import type { Secrets } from '../secrets.ts';
import { expiryOf, isoTime, newId, newSecret, sha256Bytes, sha256Hex, untilShown } from './hashed-key.ts';

export interface ApiKeyStoreOptions {
  readonly store: StoreCalls;
  readonly replica: AccessReplica;
  /** The keys in this node's data folder that count on it, beside those in the store. */
  readonly own: Pick<Secrets, 'apiKeys'>;
  readonly wall: () => number;
}

/** API keys: those in the store, as hashes, and beside them those of the node's data folder. */
export class ApiKeyStore implements ApiKeyRegistry, ApiKeys {
  private readonly options: ApiKeyStoreOptions;

  constructor(options: ApiKeyStoreOptions) {
    this.options = options;
  }

  find(key: string): KnownKey | undefined {
    const sha256 = sha256Bytes(key);
    const record = this.recordOf(apiKeyId(key) ?? apiKeyIdOfHash(sha256Hex(key)));
    if (record !== undefined) return isSameHash(record.sha256, sha256) ? knownKey(record) : undefined;
    const own = this.options.own.apiKeys.find((stored) => isSameHash(stored.sha256, sha256));
    return own === undefined ? undefined : knownOwn(own);
  }

  byId(id: string): KnownKey | undefined {
    const record = this.recordOf(id);
    if (record !== undefined) return knownKey(record);
    const own = this.options.own.apiKeys.find((stored) => apiKeyIdOfHash(stored.sha256) === id);
    return own === undefined ? undefined : knownOwn(own);
  }

  list(): readonly ApiKeyResource[] {
    return [...this.options.replica.apiKeys.values()].map(resourceOf);
  }

  async create({ scopes, expiresInS, note }: ApiKeyWish): Promise<NewApiKeyResource> {
    const { store, replica, wall } = this.options;
    if ([...replica.apiKeys.values()].length >= API_KEYS_MAX)
      throw new ApiError('keys.too-many', `there are ${API_KEYS_MAX} API keys: delete some first`);
    const id = newId();
    const key = formatApiKey(id, newSecret());
    const createdAtMs = Math.round(wall());
    const expiresAtMs = expiresInS === undefined ? undefined : createdAtMs + expiresInS * 1000;
    const known = [...new Set(scopes.filter(isApiKeyScope))];
    const record: ApiKeyRecord = { v: 1, id, scopes: known, sha256: sha256Hex(key), expiresAtMs, createdAtMs, note };
    await store.change(apiKeyKey(id), () => encodeApiKey(record));
    await untilShown(() => replica.apiKeys.get(id) !== undefined);
    return { ...resourceOf(record), key };
  }

  async remove(id: string): Promise<ApiKeyResource | undefined> {
    const { store, replica } = this.options;
    const record = replica.apiKeys.get(id);
    // The replica has none that newer software has written.
    if (record === undefined && isName(id)) assertKnown(apiKeyKey(id), await store.get(apiKeyKey(id)));
    if (record === undefined) return undefined;
    await store.change(apiKeyKey(id), () => undefined);
    await untilShown(() => replica.apiKeys.get(id) === undefined);
    return resourceOf(record);
  }

  /** Undefined also when it has expired. */
  private recordOf(id: string): ApiKeyRecord | undefined {
    const record = this.options.replica.apiKeys.get(id);
    return record === undefined || hasExpired(record.expiresAtMs, this.options.wall()) ? undefined : record;
  }
}

const knownKey = ({ id, note, scopes, expiresAtMs }: ApiKeyRecord): KnownKey => ({
  id,
  name: note,
  held: (['admin', 'read'] as const).find((scope) => scopes.includes(scope)),
  apps: scopes.filter((scope) => scope.startsWith('app:')).map((scope) => scope.slice('app:'.length)),
  expiresAtMs,
});

const knownOwn = ({ name, scope, sha256 }: Secrets['apiKeys'][number]): KnownKey => ({
  id: apiKeyIdOfHash(sha256),
  name: `${name}, of the data folder`,
  held: scope,
  apps: [],
});

const resourceOf = ({ id, scopes, note, createdAtMs, expiresAtMs }: ApiKeyRecord): ApiKeyResource => ({
  id,
  scopes: [...scopes],
  note,
  createdAt: isoTime(createdAtMs),
  ...expiryOf(expiresAtMs),
});
