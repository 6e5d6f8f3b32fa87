import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, wallMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import { IDLE_LOAD } from './node-load.fixture.ts';
import type { NodeRecord } from './node-record.ts';
import { type MemberView, RegionRoster } from './region-roster.ts';
import { RegionSpeaker } from './region-speaker.ts';
import { RosterTable } from './roster-table.ts';

const record = (id: string): NodeRecord => ({
  v: 1,
  id,
  region: 'eu',
  roles: ['edge'],
  status: 'active',
  incarnation: 1,
  endpoints: { http: `http://${id}` },
  version: '1',
  protocol: 2,
  joinedAtMs: 0,
});

const CLOCK = { monotonic: () => monotonicMs(0), wall: () => wallMs(0) };

/** A region of three nodes, and when something is said of it: seconds from the beginning of it. */
class Region {
  readonly views: readonly MemberView[];
  private readonly roster = new RegionRoster('eu', CLOCK, new RosterTable(), new Map());
  private readonly speaker = new RegionSpeaker(this.roster, 'a', durationMs(1_000));
  private second = 0;

  constructor() {
    for (const id of ['a', 'b', 'c']) this.roster.add(record(id));
    this.views = this.roster.ordered();
    for (const view of this.views) this.uses(view, 0);
  }

  uses(view: MemberView | undefined, cpu: number): void {
    if (view === undefined) return;
    const heartbeat: Heartbeat = { ...IDLE_LOAD, v: 1, id: view.record.id, incarnation: 1, sentMs: 0, cpu };
    view.heartbeat = heartbeat;
  }

  /** The seconds of `count` in which it speaks. */
  speaks(count: number, each: (second: number) => void = () => undefined): number[] {
    return Array.from({ length: count }, () => this.second++).filter((second) => {
      each(second);
      return this.speaker.digest(monotonicMs(second * 1_000), 1, 0) !== undefined;
    });
  }
}

describe('who speaks for a region', () => {
  it('says each four seconds that all live where nothing is new, also where figures hardly move', () => {
    const region = new Region();
    expect(region.speaks(13, (second) => region.uses(region.views[1], 0.01 * (second % 2)))).toEqual([0, 4, 8, 12]);
  });

  it('says each two seconds how busy nodes are that become more or less so', () => {
    const region = new Region();
    expect(region.speaks(9, (second) => region.uses(region.views[1], second * 0.1))).toEqual([0, 2, 4, 6, 8]);
  });

  it('says at once who does not live any more', () => {
    const region = new Region();
    expect(region.speaks(1)).toEqual([0]);
    const [, , last] = region.views;
    if (last !== undefined) last.isStale = true;
    expect(region.speaks(6)).toEqual([1, 5]);
  });
});
