import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isName, SluiceError } from '../core/mod.ts';

/** An API key as it is kept: only its hash, so that the file gives no key away. */
export interface StoredApiKey {
  readonly name: string;
  readonly scope: 'read' | 'admin';
  /** SHA-256 of the key, in hexadecimal. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** The id of the cluster whose store was given the hash; absent: none. */
  readonly cluster?: string;
}

interface SecretsFile {
  readonly version: 1;
  /** By app. Kept as they are, for the operator has to be able to read them again. */
  readonly streamKeys: Readonly<Record<string, string>>;
  readonly apiKeys: readonly StoredApiKey[];
}

const FILE_NAME = 'secrets.json';

/**
 * The keys in the data folder's `secrets.json` (mode 0600 in a folder of mode 0700). A file that cannot be understood
 * is an error with code `secrets.unreadable` and is never written over.
 */
export class Secrets {
  readonly file: string;
  private content: SecretsFile;
  private readonly isNew: boolean;

  private constructor(file: string, content: SecretsFile | undefined) {
    this.file = file;
    this.isNew = content === undefined;
    this.content = content ?? { version: 1, streamKeys: {}, apiKeys: [] };
  }

  /** Opens the folder's secrets, making the folder where needed; nothing is written before a key is made. */
  static open(dataFolder: string): Secrets {
    try {
      mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new SluiceError(
        'secrets.folder',
        `the data folder ${dataFolder} cannot be made: ${reason(cause)}; set dataFolder (SLUICE_DATA_FOLDER) to another`,
        { cause },
      );
    }
    const file = join(dataFolder, FILE_NAME);
    return new Secrets(file, read(file));
  }

  streamKey(app: string): string | undefined {
    return Object.hasOwn(this.content.streamKeys, app) ? this.content.streamKeys[app] : undefined;
  }

  /** The app's stream key, made and kept when there is none yet. */
  ensureStreamKey(app: string, now: Date): { key: string; isNew: boolean } {
    const known = this.streamKey(app);
    if (known !== undefined) return { key: known, isNew: false };
    const key = randomBytes(18).toString('base64url');
    this.save({ ...this.content, streamKeys: { ...this.content.streamKeys, [app]: key } }, now);
    return { key, isNew: true };
  }

  get adminKey(): StoredApiKey | undefined {
    return this.content.apiKeys.find(({ scope }) => scope === 'admin');
  }

  get hasAdminKey(): boolean {
    return this.adminKey !== undefined;
  }

  get apiKeys(): readonly StoredApiKey[] {
    return this.content.apiKeys;
  }

  /** Makes an API key and keeps its hash; the key itself is returned this once and nowhere kept. Replaces a key of the same name. */
  createApiKey(name: string, scope: 'read' | 'admin', now: Date): string {
    const key = `sk_${randomBytes(32).toString('base64url')}`;
    const stored: StoredApiKey = { name, scope, sha256: sha256(key).toString('hex'), createdAt: now.toISOString() };
    this.save({ ...this.content, apiKeys: [...this.content.apiKeys.filter((known) => known.name !== name), stored] }, now);
    return key;
  }

  /** Notes that the keys are known in a cluster. */
  noteCluster(cluster: string, now: Date): void {
    if (this.content.apiKeys.every((key) => key.cluster === cluster)) return;
    this.save({ ...this.content, apiKeys: this.content.apiKeys.map((key) => ({ ...key, cluster })) }, now);
  }

  private save(content: SecretsFile, now: Date): void {
    // Written beside and renamed over, so that a crash leaves the old file or the new one, never a half.
    const draft = `${this.file}.${process.pid}.${now.getTime()}`;
    try {
      const descriptor = openSync(draft, 'wx', 0o600);
      try {
        writeSync(descriptor, `${JSON.stringify(content, null, 2)}\n`);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      if (this.isNew) chmodSync(dirname(this.file), 0o700);
      renameSync(draft, this.file);
    } catch (cause) {
      rmSync(draft, { force: true });
      throw new SluiceError('secrets.unwritable', `${this.file} cannot be written: ${reason(cause)}`, { cause });
    }
    this.content = content;
  }
}

const sha256 = (key: string): Buffer => createHash('sha256').update(key).digest();
const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function read(file: string): SecretsFile | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SluiceError('secrets.unreadable', `${file} cannot be read: ${reason(cause)}`, { cause });
  }
  const content = parse(text);
  if (content !== undefined) return content;
  throw new SluiceError(
    'secrets.unreadable',
    `${file} is damaged (not the JSON that Sluice writes). It is left as it is: restore it from a backup, or move it away to have new keys made on the next start`,
  );
}

function parse(text: string): SecretsFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const content = value as Partial<SecretsFile> | null;
  const { streamKeys, apiKeys } = content ?? {};
  if (content?.version !== 1 || typeof streamKeys !== 'object' || streamKeys === null || !Array.isArray(apiKeys)) return undefined;
  const isRight =
    Object.entries(streamKeys).every(([app, key]) => isName(app) && typeof key === 'string' && key !== '') && apiKeys.every(isStoredApiKey);
  return isRight ? (content as SecretsFile) : undefined;
}

function isStoredApiKey(value: unknown): value is StoredApiKey {
  const { name, scope, sha256: hash, createdAt } = (value ?? {}) as Partial<StoredApiKey>;
  return (
    typeof name === 'string' &&
    (scope === 'admin' || scope === 'read') &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof createdAt === 'string'
  );
}
