import type { ClusterTask, CurrentTask, PlacedReason } from './cluster-task.ts';
import type { Seats } from './seats.ts';
import type { ShapeCost } from './shape-costs.ts';
import type { TaskStanding, TaskWeights } from './task-weights.ts';

/** Sound costs next to nothing, and a viewer without it is worse off than one with a larger picture than fits. */
const SOUND_WEIGHT = 100;

/** What tasks of one stream have in common while it is decided about them. */
export class StreamState {
  readonly standings: ReturnType<TaskWeights['ofStream']>;
  readonly tasks: TaskState[] = [];

  constructor(standings: StreamState['standings']) {
    this.standings = standings;
  }
}

/** A task while it is decided about. */
export class TaskState {
  readonly task: ClusterTask;
  readonly stream: StreamState;
  readonly cost: ShapeCost;
  readonly score: number;
  private readonly standing: TaskStanding;
  /** Where it is made now. */
  current: CurrentTask | undefined = undefined;
  isSettled = false;
  node: Seats | undefined = undefined;
  reason: PlacedReason | undefined = undefined;
  /** What it displaced, or what displaced it. */
  because: ClusterTask | undefined = undefined;

  constructor(task: ClusterTask, stream: StreamState, cost: ShapeCost) {
    const { kind } = task.shape;
    this.task = task;
    this.stream = stream;
    this.cost = cost;
    this.standing = stream.standings.of(task.rung, task.streamViewers ?? task.viewers);
    const score = Math.max(0, task.viewers) * this.standing.weight * (kind === 'audio' ? SOUND_WEIGHT : 1);
    this.score = Number.isFinite(score) ? score : 0;
  }

  get isBanned(): boolean {
    return this.standing.weight === 0;
  }

  get isPinned(): boolean {
    return this.standing.isPinned && this.task.viewers > 0 && this.standing.weight > 0;
  }

  get pinnedTo(): string | undefined {
    return this.standing.pinnedTo;
  }

  /** The node that made it until now, unless it may not be made at all. */
  get before(): string | undefined {
    return this.isBanned ? undefined : this.current?.node;
  }
}
