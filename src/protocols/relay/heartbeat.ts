import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';

/** Each side pings so often. */
export const PING_INTERVAL_MS = 1_000;
/** A peer that says nothing for so long is gone. */
export const SILENCE_MS_MAX = 3_000;
/** A tick that is this late means that this process did not run: then nothing can be said of the peer yet. */
const TICK_LATE_MS = 1_000;
/** How many round trips the estimate of the peer's clock looks back on: the shortest of them is the most exact. */
const ROUND_TRIPS_KEPT = 8;

interface RoundTrip {
  readonly rttMs: number;
  /** The peer's clock minus ours. */
  readonly offsetMs: number;
}

/** Whether the peer is there, how long the way is, and what its clock shows. */
export class Heartbeat {
  private heardAt: MonotonicMs;
  private tickedAt: MonotonicMs;
  private pingAt: MonotonicMs;
  private pingId = 0;
  private trips: RoundTrip[] = [];
  private best: RoundTrip | undefined = undefined;

  constructor(now: MonotonicMs) {
    this.heardAt = now;
    this.tickedAt = now;
    this.pingAt = now;
  }

  get wakeAt(): MonotonicMs {
    return this.pingAt;
  }

  /** Of the latest ping; undefined before the first answer. */
  get rttMs(): number | undefined {
    return this.trips.at(-1)?.rttMs;
  }

  heard(now: MonotonicMs): void {
    this.heardAt = now;
  }

  /** The id of a ping that is due, or that the peer has been silent too long. */
  tick(now: MonotonicMs): { readonly ping: number } | 'silent' | undefined {
    if (now - this.tickedAt > PING_INTERVAL_MS + TICK_LATE_MS) {
      this.heardAt = monotonicMs(Math.max(this.heardAt, now - SILENCE_MS_MAX + TICK_LATE_MS));
    }
    this.tickedAt = now;
    if (now - this.heardAt >= SILENCE_MS_MAX) return 'silent';
    if (now < this.pingAt) return undefined;
    this.pingAt = monotonicMs(now + PING_INTERVAL_MS);
    this.pingId = (this.pingId + 1) >>> 0;
    return { ping: this.pingId };
  }

  pong(id: number, pingMs: number, peerMs: number, now: MonotonicMs): void {
    if (id !== this.pingId || pingMs > now) return;
    const rttMs = now - pingMs;
    this.trips.push({ rttMs, offsetMs: peerMs - (pingMs + now) / 2 });
    this.trips = this.trips.slice(-ROUND_TRIPS_KEPT);
    this.best = this.trips.reduce((best, trip) => (trip.rttMs < best.rttMs ? trip : best));
  }

  /**
   * How long something that the peer sent at `peerMs` of its clock was on its way: queues, the network, and our own delay in reading. Exact to half
   * the shortest round trip; undefined before the first answer.
   */
  transitMs(peerMs: number, now: MonotonicMs): number | undefined {
    return this.best === undefined ? undefined : Math.max(0, now - (peerMs - this.best.offsetMs));
  }
}
