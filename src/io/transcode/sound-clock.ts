/** Sound whose time is further off than this from what came before is put where its time says; A/V sync bears no more. */
export const OFF_MS_MAX = 40;

/**
 * Counts samples on from the first frame's time, so that rounded times of a source make no clicks, and follows the source's times where they
 * are too far off. All in samples of the encoder's rate.
 */
export class SoundClock {
  private readonly offMax: number;
  private next: number | undefined = undefined;

  constructor(sampleRate: number) {
    this.offMax = (sampleRate * OFF_MS_MAX) / 1000;
  }

  /**
   * What to do with samples whose time is `start`: `append` to what is there, `restart` behind a gap (what is there and incomplete goes), or
   * `skip` because time is taken already.
   */
  place(start: number): 'append' | 'restart' | 'skip' {
    if (this.next === undefined || start - this.next > this.offMax) {
      this.next = start;
      return 'restart';
    }
    return this.next - start > this.offMax ? 'skip' : 'append';
  }

  /** So many samples were appended. */
  appended(samples: number): void {
    this.next = (this.next ?? 0) + samples;
  }

  /** The time of the sample that comes next. */
  get nextSample(): number {
    return this.next ?? 0;
  }
}
