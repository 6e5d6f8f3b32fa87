/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface LossyLinkOptions {
  readonly delayMs: number;
  /** Added at random to each packet's delay: packets overtake each other. */
  readonly jitterMs: number;
  /** Share of packets lost, 0 to 1. */
  readonly loss: number;
  /** Share of packets that come twice. */
  readonly duplicates: number;
  /** Packets that are lost together each time; 1 when not said. */
  readonly burst?: number;
}

/** One direction of a network in virtual time that loses, delays, reorders and repeats. */
export class LossyLink<Item> {
  private readonly options: LossyLinkOptions;
  private readonly random: () => number;
  private readonly underway: { readonly at: number; readonly item: Item }[] = [];
  private burstLeft = 0;

  constructor(options: LossyLinkOptions, random: () => number) {
    this.options = options;
    this.random = random;
  }

  send(item: Item, now: number): void {
    if (this.isLost()) return;
    this.enqueue(item, now);
    if (this.random() < this.options.duplicates) this.enqueue(item, now);
  }

  /** What has arrived by `now`, in order of arrival. */
  take(now: number): Item[] {
    const arrived: Item[] = [];
    while ((this.underway[0]?.at ?? Number.POSITIVE_INFINITY) <= now) arrived.push((this.underway.shift() as { item: Item }).item);
    return arrived;
  }

  private isLost(): boolean {
    if (this.burstLeft > 0) {
      this.burstLeft--;
      return true;
    }
    const burst = this.options.burst ?? 1;
    if (this.random() >= this.options.loss / burst) return false;
    this.burstLeft = burst - 1;
    return true;
  }

  private enqueue(item: Item, now: number): void {
    const at = now + this.options.delayMs + this.random() * this.options.jitterMs;
    let index = this.underway.length;
    while (index > 0 && (this.underway[index - 1]?.at ?? 0) > at) index--;
    this.underway.splice(index, 0, { at, item });
  }
}
