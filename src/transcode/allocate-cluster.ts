import { Pool } from './allocation-pool.ts';
import type { ClusterDecision, ClusterTask, CurrentTask, PlacedReason, PoolNode, UnplacedReason } from './cluster-task.ts';
import type { Seats } from './seats.ts';
import { ShapeCosts } from './shape-costs.ts';
import { StreamState, TaskState } from './task-state.ts';
import type { TaskWeights } from './task-weights.ts';

export interface ClusterAllocation {
  readonly tasks: readonly ClusterTask[];
  readonly nodes: readonly PoolNode[];
  readonly current: readonly CurrentTask[];
  readonly weights: TaskWeights;
  readonly nowMs: number;
}

/** A newcomer has to count more than this many times what it displaces. */
const KEEP_FACTOR = 2;
/** What was placed a moment ago is displaced by nothing but a pinned task, and one that lost its node. */
const SETTLED_MS = 10_000;
/** So many nodes are looked at for a place that has to be made by displacing several tasks. */
const DISPLACING_TRIES = 8;

/**
 * Which rungs are made in a cluster, and on which of its transcode nodes. What runs stays where it is, so that the answer, given back as `current`, comes out
 * again; what is new gets what is left, the most viewers times weight first, on a node that decodes the stream already, or in its origin's region; where
 * nothing is left it takes the place of what counts clearly less. The same input gives the same answer. One decision for each task, in their order.
 */
export function allocateCluster(input: ClusterAllocation): readonly ClusterDecision[] {
  return new Allocating(input).run();
}

class Allocating {
  private readonly input: ClusterAllocation;
  private readonly pool: Pool;
  private readonly states: readonly TaskState[];
  /** What runs and is not pinned. */
  private running: Victims = new Victims([]);
  /** Those of them that may have to give way to what is new. */
  private settled: Victims = new Victims([]);

  constructor(input: ClusterAllocation) {
    this.input = input;
    this.pool = new Pool(input.nodes);
    this.states = statesOf(input);
  }

  run(): readonly ClusterDecision[] {
    const ranked = ranking(this.states);
    const movers = this.keepRunning(ranked);
    for (const state of movers) this.move(state);
    const running = ranked.filter(({ node, isPinned }) => node?.state === 'active' && !isPinned).reverse();
    this.running = new Victims(running);
    this.settled = new Victims(running.filter(({ isSettled, score }) => isSettled || score === 0));
    for (const state of ranked) if (state.node === undefined && state.score > 0) this.place(state);
    return this.states.map((state) => this.decisionOf(state));
  }

  /** Leaves what runs where it is, as far as its node and its limit allow. Returns what is to go elsewhere if it can. */
  private keepRunning(ranked: readonly TaskState[]): readonly TaskState[] {
    const { nowMs } = this.input;
    const movers: TaskState[] = [];
    for (const state of ranked) {
      const { current } = state;
      if (current === undefined || state.isBanned) continue;
      state.isSettled = nowMs - current.sinceMs >= SETTLED_MS;
      const node = this.pool.node(current.node);
      if (node === undefined || (node.state !== 'active' && node.state !== 'draining') || node.left <= 0) continue;
      this.pool.put(state, node, 'running');
      const isElsewhere = state.isPinned && state.pinnedTo !== undefined && state.pinnedTo !== current.node;
      if (node.state === 'draining' || isElsewhere) movers.push(state);
    }
    return movers;
  }

  /** From a node that is to be left, or to the one that it is pinned to; it stays where it is while there is no room. */
  private move(state: TaskState): void {
    const from = state.node;
    const target = this.pool.pinnedNode(state) ?? (from?.state === 'draining' ? this.pool.roomFor(state) : undefined);
    if (target === undefined || target === from || !target.fits(state)) return;
    this.pool.take(state);
    this.pool.put(state, target, 'moved');
  }

  private place(state: TaskState): void {
    if (state.isBanned) return;
    const pinned = this.pool.pinnedNode(state);
    if (pinned !== undefined && (pinned.fits(state) || this.displaceOn(state, pinned))) {
      if (state.node === undefined) this.pool.put(state, pinned, this.reasonOf(state));
      return;
    }
    const room = this.pool.roomFor(state);
    if (room !== undefined) this.pool.put(state, room, this.reasonOf(state));
    else this.displace(state);
  }

  private reasonOf({ before }: TaskState): PlacedReason {
    return before === undefined ? 'room' : 'moved';
  }

  /** Takes the place of the least important that runs, if that counts clearly less. */
  private displace(state: TaskState): void {
    const victims = this.victimsOf(state);
    const tried = new Set<Seats>();
    for (let at = victims.first; at < victims.states.length; at++) {
      const { node, score = 0 } = victims.states[at] ?? {};
      if (node === undefined || tried.has(node)) continue;
      if (tried.size >= DISPLACING_TRIES || !isClearlyMore(state, score)) return;
      tried.add(node);
      if (this.displaceOn(state, node)) return;
    }
  }

