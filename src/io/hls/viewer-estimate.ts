import type { MonotonicMs } from '../../core/mod.ts';

/**
 * Estimates how many viewers a stream has from playlist requests: HLS has no sessions, so one address with one user agent
 * counts as one viewer as long as it keeps asking. Viewers behind one address with equal players count as one; who comes
 * through a CDN is not seen at all. Bounded: at the limit the one not heard of for longest is forgotten.
 */
export class ViewerEstimate {
  private readonly lastSeen = new Map<number, MonotonicMs>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** Returns whether it is one more. */
  seen(address: string, agent: string, now: MonotonicMs): boolean {
    const key = keyOf(address, agent);
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
  has(address: string, agent: string, now: MonotonicMs, windowMs: number): boolean {
    const seen = this.lastSeen.get(keyOf(address, agent));
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

const keyOf = (address: string, agent: string): number => hash(agent, hash(address, 0x811c9dc5));

function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
