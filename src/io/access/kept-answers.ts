import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { AnswerKeeper, KeptAnswer, KeyedRequest, KeyedStanding } from '../../api/mod.ts';
import { decodeVersioned, encodeVersioned } from '../../cluster/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';

export interface KeptAnswersOptions {
  readonly store: StoreCalls;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Answers kept of one caller, and of all; past it, the oldest go. Held to now and then, not at each request. */
  readonly perCallerMax?: number;
  readonly answersMax?: number;
}

const PREFIX = 'idempotency/';
const KEEP_MS = 24 * 3_600_000;
/** A node that died in the middle of a request holds its key for no longer. */
const PENDING_MS_MAX = 60_000;
const PER_CALLER_MAX = 1_000;
const ANSWERS_MAX = 5_000;
const PRUNE_EVERY = 64;
/** A longer answer is not kept: a repeated request is carried out again. */
const ANSWER_BYTES_MAX = 64 * 1024;

interface Kept {
  readonly state: 'pending' | 'done';
  readonly fingerprint: string;
  readonly atMs: number;
  /** Sealed. */
  readonly answer: string;
}

/**
 * Answers to requests that name themselves, in the store, so that any node can give them again. An answer may hold a secret that is shown once: it is sealed
 * (AES-256-GCM) under what only its caller shows, API key and idempotency key, of which the store has neither.
 */
export class KeptAnswers implements AnswerKeeper {
  private readonly options: KeptAnswersOptions;
  private written = 0;

  constructor(options: KeptAnswersOptions) {
    this.options = options;
  }

  async begin(request: KeyedRequest): Promise<KeyedStanding> {
    const now = Math.round(this.options.wall());
    let standing: KeyedStanding = { kind: 'fresh' };
    await this.options.store.change(keyOf(request), (value) => {
      const known = value === undefined ? undefined : readKept(value);
      standing = known === undefined ? { kind: 'fresh' } : standingOf(known, request, now);
      return standing.kind === 'fresh'
        ? encodeVersioned({ v: 1, state: 'pending', fingerprint: request.fingerprint, atMs: now, answer: '' })
        : value;
    });
    // A request is not refused because others' answers cannot be dropped: the next look does it.
    if (this.written++ % PRUNE_EVERY === 0) await this.prune(now).catch(() => undefined);
    return standing;
  }

  async finish(request: KeyedRequest, answer: KeptAnswer): Promise<void> {
    const atMs = Math.round(this.options.wall());
    const text = JSON.stringify(answer);
    if (text.length > ANSWER_BYTES_MAX) return this.abandon(request);
    const record = { v: 1, state: 'done', fingerprint: request.fingerprint, atMs, answer: seal(text, request) } as const;
    await this.options.store.change(keyOf(request), () => encodeVersioned(record));
  }

  async abandon(request: KeyedRequest): Promise<void> {
    await this.options.store.remove(keyOf(request));
  }

  /** Drops what is over, and of the rest the oldest past the limits. */
  private async prune(now: number): Promise<void> {
    const { store, perCallerMax = PER_CALLER_MAX, answersMax = ANSWERS_MAX } = this.options;
    const entries = (await store.list(PREFIX)).map(({ key, value }) => ({ key, kept: readKept(value) }));
    const newestFirst = entries.sort((left, right) => (right.kept?.atMs ?? 0) - (left.kept?.atMs ?? 0));
    const perCaller = new Map<string, number>();
    let left = 0;
    for (const { key, kept } of newestFirst) {
      const caller = key.split('/')[1] ?? '';
      const count = (perCaller.get(caller) ?? 0) + 1;
      perCaller.set(caller, count);
      const isKept = kept !== undefined && !isOver(kept, now) && count <= perCallerMax && left < answersMax;
      if (isKept) left += 1;
      else await store.remove(key);
    }
  }
}

const keyOf = ({ caller, id }: KeyedRequest): string => `${PREFIX}${caller}/${id}`;
const isOver = ({ state, atMs }: Kept, now: number): boolean => now - atMs >= (state === 'done' ? KEEP_MS : PENDING_MS_MAX);

function standingOf(known: Kept, request: KeyedRequest, now: number): KeyedStanding {
  if (isOver(known, now)) return { kind: 'fresh' };
  if (known.fingerprint !== request.fingerprint) return { kind: 'reused' };
  if (known.state === 'pending') return { kind: 'in-progress' };
  const answer = unseal(known.answer, request);
  return answer === undefined ? { kind: 'reused' } : { kind: 'answered', answer };
}

function readKept(value: Uint8Array): Kept | undefined {
  const { state, fingerprint, atMs, answer } = decodeVersioned(value) ?? {};
  const isWhole = (state === 'pending' || state === 'done') && typeof fingerprint === 'string' && typeof atMs === 'number';
  return isWhole && typeof answer === 'string' ? { state, fingerprint, atMs, answer } : undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const sealKey = ({ secret }: KeyedRequest): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, '', 'sluice idempotency 1', 32));

function seal(text: string, request: KeyedRequest): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealKey(request), iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** Undefined for what was not sealed by the same caller with the same key. */
function unseal(sealed: string, request: KeyedRequest): KeptAnswer | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealKey(request), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
    return JSON.parse(text) as KeptAnswer;
  } catch {
    return undefined;
  }
}
