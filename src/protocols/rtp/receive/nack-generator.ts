import { type MonotonicMs, monotonicMs } from '../../../core/mod.ts';
import type { RoundTrip } from './round-trip.ts';

/** When to ask for lost packets, and when no more. */
export interface NackOptions {
  /** So long a gap may be mere reordering. */
  readonly reorderWaitMs: number;
  readonly triesMax: number;
  /** After this long a packet is of no use any more. */
  readonly ageMsMax: number;
  /** Packets missing at a time. */
  readonly missingMax: number;
  /** A longer gap is not asked for: a keyframe is less than its packets. */
  readonly gapMax: number;
}

/** Options that fit video of up to some 50 Mbit/s. */
export const nackOptionsDefault: NackOptions = { reorderWaitMs: 10, triesMax: 10, ageMsMax: 1_000, missingMax: 1_000, gapMax: 500 };

/** What one message names at most, so that it fits a datagram also when no two are near each other. */
export const nackSequenceNumbersMax = 200;

const NOTHING: readonly number[] = [];
const RETRY_MS_MIN = 20;
/** Added to the round trip before a retry: what jitter and the peer's pacing take. */
const RETRY_MARGIN_MS = 10;

interface Missing {
  readonly noticedAt: number;
  firstSentAt: number;
  sentAt: number;
  tries: number;
}

/** Keeps the missing packets of one stream (by extended sequence number) and says when to ask for which. */
export class NackGenerator {
  private readonly options: NackOptions;
  private readonly roundTrip: RoundTrip;
  private readonly missing = new Map<number, Missing>();
  private due: number = Number.POSITIVE_INFINITY;

  constructor(roundTrip: RoundTrip, options: NackOptions) {
    this.options = options;
    this.roundTrip = roundTrip;
  }

  /** Packets that are missing now. */
  get size(): number {
    return this.missing.size;
  }

  /** When `tick` has something to do; infinite while nothing is missing. */
  get wakeAt(): MonotonicMs {
    return monotonicMs(this.due);
  }

  /** Packets `from` to `to` have not come before `to + 1` did. False when that is more than is worth asking for: then none is asked for any more. */
  gap(from: number, to: number, now: MonotonicMs): boolean {
    const length = to - from + 1;
    if (length > this.options.gapMax || this.missing.size + length > this.options.missingMax) {
      this.clear();
      return false;
    }
    for (let sequence = from; sequence <= to; sequence++) {
      this.missing.set(sequence, { noticedAt: now, firstSentAt: now, sentAt: now, tries: 0 });
    }
    this.due = Math.min(this.due, now + this.options.reorderWaitMs);
    return true;
  }

  /** A packet came after all; `isRetransmission` when it surely came on request, which tells the round trip. */
  received(sequence: number, isRetransmission: boolean, now: MonotonicMs): void {
    const missing = this.missing.get(sequence);
    if (missing === undefined) return;
    this.missing.delete(sequence);
    if (this.missing.size === 0) this.due = Number.POSITIVE_INFINITY;
    if (!isRetransmission || missing.tries === 0) return;
    if (missing.tries === 1) this.roundTrip.sample(now - missing.sentAt, now);
    // Which of the tries it answers is not known.
    else this.roundTrip.upperBound(now - missing.firstSentAt, now);
  }

  /** Packets before `sequence` are of no use any more. */
  forgetBefore(sequence: number): void {
    for (const key of this.missing.keys()) {
      // In ascending order.
      if (key >= sequence) return;
      this.missing.delete(key);
    }
    if (this.missing.size === 0) this.due = Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.missing.clear();
    this.due = Number.POSITIVE_INFINITY;
  }

  /** The packets to ask for now, ascending, as extended numbers; at most `nackSequenceNumbersMax`. */
  tick(now: MonotonicMs): readonly number[] {
    if (now < this.due) return NOTHING;
    const { triesMax, ageMsMax, reorderWaitMs } = this.options;
    const retryMs = Math.max(RETRY_MS_MIN, this.roundTrip.ms + RETRY_MARGIN_MS);
    const asked: number[] = [];
    let due = Number.POSITIVE_INFINITY;
    for (const [sequence, missing] of this.missing) {
      let at = missing.tries === 0 ? missing.noticedAt + reorderWaitMs : missing.sentAt + retryMs;
      if (now >= at && (missing.tries >= triesMax || now - missing.noticedAt > ageMsMax)) {
        this.missing.delete(sequence);
        continue;
      }
      if (now >= at && asked.length < nackSequenceNumbersMax) {
        asked.push(sequence);
        if (missing.tries++ === 0) missing.firstSentAt = now;
        missing.sentAt = now;
        at = now + retryMs;
      }
      due = Math.min(due, at);
    }
    this.due = due;
    return asked;
  }
}
