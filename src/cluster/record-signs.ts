import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { STALE_MS_MAX } from './cluster-terms.ts';
import type { NodeRecord } from './node-record.ts';
import { placeIn } from './roster-table.ts';

/** Changes this close together count as one, at the time of the last. */
const STEP_MS = 1000;
/** Who was heard of before may count as heard of then: nobody is given longer. */
const KEPT_MS = 2 * STALE_MS_MAX;

/** The records that there were from some changes on, until the next ones. */
interface Step {
  readonly at: MonotonicMs;
  readonly records: readonly NodeRecord[];
  before: Step | undefined;
}

/**
 * When a node heard of the processes of a region's nodes by their records. All that it keeps for that are the lists as they were: of thousands of nodes most have
 * been there for long, and nobody asks.
 */
export class RecordSigns {
  /** The last one before the present records. */
  private last: Step | undefined = undefined;
  /** Of the changes that led to the present records, the first and the last. */
  private beganAt = monotonicMs(0);
  private at = monotonicMs(0);

  /** `records`: as they are until now, in the order of their ids; never changed. */
  changes(records: readonly NodeRecord[], now: MonotonicMs): void {
    if (now - this.beganAt >= STEP_MS) {
      this.ends(records, now);
      this.beganAt = now;
    }
    this.at = now;
  }

  /** Of one of the present records; by up to a second too late. */
  of({ id, incarnation }: NodeRecord): MonotonicMs {
    let sign = this.at;
    for (let step = this.last; step !== undefined; step = step.before) {
      const { records } = step;
      if (records[placeIn(records, id)]?.incarnation !== incarnation) break;
      sign = step.at;
    }
    return sign;
  }

  private ends(records: readonly NodeRecord[], now: MonotonicMs): void {
    this.last = { at: this.at, records, before: this.last };
    let oldest = this.last;
    while (oldest.before !== undefined && now - oldest.at <= KEPT_MS) oldest = oldest.before;
    oldest.before = undefined;
  }
}
