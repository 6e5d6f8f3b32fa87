import type { MonotonicMs } from '../core/mod.ts';
import type { PlannedRung } from './ladder.ts';

/** Input may flow so long without output of a rung. */
const NO_OUTPUT_MS = 5_000;
/** And so many frames: decoders and encoders hold some back, which takes long where frames are rare. */
const NO_OUTPUT_FRAMES = 50;
/** After such a gap the waiting begins anew. */
const INPUT_GAP_MS = 2_000;

interface Watched {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  /** Nothing comes out before a keyframe went in. */
  hasBegun: boolean;
  /** When the first frame went in that no output followed. */
  since: MonotonicMs | undefined;
  frames: number;
}

/** Sees which rung gives nothing though it gets frames: an encoder that hangs, or a source that cannot be decoded. */
export class OutputWatch {
  private watched: readonly Watched[] = [];
  private readonly lastIn: { video: MonotonicMs | undefined; audio: MonotonicMs | undefined } = { video: undefined, audio: undefined };

  /** Those that stay are watched on; with `isNewChild` all begin anew. */
  watch(rungs: readonly PlannedRung[], isNewChild: boolean): void {
    const known = isNewChild ? [] : this.watched;
    this.watched = rungs.map(
      ({ rung: { name, kind } }) =>
        known.find((watched) => watched.name === name && watched.kind === kind) ?? {
          name,
          kind,
          hasBegun: false,
          since: undefined,
          frames: 0,
        },
    );
  }

  /** Returns the rung that hangs, if one does. */
  frameIn(kind: 'video' | 'audio', isKeyframe: boolean, now: MonotonicMs): string | undefined {
    const last = this.lastIn[kind];
    this.lastIn[kind] = now;
    const isAfterGap = last === undefined || now - last > INPUT_GAP_MS;
    for (const rung of this.watched) {
      if (rung.kind !== kind) continue;
      rung.hasBegun ||= isKeyframe;
      if (!rung.hasBegun) continue;
      if (isAfterGap || rung.since === undefined) {
        rung.since = now;
        rung.frames = 0;
      }
      rung.frames++;
      if (rung.frames >= NO_OUTPUT_FRAMES && now - rung.since >= NO_OUTPUT_MS) return rung.name;
    }
    return undefined;
  }

  frameOut(name: string): void {
    const rung = this.watched.find((watched) => watched.name === name);
    if (rung !== undefined) rung.since = undefined;
  }
}
