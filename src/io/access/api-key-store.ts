import {
  type AccessReplica,
  API_KEYS_MAX,
  type ApiKeyRecord,
  apiKeyId,
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
  type KeyGrant,
  type NewApiKeyResource,
} from '../../api/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { expiryOf, isoTime, newId, newSecret, sha256Bytes, sha256Hex, untilShown } from './hashed-key.ts';

export interface ApiKeyStoreOptions {
  readonly store: StoreCalls;
  readonly replica: AccessReplica;
  /** The keys in this node's data folder. */
  readonly own: Pick<ApiKeys, 'scopeOf'>;
  readonly wall: () => number;
}

/** API keys: those in the store, as hashes, and beside them those of the node's data folder. */
export class ApiKeyStore implements ApiKeyRegistry, ApiKeys {
  private readonly options: ApiKeyStoreOptions;

  constructor(options: ApiKeyStoreOptions) {
    this.options = options;
  }

  scopeOf(key: string): 'read' | 'admin' | undefined {
    const record = this.recordOf(key);
    if (record === undefined) return this.options.own.scopeOf(key);
    return (['admin', 'read'] as const).find((scope) => record.scopes.includes(scope));
  }

  grantOf(key: string): KeyGrant | undefined {
    const record = this.recordOf(key);
    if (record === undefined) return this.options.own.scopeOf(key) === undefined ? undefined : { who: 'key:data-folder', apps: [] };
    const apps = record.scopes.filter((scope) => scope.startsWith('app:')).map((scope) => scope.slice('app:'.length));
    return { who: `key:${record.id}`, apps };
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
    if (record === undefined) return undefined;
    await store.change(apiKeyKey(id), () => undefined);
    await untilShown(() => replica.apiKeys.get(id) === undefined);
    return resourceOf(record);
  }

  private recordOf(key: string): ApiKeyRecord | undefined {
    const record = this.options.replica.apiKeys.get(apiKeyId(key) ?? '');
    if (record === undefined || !isSameHash(record.sha256, sha256Bytes(key))) return undefined;
    return hasExpired(record.expiresAtMs, this.options.wall()) ? undefined : record;
  }
}

const resourceOf = ({ id, scopes, note, createdAtMs, expiresAtMs }: ApiKeyRecord): ApiKeyResource => ({
  id,
  scopes: [...scopes],
  note,
  createdAt: isoTime(createdAtMs),
  ...expiryOf(expiresAtMs),
});
