interface Queued {
  readonly head: Uint8Array;
  readonly payload: Uint8Array;
  /** Whose frames it belongs to; nobody's are never dropped. */
  readonly owner: object | undefined;
}

/** Below this many taken entries the array is not shifted. */
const COMPACT_FROM = 256;
const NOTHING = new Uint8Array(0);

/** What waits to be sent to one peer, in order. Frames belong to an owner and can be dropped together. */
export class SendQueue {
  /** What was dropped leaves an empty place. */
  private entries: (Queued | undefined)[] = [];
  private first = 0;
  /** So much of the first message was read; such a one is not dropped any more. */
  private begun = 0;
  private total = 0;
  private readonly byOwner = new Map<object, number>();

  get sizeBytes(): number {
    return this.total;
  }

  sizeOf(owner: object): number {
    return this.byOwner.get(owner) ?? 0;
  }

  /** One message, whose bytes are shared: its head, or all of it, and a frame's payload. */
  push(head: Uint8Array, owner?: object, payload: Uint8Array = NOTHING): void {
    this.entries.push({ head, payload, owner });
    this.count(owner, head.length + payload.length);
  }

  /** Forgets all that waits of `owner`; returns how many messages that were. */
  drop(owner: object): number {
    let dropped = 0;
    for (let at = this.firstWhole; at < this.entries.length; at++) {
      const entry = this.entries[at];
      if (entry?.owner !== owner) continue;
      this.count(owner, -sizeOf(entry));
      this.entries[at] = undefined;
      dropped++;
    }
    return dropped;
  }

  /** Fills `into` with what comes next and returns how much that is: 0 if nothing waits. What does not fit goes on with the next call. */
  read(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length && this.first < this.entries.length) {
      const entry = this.entries[this.first];
      if (entry !== undefined) {
        const taken = copyFrom(entry, this.begun, into.subarray(filled));
        filled += taken;
        this.begun += taken;
        this.count(entry.owner, -taken);
        if (this.begun < sizeOf(entry)) break;
      }
      this.begun = 0;
      this.first++;
    }
    this.compact();
    return filled;
  }

  /** Forgets all, but for the rest of a message that was begun. */
  clear(): void {
    for (let at = this.firstWhole; at < this.entries.length; at++) {
      const entry = this.entries[at];
      if (entry !== undefined) this.count(entry.owner, -sizeOf(entry));
    }
    this.entries.length = this.firstWhole;
    this.compact();
  }

  private get firstWhole(): number {
    return this.begun > 0 ? this.first + 1 : this.first;
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

const sizeOf = ({ head, payload }: Queued): number => head.length + payload.length;

/** Copies as much of a message, from `at` on, as there is room for. */
function copyFrom({ head, payload }: Queued, at: number, into: Uint8Array): number {
  const ofHead = head.subarray(at, at + into.length);
  into.set(ofHead);
  const from = Math.max(0, at - head.length);
  const ofPayload = payload.subarray(from, from + into.length - ofHead.length);
  into.set(ofPayload, ofHead.length);
  return ofHead.length + ofPayload.length;
}
