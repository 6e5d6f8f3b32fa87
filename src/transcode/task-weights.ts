import { matchesPattern } from '../core/mod.ts';
import { matchesStream, type TaskPin, type TranscodingWeights, type WeightRule } from './weight-rules.ts';

/** What the rules say of one task. */
export interface TaskStanding {
  /** Of one viewer; 1 where no rule matches. */
  readonly weight: number;
  readonly isPinned: boolean;
  /** Where it is to be made. */
  readonly pinnedTo: string | undefined;
}

const STREAMS_KEPT_MAX = 50_000;

interface Known {
  /** Those that match the stream's name, in their order. */
  readonly rules: readonly WeightRule[];
  readonly pins: readonly TaskPin[];
}

/** The rules, ready to be asked for very many streams again and again: what is for a stream at all is found once. */
export class TaskWeights {
  private readonly weights: TranscodingWeights;
  private readonly known = new Map<string, Known>();

  constructor(weights: TranscodingWeights) {
    this.weights = weights;
  }

  of(stream: string, rung: string, viewers: number): TaskStanding {
    const { rules, pins } = this.knownOf(stream);
    const rule = rules.find((each) => viewers >= each.viewersMin && matchesPattern(each.rung, rung));
    const pin = pins.find((each) => each.rung === rung) ?? pins.find((each) => each.rung === undefined);
    return { weight: rule?.weight ?? 1, isPinned: pin !== undefined, pinnedTo: pin?.node };
  }

  private knownOf(stream: string): Known {
    let known = this.known.get(stream);
    if (known === undefined) {
      const { rules, pins } = this.weights;
      known = {
        rules: rules.filter((rule) => matchesStream(rule, stream)),
        pins: pins.filter((pin) => pin.stream === stream),
      };
      if (this.known.size >= STREAMS_KEPT_MAX) this.known.clear();
      this.known.set(stream, known);
    }
    return known;
  }
}
