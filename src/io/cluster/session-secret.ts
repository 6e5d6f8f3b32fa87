import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { decodeVersioned, encodeVersioned, readText, type Store } from '../../cluster/mod.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const SECRET_BYTES = 32;
const PREFIX = 'sessions/';
const KEY = 'sessions/secret';
const RETRY_MS = 2_000;
const TEXT_LENGTH_MAX = 128;

const bytesOf = (text: string | undefined): Buffer | undefined => {
  const bytes = Buffer.from(text ?? '', 'base64url');
  return bytes.length >= SECRET_BYTES ? bytes : undefined;
};

/** The secret of this node alone, in `session-secret` of its data folder, made where there is none: sessions outlive a restart. Throws `SluiceError` when it cannot be kept. */
export function ownSessionSecret(dataFolder: string): Uint8Array {
  const file = join(dataFolder, 'session-secret');
  const known = bytesOf(readPrivateFile(file)?.trim());
  if (known !== undefined) return known;
  const secret = randomBytes(SECRET_BYTES);
  writePrivateFile(file, `${secret.toString('base64url')}\n`);
  return secret;
}

/** The secret that all nodes of a cluster sign sessions with, so that each takes those of the others. Whoever comes first makes it. */
export class ClusterSessionSecret {
  private readonly store: Store;
  private readonly endWatch: () => void;
  private readonly retry: NodeJS.Timeout;
  private secret: Uint8Array | undefined;

  constructor(store: Store) {
    this.store = store;
    this.endWatch = store.watch(PREFIX, {
      changed: ({ key, value }) => {
        if (key === KEY) this.secret = bytesOf(readText(decodeVersioned(value)?.['secret'], TEXT_LENGTH_MAX));
      },
      deleted: (key) => {
        if (key === KEY) this.secret = undefined;
      },
      current: () => this.make(),
      lost: () => undefined,
    });
    this.retry = setInterval(() => this.make(), RETRY_MS);
    this.retry.unref();
  }

  /** Undefined until the store has told it. */
  get value(): Uint8Array | undefined {
    return this.secret;
  }

  close(): void {
    clearInterval(this.retry);
    this.endWatch();
  }

  private make(): void {
    if (this.secret !== undefined) return;
    const value = encodeVersioned({ v: 1, secret: randomBytes(SECRET_BYTES).toString('base64url') });
    // Written once: whoever was faster has written what holds, and the watch tells it.
    this.store.create(KEY, value, () => undefined);
  }
}
