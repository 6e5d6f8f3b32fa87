/** A growing delay: `firstMs`, twice that, … up to `maxMs`, each spread over ±20 % so that many pages do not ask in step. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

const SPREAD = 0.2;

/** Delay before attempt number `attempt` (0 is the first); `random` is in [0, 1). Never more than `maxMs`, never below 80 % of `firstMs`. */
export function backoffMs(limits: BackoffLimits, attempt: number, random: number): number {
  const grown = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 16));
  return Math.min(limits.maxMs, Math.round(grown * (1 - SPREAD + 2 * SPREAD * random)));
}
