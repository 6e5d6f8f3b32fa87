import { sameConfiguration } from './codecs/describe.ts';
import type { Track } from './track.ts';

/** The tracks a source has shown so far, video before audio, then by id; bounded. */
export class TrackRoster {
  private readonly byId = new Map<number, Track>();
  private readonly tracksMax: number;
  private sorted: readonly Track[] = [];

  constructor(tracksMax: number) {
    this.tracksMax = tracksMax;
  }

  /** The tracks in order; the same array until one changes. */
  get tracks(): readonly Track[] {
    return this.sorted;
  }

  /** The track that segments and parts are cut on: the first video track, else the first audio track. */
  get lead(): Track | undefined {
    return this.sorted[0];
  }

  /** Notes the track; returns the object that stands for it (an equal one seen before, if any), or nothing when there are too many. */
  admit(track: Track): Track | undefined {
    const known = this.byId.get(track.id);
    if (known !== undefined && sameConfiguration(known, track)) return known;
    if (known === undefined && this.byId.size >= this.tracksMax) return undefined;
    this.byId.set(track.id, track);
    this.sort();
    return track;
  }

  remove(id: number): void {
    if (this.byId.delete(id)) this.sort();
  }

  clear(): void {
    this.byId.clear();
    this.sorted = [];
  }

  private sort(): void {
    const rank = (track: Track): number => (track.kind === 'video' ? 0 : 1);
    this.sorted = [...this.byId.values()].sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  }
}
