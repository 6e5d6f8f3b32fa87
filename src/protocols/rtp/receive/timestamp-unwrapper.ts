/** Unwraps 32-bit RTP timestamps, each against the one before: steps of less than 2^31 ticks either way. */
export class RtpTimestampUnwrapper {
  private last: number | undefined = undefined;

  /** The first one is itself; later ones may go below it, even below 0. */
  unwrap(timestamp: number): number {
    this.last = this.last === undefined ? timestamp : this.last + ((timestamp - this.last) | 0);
    return this.last;
  }
}
