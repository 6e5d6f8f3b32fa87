import type { ClusterTask, PlacedReason, PoolNode } from './cluster-task.ts';

/** A task while it is decided about. */
export interface TaskState {
  readonly task: ClusterTask;
  /** What it costs where nothing was measured, and by what measurements are found. */
  readonly estimate: number;
  readonly shapeKey: string;
  readonly score: number;
  readonly isBanned: boolean;
  readonly isPinned: boolean;
  readonly pinnedTo: string | undefined;
  /** The node that made it until now. */
  before: string | undefined;
  isSettled: boolean;
  node: Seats | undefined;
  reason: PlacedReason | undefined;
  /** What it displaced, or what displaced it. */
  because: ClusterTask | undefined;
}

/** A node with what it has been given so far. */
export class Seats {
  readonly id: string;
  readonly state: PoolNode['state'];
  readonly region: string;
  /** 0 to 1: of tasks or CPU, whichever is less. */
  headroom = 1;
  private readonly node: PoolNode;
  private readonly tasksMax: number;
  private readonly cpuMax: number;
  private tasks = 0;
  private cpu = 0;

  constructor(node: PoolNode) {
    this.id = node.id;
    this.state = node.state;
    this.region = node.region;
    this.node = node;
    this.tasksMax = Math.max(0, Math.floor(node.tasksMax));
    this.cpuMax = node.cpuMax ?? Number.POSITIVE_INFINITY;
  }

  get left(): number {
    return this.tasksMax - this.tasks;
  }

  /** Asked for each node and task, so nothing is made new here. */
  fits(state: TaskState): boolean {
    if (this.tasks >= this.tasksMax) return false;
    // One that is alone may cost what it likes: nobody else is disturbed.
    return this.cpuMax === Number.POSITIVE_INFINITY || this.tasks === 0 || this.cpu + this.costOf(state) <= this.cpuMax;
  }

  /** As if those were not here. */
  fitsWithout(state: TaskState, without: readonly TaskState[]): boolean {
    if (this.tasks - without.length >= this.tasksMax) return false;
    const cpu = without.reduce((sum, each) => sum - this.costOf(each), this.cpu);
    return cpu + this.costOf(state) <= this.cpuMax || this.tasks === without.length;
  }

  hasHardware(codec: string): boolean {
    return this.node.hardwareCodecs?.has(codec) ?? false;
  }

  add(state: TaskState, sign: 1 | -1): void {
    this.tasks += sign;
    this.cpu += sign * this.costOf(state);
    this.headroom = Math.min(this.left / Math.max(1, this.tasksMax), 1 - this.cpu / Math.max(0.001, this.cpuMax));
  }

  private costOf({ shapeKey, estimate }: TaskState): number {
    return this.node.costs?.get(shapeKey) ?? estimate;
  }
}

/** The nodes of an allocation, with what is left of them. */
export class Pool {
  /** Of the active nodes. */
  readonly tasksMax: number;
  private readonly nodes: readonly Seats[];
  private readonly byId: ReadonlyMap<string, Seats>;
  private readonly active: readonly Seats[];
  /** The nodes that make rungs of a stream, once for each rung. */
  private readonly makers = new Map<string, Seats[]>();
  /** Tasks that are left on active nodes. */
  private left: number;

  constructor(nodes: readonly PoolNode[]) {
    this.nodes = nodes.map((node) => new Seats(node)).sort((a, b) => (a.id < b.id ? -1 : 1));
    this.byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.active = this.nodes.filter(({ state, left }) => state === 'active' && left > 0);
    this.left = this.active.reduce((sum, { left }) => sum + left, 0);
    this.tasksMax = this.left;
  }

  /** Whether nobody takes anything. */
  get isEmpty(): boolean {
    return this.active.length === 0;
  }

  node(id: string): Seats | undefined {
    return this.byId.get(id);
  }

  /** The node that a task is pinned to, if that takes tasks. */
  pinnedNode({ isPinned, pinnedTo }: TaskState): Seats | undefined {
    const node = isPinned && pinnedTo !== undefined ? this.byId.get(pinnedTo) : undefined;
    return node?.state === 'active' ? node : undefined;
  }

  put(state: TaskState, node: Seats, reason: PlacedReason): void {
    state.node = node;
    state.reason = reason;
    node.add(state, 1);
    const { stream } = state.task;
    const makers = this.makers.get(stream);
    if (makers === undefined) this.makers.set(stream, [node]);
    else makers.push(node);
    if (node.state === 'active') this.left--;
  }

  take(state: TaskState): void {
    const { node } = state;
    if (node === undefined) return;
    state.node = undefined;
    state.reason = undefined;
    node.add(state, -1);
    const makers = this.makers.get(state.task.stream);
    makers?.splice(makers.indexOf(node), 1);
    if (node.state === 'active') this.left++;
  }

  /** The node that is best for a task, of those that have room for it: one that decodes the stream already, if there is any. */
  roomFor(state: TaskState): Seats | undefined {
    if (this.left <= 0) return undefined;
    const makers = this.makers.get(state.task.stream)?.filter((node) => node.state === 'active');
    return (makers === undefined ? undefined : bestOf(makers, state)) ?? bestOf(this.active, state);
  }
}

function bestOf(nodes: readonly Seats[], state: TaskState): Seats | undefined {
  let best: Seats | undefined;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (const node of nodes) {
    if (!node.fits(state)) continue;
    const value = rankOf(node, state.task);
    if (value <= bestValue) continue;
    best = node;
    bestValue = value;
  }
  return best;
}

/** Near the origin comes first, then hardware for the codec, then the one with the most left. */
const rankOf = (node: Seats, { region, shape }: ClusterTask): number =>
  (node.region === region ? 4 : 0) + (node.hasHardware(shape.codec) ? 2 : 0) + node.headroom;
