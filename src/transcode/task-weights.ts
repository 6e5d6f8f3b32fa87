import { patternMatcher } from '../core/mod.ts';
import type { TaskPin, TranscodingWeights, WeightRule } from './weight-rules.ts';

/** What the rules say of one task. */
export interface TaskStanding {
  /** Of one viewer; 1 where no rule matches. */
  readonly weight: number;
  readonly isPinned: boolean;
  /** Where it is to be made. */
  readonly pinnedTo: string | undefined;
}

const STREAMS_KEPT_MAX = 50_000;

/** A rule whose patterns are ready to be held against names. */
interface Matcher {
  readonly isForApp: (app: string) => boolean;
  readonly isForStream: (name: string) => boolean;
  readonly isForRung: (rung: string) => boolean;
  readonly viewersMin: number;
  readonly standing: TaskStanding;
}

const PLAIN: TaskStanding = { weight: 1, isPinned: false, pinnedTo: undefined };
const NO_PINS: readonly TaskPin[] = [];

/** The rules, ready to be asked for very many streams again and again: what is for a stream at all is found once. */
export class TaskWeights {
  private readonly matchers: readonly Matcher[];
  private readonly pins = new Map<string, TaskPin[]>();
  private readonly byApp = new Map<string, readonly Matcher[]>();
  private readonly byStream = new Map<string, StreamStandings>();

  constructor({ rules, pins }: TranscodingWeights) {
    this.matchers = rules.map(matcherOf);
    for (const pin of pins) {
      const known = this.pins.get(pin.stream);
      if (known === undefined) this.pins.set(pin.stream, [pin]);
      else known.push(pin);
    }
  }

  /** Whether any rule asks how many watch a stream. */
  get goByViewers(): boolean {
    return this.matchers.some(({ viewersMin }) => viewersMin > 0);
  }

  /** `streamViewers`: of the stream, not of the rung alone. */
  of(stream: string, rung: string, streamViewers: number): TaskStanding {
    return this.ofStream(stream).of(rung, streamViewers);
  }

  /** By `app/name`. */
  ofStream(stream: string): StreamStandings {
    let known = this.byStream.get(stream);
    if (known !== undefined) return known;
    const slash = stream.indexOf('/');
    const name = stream.slice(slash + 1);
    const matchers = this.ofApp(stream.slice(0, slash)).filter(({ isForStream }) => isForStream(name));
    known = new StreamStandings(matchers, this.pins.get(stream) ?? NO_PINS);
    if (this.byStream.size >= STREAMS_KEPT_MAX) this.byStream.clear();
    this.byStream.set(stream, known);
    return known;
  }

  private ofApp(app: string): readonly Matcher[] {
    let known = this.byApp.get(app);
    if (known === undefined) {
      known = this.matchers.filter(({ isForApp }) => isForApp(app));
      if (this.byApp.size >= STREAMS_KEPT_MAX) this.byApp.clear();
      this.byApp.set(app, known);
    }
    return known;
  }
}

/** What the rules say of a stream's tasks. */
class StreamStandings {
  /** Those for the stream, in their order. */
  private readonly matchers: readonly Matcher[];
  private readonly pins: readonly TaskPin[];

  constructor(matchers: readonly Matcher[], pins: readonly TaskPin[]) {
    this.matchers = matchers;
    this.pins = pins;
  }

  of(rung: string, streamViewers: number): TaskStanding {
    const { matchers, pins } = this;
    const standing = matchers.find(({ viewersMin, isForRung }) => streamViewers >= viewersMin && isForRung(rung))?.standing ?? PLAIN;
    if (pins.length === 0) return standing;
    const pin = pins.find((each) => each.rung === rung) ?? pins.find((each) => each.rung === undefined);
    return pin === undefined ? standing : { weight: standing.weight, isPinned: true, pinnedTo: pin.node };
  }
}

const matcherOf = ({ app, stream, rung, viewersMin, weight }: WeightRule): Matcher => ({
  isForApp: patternMatcher(app),
  isForStream: patternMatcher(stream),
  isForRung: patternMatcher(rung),
  viewersMin,
  standing: { weight, isPinned: false, pinnedTo: undefined },
});
