import {
  type AccessReplica,
  API_KEYS_PREFIX,
  type ApiKeyRecord,
  apiKeyIdOfHash,
  apiKeyKey,
  decodeApiKey,
  encodeApiKey,
  hasExpired,
} from '../../access/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import type { Secrets, StoredApiKey } from '../secrets.ts';
import { untilShown } from './hashed-key.ts';

/** Name under which the first admin key is kept. */
export const ADMIN_KEY_NAME = 'admin';

export interface ClusterAdminKeyOptions {
  readonly secrets: Secrets;
  readonly store: StoreCalls;
  readonly replica: AccessReplica;
  readonly clusterId: string;
  readonly nodeId: string;
  /** Whether the cluster began on this node: a key that its data folder had before goes on to count. */
  readonly isFounder: boolean;
  /** When this node came to the cluster. */
  readonly joinedAtMs: number;
  readonly wall: () => number;
  /** Told each key that is made, at once: it can be shown this once. */
  readonly made: (key: string) => void;
}

/** The admin key of a manager's data folder as one of its cluster's: its hash is in the store, so that every node takes it. */
export class ClusterAdminKey {
  private readonly options: ClusterAdminKeyOptions;

  constructor(options: ClusterAdminKeyOptions) {
    this.options = options;
  }

  /** Before the cluster knows the key, and while this node does not know what the cluster knows, it counts here all the same. */
  get apiKeys(): readonly StoredApiKey[] {
    const { secrets, replica } = this.options;
    return replica.apiKeys.isRead && !this.isToBeShared() ? [] : secrets.apiKeys;
  }

  /**
   * Makes a key where the whole cluster has none that may change anything, and sees to it that all nodes know the one in the data folder. A key that was made
   * anew there takes the place of the one before; one that was deleted by the API does not come back. Rejects with `ApiError` while the store is away.
   */
  async share(now: Date): Promise<void> {
    const { secrets, store, replica, clusterId, nodeId, wall, made } = this.options;
    const records = (await store.list(API_KEYS_PREFIX)).map(({ value }) => decodeApiKey(value)).filter((record) => record !== undefined);
    const hasAdmin = records.some(({ scopes, expiresAtMs }) => scopes.includes('admin') && !hasExpired(expiresAtMs, wall()));
    if (secrets.adminKey === undefined && !hasAdmin) made(secrets.createApiKey(ADMIN_KEY_NAME, 'admin', now));
    const own = secrets.adminKey;
    if (own === undefined || (hasAdmin && !this.isToBeShared())) return;
    const id = apiKeyIdOfHash(own.sha256);
    const note = `made on the node ${nodeId}`;
    const createdAtMs = Date.parse(own.createdAt) || Math.round(wall());
    const record: ApiKeyRecord = {
      v: 1,
      id,
      scopes: ['admin'],
      sha256: own.sha256,
      expiresAtMs: undefined,
      createdAtMs,
      note,
      node: nodeId,
    };
    await store.change(apiKeyKey(id), () => encodeApiKey(record));
    for (const other of records) if (other.node === nodeId && other.id !== id) await store.change(apiKeyKey(other.id), () => undefined);
    await untilShown(() => replica.apiKeys.get(id) !== undefined);
    secrets.noteCluster(clusterId, now);
  }

  /** A key from before this node joined was one for it alone. */
  private isToBeShared(): boolean {
    const { secrets, clusterId, isFounder, joinedAtMs } = this.options;
    const own = secrets.adminKey;
    return own !== undefined && own.cluster !== clusterId && (isFounder || Date.parse(own.createdAt) >= joinedAtMs);
  }
}
