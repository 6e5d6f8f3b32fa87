import type { StoreEntry } from '../src/cluster/mod.ts';
import type { SharedMap } from './shared-map.ts';

/** Who differs from more states than these is on its own: comparing has a cost, too. */
const STATES_MAX = 32;

/** What some knew before, and what follows for them, from the second one on. */
interface KnownState<Value extends object, Replay> {
  readonly before: SharedMap<Value>;
  replay: Replay | undefined;
}

/** After an outage all nodes are told the same again: what follows from it is found out once for those that know the same, from the second one on. */
export class Replays<Value extends object, Replay> {
  private entries: readonly StoreEntry[] | undefined = undefined;
  private states: KnownState<Value, Replay>[] = [];

  /** `find`s it, or has done so; undefined: the node is to hear it all by itself. */
  of(entries: readonly StoreEntry[], known: SharedMap<Value>, find: () => Replay): Replay | undefined {
    if (entries !== this.entries) {
      this.entries = entries;
      this.states = [];
    }
    const { states } = this;
    const state = states.find(({ before }) => before.isLike(known));
    if (state === undefined) {
      if (states.length < STATES_MAX) states.push({ before: known.copy(), replay: undefined });
      return undefined;
    }
    state.replay ??= find();
    return state.replay;
  }
}
