/** Numbers that look random and follow from a seed alone (xoshiro128**): the same seed gives the same run. */
export class Random {
  private readonly state: Uint32Array = new Uint32Array(4);

  constructor(seed: number) {
    // SplitMix32 spreads seeds that lie near each other.
    let mix = seed >>> 0;
    for (let at = 0; at < 4; at++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      let word = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      this.state[at] = word ^ (word >>> 16);
    }
  }

  /** From 0 to below 1. */
  next(): number {
    const { state } = this;
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const third = c ^ a;
    const fourth = d ^ b;
    state[0] = a ^ fourth;
    state[1] = b ^ third;
    state[2] = third ^ (b << 9);
    state[3] = (fourth << 11) | (fourth >>> 21);
    return result / 2 ** 32;
  }

  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** How long until something happens that happens each `meanMs` on average. */
  waitMs(meanMs: number): number {
    return Math.ceil(-Math.log(1 - this.next()) * meanMs);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Another source of numbers, which draws from this one once. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}
