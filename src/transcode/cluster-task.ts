import type { TaskKey } from './allocate-tasks.ts';
import type { TaskShape } from './task-cost.ts';

/** A rung that somebody wants made, anywhere in the cluster. */
export interface ClusterTask extends TaskKey {
  /** Of all nodes together. 0: nobody wants it any more, but it may go on while nothing else needs its place. */
  readonly viewers: number;
  /** Of the stream, its source and all its rungs, on all nodes together: what rules go by. Those of the rung unless given. */
  readonly streamViewers?: number;
  readonly shape: TaskShape;
  /** Of the stream's origin. */
  readonly region: string;
}

/** Where a task is made now. */
export interface CurrentTask extends TaskKey {
  readonly node: string;
  /** When it was placed there, by the clock that allocation is given. */
  readonly sinceMs: number;
}

/** A transcode node, as allocation looks at it. */
export interface PoolNode {
  readonly id: string;
  readonly region: string;
  /** `stale`: it is not heard of. Only an active node gets new tasks. */
  readonly state: 'active' | 'draining' | 'disabled' | 'stale';
  readonly tasksMax: number;
  /** CPU seconds a second that its tasks may take; undefined: tasks alone are counted. */
  readonly cpuMax?: number | undefined;
  /** What rungs were seen to cost on it, by their shape. */
  readonly costs?: ReadonlyMap<string, number> | undefined;
  /** That it has hardware for. */
  readonly hardwareCodecs?: ReadonlySet<string> | undefined;
}

/** `running`: it stays where it is. `room`: a node had a task left. `outranks`: it takes the place of what counts less. `moved`: its node is gone or is to be left. */
export type PlacedReason = 'running' | 'room' | 'outranks' | 'moved';
/** `limit`: what runs counts for as much. `displaced`: it ran until something that counts more came. `weight`: a rule gives it none. `no-node`: no node takes tasks. */
export type UnplacedReason = 'limit' | 'displaced' | 'weight' | 'no-node';

/** What becomes of a task. Reasons are stable. */
export interface ClusterDecision extends TaskKey {
  /** Undefined: it is not made. */
  readonly node: string | undefined;
  readonly reason: PlacedReason | UnplacedReason;
  /** A sentence for the operator and the viewer. */
  readonly message: string;
  /** Viewers times weight. */
  readonly score: number;
}
