import type { ClusterTask, PoolNode } from './cluster-task.ts';
import type { ShapeCost } from './shape-costs.ts';

/** Who sits on one, or would. */
export interface Seated {
  readonly task: ClusterTask;
  readonly cost: ShapeCost;
}

/** A node with what it has been given so far. */
export class Seats {
  readonly id: string;
  readonly state: PoolNode['state'];
  readonly region: string;
  /** Its place among all nodes by name: of two that are as good, the first is taken. */
  readonly order: number;
  /** 0 to 1: of tasks or CPU, whichever is less. */
  headroom = 1;
  private readonly node: PoolNode;
  private readonly tasksMax: number;
  private readonly cpuMax: number;
  private tasks = 0;
  private cpu = 0;

  constructor(node: PoolNode, order: number) {
    this.id = node.id;
    this.state = node.state;
    this.region = node.region;
    this.order = order;
    this.node = node;
    this.tasksMax = Math.max(0, Math.floor(node.tasksMax));
    this.cpuMax = node.cpuMax ?? Number.POSITIVE_INFINITY;
  }

  get left(): number {
    return this.tasksMax - this.tasks;
  }

  get hardwareCodecs(): ReadonlySet<string> | undefined {
    return this.node.hardwareCodecs;
  }

  /** Asked for very many tasks, so nothing is made new here. */
  fits(who: Seated): boolean {
    if (this.tasks >= this.tasksMax) return false;
    // One that is alone may cost what it likes: nobody else is disturbed.
    return this.cpuMax === Number.POSITIVE_INFINITY || this.tasks === 0 || this.cpu + this.costOf(who) <= this.cpuMax;
  }

  /** As if those were not here. */
  fitsWithout(who: Seated, without: readonly Seated[]): boolean {
    if (this.tasks - without.length >= this.tasksMax) return false;
    const cpu = without.reduce((sum, each) => sum - this.costOf(each), this.cpu);
    return cpu + this.costOf(who) <= this.cpuMax || this.tasks === without.length;
  }

  /** Near the origin comes first, then hardware for the codec. */
  suits({ task }: Seated): number {
    return (this.region === task.region ? 2 : 0) + (this.node.hardwareCodecs?.has(task.shape.codec) === true ? 1 : 0);
  }

  add(who: Seated, sign: 1 | -1): void {
    this.tasks += sign;
    this.cpu += sign * this.costOf(who);
    this.headroom = Math.min(this.left / Math.max(1, this.tasksMax), 1 - this.cpu / Math.max(0.001, this.cpuMax));
  }

  private costOf({ cost }: Seated): number {
    return this.node.costs?.get(cost.key) ?? cost.estimate;
  }
}
