/**
 * Turns the 32-bit millisecond timestamps of RTMP and FLV, which wrap after 49.7 days, into ones that do not. The nearest value to the last
 * one is meant (RTMP 1.0, section 5.3.1: modular arithmetic), so a jump back of less than 24.8 days stays a jump back.
 */
export class TimestampUnwrapper {
  private last: number | undefined = undefined;

  unwrap(timestampMs: number): number {
    const difference = this.last === undefined ? timestampMs >>> 0 : (timestampMs - this.last) | 0;
    this.last = (this.last ?? 0) + difference;
    return this.last;
  }
}
