import { APPS_PREFIX, type AppRecord, decodeAppRecord } from './app-record.ts';
import { REVOKED_TOKENS_SHARE, STREAM_KEYS_SHARE, WITHDRAWALS_SHARE } from './app-share.ts';
import { type RecordSource, RecordTable } from './record-table.ts';
import { decodeRevokedToken, REVOKED_TOKENS_PREFIX, type RevokedToken } from './revoked-token.ts';
import {
  API_KEYS_PREFIX,
  type ApiKeyRecord,
  decodeApiKey,
  decodeStreamKey,
  STREAM_KEYS_PREFIX,
  type StreamKeyRecord,
} from './secret-key.ts';
import { decodeWithdrawal, WITHDRAWALS_PREFIX, type Withdrawal } from './withdrawal.ts';

export const APPS_MAX = 10_000;
export const API_KEYS_MAX = 10_000;

export interface AccessReplicaOutput {
  /** An app is gone from the store. */
  appDeleted(name: string): void;
  /** Sessions that this key or token let in are to end. */
  withdrawn?(credential: string): void;
}

/** This node's copy of apps, keys and revocations. It answers at once, and while the store is away by what it knew. */
export class AccessReplica {
  readonly apps: RecordTable<AppRecord>;
  readonly streamKeys: RecordTable<StreamKeyRecord>;
  readonly apiKeys: RecordTable<ApiKeyRecord>;
  readonly revokedTokens: RecordTable<RevokedToken>;
  readonly withdrawals: RecordTable<Withdrawal>;
  /** Names of apps that were deleted while this node ran: what is left of their streams is for nobody. */
  private readonly deleted = new Set<string>();

  constructor(source: RecordSource, out: AccessReplicaOutput) {
    this.apps = new RecordTable(source, {
      prefix: APPS_PREFIX,
      decode: decodeAppRecord,
      recordsMax: APPS_MAX,
      changed: (name) => this.deleted.delete(name),
      removed: (name) => {
        this.deleted.add(name);
        out.appDeleted(name);
      },
    });
    this.streamKeys = new RecordTable(source, { prefix: STREAM_KEYS_PREFIX, decode: decodeStreamKey, recordsMax: STREAM_KEYS_SHARE.all });
    this.apiKeys = new RecordTable(source, { prefix: API_KEYS_PREFIX, decode: decodeApiKey, recordsMax: API_KEYS_MAX });
    this.revokedTokens = new RecordTable(source, {
      prefix: REVOKED_TOKENS_PREFIX,
      decode: decodeRevokedToken,
      recordsMax: REVOKED_TOKENS_SHARE.all,
    });
    this.withdrawals = new RecordTable(source, {
      prefix: WITHDRAWALS_PREFIX,
      decode: decodeWithdrawal,
      recordsMax: WITHDRAWALS_SHARE.all,
      changed: (credential) => out.withdrawn?.(credential),
    });
  }

  /** Whether everything was read from the store at least once. */
  get isRead(): boolean {
    return this.apps.isRead && this.streamKeys.isRead && this.apiKeys.isRead && this.revokedTokens.isRead;
  }

  wasDeleted(app: string): boolean {
    return this.deleted.has(app);
  }

  close(): void {
    for (const table of [this.apps, this.streamKeys, this.apiKeys, this.revokedTokens, this.withdrawals]) table.close();
  }
}
