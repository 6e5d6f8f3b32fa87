import type { MonotonicMs } from '../../core/mod.ts';
import { cmcdSessionId } from '../../protocols/hls/mod.ts';
import type { SharedRequest } from '../shared-route.ts';

/** Who asks for a playlist, as far as it can be told: a hash, so that thousands are kept in little. */
export type ViewerKey = number;

/**
 * One viewer's key: that of the session that its player names by CMCD, wherever it comes from; without one, that of its address and
 * user agent, by which equal players behind one address are one viewer.
 */
export function viewerKey({ remote, userAgent, query, cmcdSession }: SharedRequest): ViewerKey {
  const session = cmcdSessionId(query, cmcdSession);
  return session === undefined ? hash(userAgent, hash(remote, SEED)) : hash(session, SESSION_SEED);
}

/**
 * Counts a stream's viewers by their playlist requests: HLS has no sessions, so one is there as long as it keeps asking. Viewers whose
 * requests a CDN answers are not seen. Bounded: at the limit the one not heard of for longest is forgotten.
 */
export class ViewerEstimate {
  private readonly lastSeen = new Map<ViewerKey, MonotonicMs>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** Returns whether it is one more. */
  seen(key: ViewerKey, now: MonotonicMs): boolean {
    // Deleted and set again, it moves to the end: the map is in order of age.
    const isNew = !this.lastSeen.delete(key);
    this.lastSeen.set(key, now);
    if (this.lastSeen.size <= this.max) return isNew;
    for (const oldest of this.lastSeen.keys()) {
      this.lastSeen.delete(oldest);
      break;
    }
    return isNew;
  }

  /** Whether it is counted, as it was seen in the last `windowMs`. */
  has(key: ViewerKey, now: MonotonicMs, windowMs: number): boolean {
    const seen = this.lastSeen.get(key);
    return seen !== undefined && now - seen <= windowMs;
  }

  /** Those seen in the last `windowMs`. */
  count(now: MonotonicMs, windowMs: number): number {
    for (const [key, seen] of this.lastSeen) {
      if (now - seen <= windowMs) break;
      this.lastSeen.delete(key);
    }
    return this.lastSeen.size;
  }
}

const SEED = 0x811c9dc5;
/** Of its own, so that a session cannot be named to be another's address. */
const SESSION_SEED = 0x01234567;

function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
