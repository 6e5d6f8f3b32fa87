import { isLoopback } from './remote-address.ts';

/** Counts the connections of each address. Loopback is never full: a reverse proxy or the encoders of this machine come from there. */
export class AddressCounts {
  private readonly perAddressMax: number;
  private readonly counts = new Map<string, number>();

  constructor(perAddressMax: number) {
    this.perAddressMax = perAddressMax;
  }

  /** Counts one more; false, and not counted, if the address has as many as it may. */
  add(address: string): boolean {
    if (isLoopback(address)) return true;
    const present = this.counts.get(address) ?? 0;
    if (present >= this.perAddressMax) return false;
    this.counts.set(address, present + 1);
    return true;
  }

  /** For each `add` that was true. */
  remove(address: string): void {
    const left = (this.counts.get(address) ?? 1) - 1;
    if (left > 0) this.counts.set(address, left);
    else this.counts.delete(address);
  }
}
