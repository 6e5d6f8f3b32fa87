import type { StoreEntry } from '../src/cluster/mod.ts';

/** Who differs from more states than these is on its own: comparing has a cost, too. */
const STATES_MAX = 32;

/** What some know. */
export interface Knowledge<Self> {
  copy(): Self;
  isLike(other: Self): boolean;
}

/** What some knew before, and what follows for them, from the second one on. */
interface KnownState<State, Replay> {
  readonly before: State;
  replay: Replay | undefined;
}

/** After an outage all nodes are told the same again: what follows from it is found out once for those that know the same, from the second one on. */
export class Replays<State extends Knowledge<State>, Replay> {
  private entries: readonly StoreEntry[] | undefined = undefined;
  private states: KnownState<State, Replay>[] = [];

  /** `find`s it, or has done so; undefined: the node is to hear it all by itself. */
  of(entries: readonly StoreEntry[], known: State, find: () => Replay): Replay | undefined {
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
