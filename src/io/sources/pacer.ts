import { setTimeout as sleep } from 'node:timers/promises';

/** A timestamp this far from the clock is a jump of the input's: the clock is set anew. */
const JUMP_S = 10;
/** An input this late has run dry: it goes on at its own speed from there. */
const LATE_S = 0.5;
const SLEEP_MS_MIN = 2;

/** Lets frames out when their time has come. */
export class Pacer {
  /** The clock's reading at timestamp zero, in seconds. */
  private zeroS: number | undefined = undefined;

  /** Settles when it is time for a frame with this timestamp; at once for one that is late. */
  async until(timestampS: number): Promise<void> {
    const nowS = performance.now() / 1000;
    this.zeroS ??= nowS - timestampS;
    const aheadS = this.zeroS + timestampS - nowS;
    if (aheadS > JUMP_S || aheadS < -LATE_S) {
      this.zeroS = nowS - timestampS;
      return;
    }
    if (aheadS * 1000 > SLEEP_MS_MIN) await sleep(aheadS * 1000);
  }
}
