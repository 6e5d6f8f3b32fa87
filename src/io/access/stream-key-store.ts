import {
  type AccessReplica,
  decodeStreamKey,
  encodeStreamKey,
  formatStreamKey,
  STREAM_KEYS_SHARE,
  type StreamKeyRecord,
  streamKeyKey,
} from '../../access/mod.ts';
import type { NewStreamKeyResource, StreamKeyResource, StreamKeyWish } from '../../api/mod.ts';
import { isName } from '../../core/mod.ts';
import { assertKnown, type StoreCalls } from '../cluster/mod.ts';
import { assertRoom } from './app-room.ts';
import { expiryOf, isoTime, newId, newSecret, sha256Hex, untilShown } from './hashed-key.ts';

export interface StreamKeyStoreOptions {
  readonly store: StoreCalls;
  readonly replica: AccessReplica;
  readonly wall: () => number;
}

/** Stream keys in the store, as hashes. A key of another app is none. */
export class StreamKeyStore {
  private readonly options: StreamKeyStoreOptions;

  constructor(options: StreamKeyStoreOptions) {
    this.options = options;
  }

  list(app: string): readonly StreamKeyResource[] {
    return [...this.options.replica.streamKeys.values()].filter((key) => key.app === app).map(resourceOf);
  }

  async create(app: string, { stream, expiresInS, note }: StreamKeyWish): Promise<NewStreamKeyResource> {
    assertRoom(this.options.replica.streamKeys.values(), app, STREAM_KEYS_SHARE, 'stream keys', 'delete some first');
    const id = newId();
    const key = formatStreamKey(id, newSecret());
    const now = this.now();
    const expiresAtMs = expiresInS === undefined ? undefined : now + expiresInS * 1000;
    const secrets = [{ sha256: sha256Hex(key), expiresAtMs: undefined }];
    const record: StreamKeyRecord = { v: 1, id, app, stream, secrets, expiresAtMs, createdAtMs: now, note };
    await this.change(id, () => record);
    return { ...resourceOf(record), key };
  }

  async rotate(app: string, id: string, graceS: number): Promise<NewStreamKeyResource | undefined> {
    if ((await this.of(app, id)) === undefined) return undefined;
    const key = formatStreamKey(id, newSecret());
    const now = this.now();
    const written = await this.change(id, (record) => {
      if (record?.app !== app) return record;
      const [old] = record.secrets;
      const kept = old === undefined || graceS === 0 ? [] : [{ ...old, expiresAtMs: now + graceS * 1000 }];
      return { ...record, secrets: [{ sha256: sha256Hex(key), expiresAtMs: undefined }, ...kept] };
    });
    return written === undefined ? undefined : { ...resourceOf(written), key };
  }

  async remove(app: string, id: string): Promise<StreamKeyResource | undefined> {
    const record = await this.of(app, id);
    if (record === undefined) return undefined;
    await this.change(id, () => undefined);
    return resourceOf(record);
  }

  /** Throws `ApiError` for one that newer software has written: the replica has none of those. */
  private async of(app: string, id: string): Promise<StreamKeyRecord | undefined> {
    const { store, replica } = this.options;
    const record = replica.streamKeys.get(id);
    if (record === undefined && isName(id)) assertKnown(streamKeyKey(id), await store.get(streamKeyKey(id)));
    return record?.app === app ? record : undefined;
  }

  private async change(
    id: string,
    change: (record: StreamKeyRecord | undefined) => StreamKeyRecord | undefined,
  ): Promise<StreamKeyRecord | undefined> {
    const { store, replica } = this.options;
    let written: StreamKeyRecord | undefined;
    await store.change(streamKeyKey(id), (value) => {
      written = change(value === undefined ? undefined : decodeStreamKey(value));
      return written === undefined ? undefined : encodeStreamKey(written);
    });
    const text = JSON.stringify(written);
    await untilShown(() => JSON.stringify(replica.streamKeys.get(id)) === text);
    return written;
  }

  private now(): number {
    return Math.round(this.options.wall());
  }
}

function resourceOf({ id, app, stream, secrets, expiresAtMs, createdAtMs, note }: StreamKeyRecord): StreamKeyResource {
  const oldSecretUntil = secrets[1]?.expiresAtMs;
  return {
    id,
    app,
    ...(stream === undefined ? {} : { stream }),
    note,
    createdAt: isoTime(createdAtMs),
    ...expiryOf(expiresAtMs),
    ...(oldSecretUntil === undefined ? {} : { oldSecretUntil: isoTime(oldSecretUntil) }),
  };
}
