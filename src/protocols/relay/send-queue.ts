interface Queued {
  bytes: Uint8Array | undefined;
  /** Whose frames it belongs to; nobody's are never dropped. */
  readonly owner: object | undefined;
}

/** Below this many taken entries the array is not shifted. */
const COMPACT_FROM = 256;

/** What waits to be sent to one peer, in order. Frames belong to an owner and can be dropped together. */
export class SendQueue {
  private entries: Queued[] = [];
  private first = 0;
  private total = 0;
  private readonly byOwner = new Map<object, number>();

  get sizeBytes(): number {
    return this.total;
  }

  sizeOf(owner: object): number {
    return this.byOwner.get(owner) ?? 0;
  }

  /** `bytes` are shared. */
  push(bytes: Uint8Array, owner?: object): void {
    this.entries.push({ bytes, owner });
    this.count(owner, bytes.length);
  }

  /** Forgets all that waits of `owner`; returns how many messages that were. */
  drop(owner: object): number {
    let dropped = 0;
    for (let at = this.first; at < this.entries.length; at++) {
      const entry = this.entries[at];
      if (entry?.owner !== owner || entry.bytes === undefined) continue;
      this.count(owner, -entry.bytes.length);
      entry.bytes = undefined;
      dropped++;
    }
    this.byOwner.delete(owner);
    return dropped;
  }

  /** Takes the next messages, until they are `bytesMax` or more; at least one, if there is one. */
  take(bytesMax: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < bytesMax && this.first < this.entries.length) {
      const entry = this.entries[this.first++];
      if (entry?.bytes === undefined) continue;
      taken.push(entry.bytes);
      bytes += entry.bytes.length;
      this.count(entry.owner, -entry.bytes.length);
    }
    this.compact();
    return taken;
  }

  clear(): void {
    this.entries = [];
    this.first = 0;
    this.total = 0;
    this.byOwner.clear();
  }

  private count(owner: object | undefined, bytes: number): void {
    this.total += bytes;
    if (owner === undefined) return;
    const left = (this.byOwner.get(owner) ?? 0) + bytes;
    if (left > 0) this.byOwner.set(owner, left);
    else this.byOwner.delete(owner);
  }

  private compact(): void {
    if (this.first < this.entries.length && this.first < COMPACT_FROM) return;
    this.entries = this.entries.slice(this.first);
    this.first = 0;
  }
}
