import { createHash } from 'node:crypto';
import { AttemptLimit } from '../access/mod.ts';
import { durationMs, type MonotonicMs } from '../core/mod.ts';
import type { KnownKey } from './grant.ts';
import { ApiError } from './problem.ts';

/** Whose API key it is; implemented where keys are kept. */
export interface ApiKeys {
  /** The key as it is shown; undefined when it is not known, or counts no more. Compares in constant time. */
  find(key: string): KnownKey | undefined;
  /** The same by its id, for who has shown it before. */
  byId(id: string): KnownKey | undefined;
}

/** Ten wrong keys at once and one more each six seconds. */
const ATTEMPTS = { attemptsMax: 10, refillMs: durationMs(6_000), addressesMax: 10_000 };
/** Right keys remembered by who has shown them; past it, the oldest is forgotten. */
const SHOWN_MAX = 10_000;

/**
 * API keys as callers show them. An address that has shown too many wrong ones is not heard for a while, whatever it shows then: who guesses must not learn
 * that the guess was right. A key that was right from this very address before is heard all the same, so that nobody is shut out by others behind the same
 * address who guess.
 */
export class GuardedKeys {
  private readonly keys: ApiKeys;
  private readonly now: () => MonotonicMs;
  private readonly attempts = new AttemptLimit(ATTEMPTS);
  /** Digests of address and key, the oldest first. */
  private readonly shown = new Set<string>();

  constructor(keys: ApiKeys, now: () => MonotonicMs) {
    this.keys = keys;
    this.now = now;
  }

  /** The key; undefined when it is wrong. Throws `api.too-many-attempts`. */
  find(text: string, address: string): KnownKey | undefined {
    const now = this.now();
    const place = createHash('sha256').update(`${address} ${text}`).digest('base64');
    if (this.attempts.isExhausted(address, now) && !this.shown.has(place))
      throw new ApiError('api.too-many-attempts', 'too many wrong keys came from this address: wait a moment', {
        'retry-after': String(ATTEMPTS.refillMs / 1000),
      });
    const key = this.keys.find(text);
    if (key === undefined) this.attempts.noteWrong(address, now);
    else this.remember(place);
    return key;
  }

  byId(id: string): KnownKey | undefined {
    return this.keys.byId(id);
  }

  private remember(place: string): void {
    if (this.shown.has(place)) return;
    this.shown.add(place);
    if (this.shown.size <= SHOWN_MAX) return;
    for (const oldest of this.shown) {
      this.shown.delete(oldest);
      break;
    }
  }
}
