import { type DurationMs, durationMs, type MonotonicMs } from '../core/mod.ts';
import { haveMoved, LEVEL_UNKNOWN, levelOf, type RegionDigest } from './region-digest.ts';
import type { RegionRoster } from './region-roster.ts';

/** How often digests say how busy nodes are; */
const DIGEST_MS = 2_000;
/** and how often that they live, where nothing else is new: before others begin to speak. */
const QUIET_DIGEST_MS = 4_000;
/** Nobody spoke for the region for so long and a step for each node that comes before: another one does. */
export const SPEAK_AFTER_MS: DurationMs = durationMs(3_500);
export const SPEAK_STEP_MS: DurationMs = durationMs(1_000);

/** What one node says of its region, while it is the one that does: soon after each change, and else as often as is needed to be believed. */
export class RegionSpeaker {
  private readonly roster: RegionRoster;
  private readonly node: string;
  private readonly heartbeatMs: DurationMs;
  private count = 0;
  private spokeAt: MonotonicMs | undefined = undefined;
  /** Who lives and who does not, and how busy they are, as it was told last. */
  private told = '';
  private toldLevels = '';

  /** Asked each `heartbeatMs`. */
  constructor(roster: RegionRoster, node: string, heartbeatMs: DurationMs) {
    this.roster = roster;
    this.node = node;
    this.heartbeatMs = heartbeatMs;
  }

  /** What is to be said now; undefined: nothing. */
  digest(now: MonotonicMs, incarnation: number, sentMs: number): RegionDigest | undefined {
    const { region, roster } = this.roster;
    const views = this.roster.ordered();
    const stale: number[] = [];
    for (let place = 0; place < views.length; place++) if (views[place]?.isStale === true) stale.push(place);
    const telling = `${roster} ${stale.join()}`;
    const isNews = telling !== this.told || this.spokeAt === undefined;
    const sinceMs = now - (this.spokeAt ?? now) + this.heartbeatMs / 2;
    if (!isNews && sinceMs < DIGEST_MS) return undefined;
    const levels = views.map(({ headroom }) => (headroom === undefined ? LEVEL_UNKNOWN : levelOf(headroom))).join('');
    if (!isNews && sinceMs < QUIET_DIGEST_MS && !haveMoved(levels, this.toldLevels)) return undefined;
    this.told = telling;
    this.toldLevels = levels;
    this.spokeAt = now;
    return { v: 1, region, node: this.node, incarnation, count: ++this.count, sentMs, roster, stale, levels };
  }
}
