import { createHash } from 'node:crypto';
import type pino from 'pino';
import type { EndedSessionList } from '../../api/mod.ts';
import { decodeVersioned, encodeVersioned, type Store } from '../../cluster/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';

export interface EndedSessionsOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: pino.Logger;
}

const PREFIX = 'ended-sessions/';
const RETRY_MS = 2_000;
/** Sessions whose end is still to be written; past it, the oldest is ended on this node alone. */
const UNWRITTEN_MAX = 1_000;
/** Between two looks for what has lapsed. */
const SWEEP_MS = 3_600_000;

/** Sessions that were ended before their time, in the store until they would have lapsed: every node refuses them. Named there by a hash alone. */
export class EndedSessions implements EndedSessionList {
  private readonly options: EndedSessionsOptions;
  private readonly calls: StoreCalls;
  private readonly expiresAtMs = new Map<string, number>();
  private readonly unwritten = new Map<string, number>();
  private readonly writing = new Set<string>();
  private readonly endWatch: () => void;
  private readonly retry: NodeJS.Timeout;
  private readonly sweep: NodeJS.Timeout;

  constructor(options: EndedSessionsOptions) {
    const { store } = options;
    this.options = options;
    this.calls = new StoreCalls(store);
    this.endWatch = store.watch(PREFIX, {
      changed: ({ key, value }) => {
        const until = decodeVersioned(value)?.['expiresAtMs'];
        if (typeof until === 'number') this.expiresAtMs.set(key.slice(PREFIX.length), until);
      },
      deleted: (key) => void this.expiresAtMs.delete(key.slice(PREFIX.length)),
      current: () => undefined,
      lost: () => undefined,
    });
    this.retry = setInterval(() => this.writeRest(), RETRY_MS);
    this.sweep = setInterval(() => this.removeLapsed(), SWEEP_MS);
    this.retry.unref();
    this.sweep.unref();
  }

  has(id: string): boolean {
    return this.expiresAtMs.size > 0 && this.expiresAtMs.has(hashOf(id));
  }

  /** Holds here at once, and on the others as soon as the store has it; while that is away, it is tried again. */
  add(id: string, expiresAtMs: number): Promise<void> {
    const hash = hashOf(id);
    this.expiresAtMs.set(hash, expiresAtMs);
    this.unwritten.set(hash, expiresAtMs);
    const [oldest] = this.unwritten.keys();
    if (this.unwritten.size > UNWRITTEN_MAX && oldest !== undefined) this.unwritten.delete(oldest);
    return this.write(hash, expiresAtMs);
  }

  close(): void {
    clearInterval(this.retry);
    clearInterval(this.sweep);
    this.endWatch();
  }

  private async write(hash: string, expiresAtMs: number): Promise<void> {
    this.writing.add(hash);
    try {
      await this.calls.change(`${PREFIX}${hash}`, (value) => value ?? encodeVersioned({ v: 1, expiresAtMs }));
      this.unwritten.delete(hash);
    } catch (error) {
      this.options.log.warn(
        { code: 'access.session-end-unwritten', err: error },
        'a session was ended on this node alone: it is tried again',
      );
    } finally {
      this.writing.delete(hash);
    }
  }

  private writeRest(): void {
    const now = this.options.wall();
    for (const [hash, until] of [...this.unwritten]) {
      if (until <= now) this.unwritten.delete(hash);
      else if (!this.writing.has(hash)) void this.write(hash, until);
    }
  }

  private removeLapsed(): void {
    const now = this.options.wall();
    for (const [hash, until] of [...this.expiresAtMs]) {
      if (until > now) continue;
      this.expiresAtMs.delete(hash);
      this.calls.remove(`${PREFIX}${hash}`).catch(() => undefined);
    }
  }
}

const hashOf = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 32);
