import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../core/mod.ts';

/** The two clocks of the process; given to everything in `io` that hands the time to a machine, so that tests can bring their own. */
export interface Clock {
  /** Fractional milliseconds since the process started; never goes back. For timers and differences. */
  monotonic(): MonotonicMs;
  /** Milliseconds since the Unix epoch; may jump. For display and EXT-X-PROGRAM-DATE-TIME. */
  wall(): WallMs;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  monotonic: () => monotonicMs(performance.now()),
  wall: () => wallMs(Date.now()),
};