  /** On one node: as few as make room, the least important first. */
  private displaceOn(state: TaskState, node: Seats): boolean {
    const victims = this.victimsOf(state);
    const given: TaskState[] = [];
    let score = 0;
    for (let at = victims.first; at < victims.states.length && !node.fitsWithout(state, given); at++) {
      const victim = victims.states[at];
      if (victim?.node !== node) continue;
      score += victim.score;
      if (!isClearlyMore(state, score)) return false;
      given.push(victim);
    }
    if (!node.fitsWithout(state, given)) return false;
    this.exchange(state, given, node);
    return true;
  }

  /** What ran until its node was lost has viewers who wait for it: it does not wait until what counts less is settled. */
  private victimsOf({ isPinned, before, because }: TaskState): Victims {
    return isPinned || (before !== undefined && because === undefined) ? this.running : this.settled;
  }

  private exchange(state: TaskState, given: readonly TaskState[], node: Seats): void {
    for (const victim of given) {
      this.pool.take(victim);
      victim.because = state.task;
    }
    this.pool.put(state, node, 'outranks');
    state.because = given[0]?.task;
    // What has no place here any more may have one elsewhere.
    for (const victim of given) {
      const room = this.pool.roomFor(victim);
      if (room !== undefined) this.pool.put(victim, room, 'moved');
    }
  }

  private decisionOf(state: TaskState): ClusterDecision {
    const { task, score } = state;
    const { stream, rung } = task;
    const reason = state.node === undefined ? this.refusalOf(state) : (state.reason ?? 'room');
    const node = state.node?.id;
    return { stream, rung, node, score, reason, message: this.messageOf(state, reason) };
  }

  private refusalOf({ isBanned, because }: TaskState): UnplacedReason {
    if (isBanned) return 'weight';
    if (this.pool.isEmpty) return 'no-node';
    return because === undefined ? 'limit' : 'displaced';
  }

  private messageOf({ node, because, before, score }: TaskState, reason: ClusterDecision['reason']): string {
    const other = because === undefined ? 'another task' : `${because.rung} of ${because.stream}`;
    switch (reason) {
      case 'running':
        return `it stays on node ${node?.id}`;
      case 'room':
        return `node ${node?.id} has room for it`;
      case 'moved':
        return `it goes from node ${before} to node ${node?.id}`;
      case 'outranks':
        return `it takes the place of ${other} on node ${node?.id}, which counts less`;
      case 'displaced':
        return `${other}, which counts more, took its place`;
      case 'weight':
        return 'a weight rule says that it is not to be made';
      case 'no-node':
        return 'no node of the cluster takes transcoding tasks';
      case 'limit':
        return `the ${this.pool.tasksMax} tasks of the cluster's transcode nodes are in use for what counts as much or more: this one counts ${shown(score)}`;
    }
  }
}

function statesOf({ tasks, current, weights }: ClusterAllocation): readonly TaskState[] {
  const streams = new Map<string, StreamState>();
  const shapes = new ShapeCosts();
  const states = tasks.map((task) => {
    let stream = streams.get(task.stream);
    if (stream === undefined) {
      stream = new StreamState(weights.ofStream(task.stream));
      streams.set(task.stream, stream);
    }
    const state = new TaskState(task, stream, shapes.of(task.shape));
    stream.tasks.push(state);
    return state;
  });
  for (const each of current) {
    for (const state of streams.get(each.stream)?.tasks ?? []) if (state.task.rung === each.rung) state.current = each;
  }
  return states;
}

/** What may have to give way, the least important first. */
class Victims {
  readonly states: readonly TaskState[];
  private at = 0;

  constructor(states: readonly TaskState[]) {
    this.states = states;
  }

  /** All before this have given way. */
  get first(): number {
    while (this.at < this.states.length && this.states[this.at]?.node === undefined) this.at++;
    return this.at;
  }
}

const shown = (score: number): string => String(Math.round(score * 100) / 100);

const isClearlyMore = ({ isPinned, score }: TaskState, than: number): boolean => isPinned || score > KEEP_FACTOR * than;

/**
 * Pinned ones first; then the one that counts more; then by name, so that the same tasks always get the same answer. Names are compared only among those
 * that count the same.
 */
function ranking(states: readonly TaskState[]): readonly TaskState[] {
  const scores = new Float64Array(states.length);
  states.forEach(({ score }, index) => {
    scores[index] = score;
  });
  scores.sort().reverse();
  /** Where the next one that counts so much has its place. */
  const places = new Map<number, number>();
  scores.forEach((score, place) => {
    if (score !== scores[place - 1]) places.set(score, place);
  });
  const ranked = [...states];
  for (const state of states) {
    const place = places.get(state.score) ?? 0;
    ranked[place] = state;
    places.set(state.score, place + 1);
  }
  let first = 0;
  for (const end of places.values()) {
    if (end - first > 1) for (const state of ranked.slice(first, end).sort(compareNames)) ranked[first++] = state;
    first = end;
  }
  const pinned = ranked.filter(({ isPinned }) => isPinned);
  return pinned.length === 0 ? ranked : [...pinned, ...ranked.filter(({ isPinned }) => !isPinned)];
}

function compareNames(a: TaskState, b: TaskState): number {
  if (a.stream === b.stream) return a.task.rung < b.task.rung ? -1 : 1;
  return a.task.stream < b.task.stream ? -1 : 1;
}
