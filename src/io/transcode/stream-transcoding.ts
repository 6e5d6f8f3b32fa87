import type pino from 'pino';
import type { MonotonicMs } from '../../core/mod.ts';
import type { Hub, LiveStream, Rendition } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import {
  type Ladder,
  type LeftOutRung,
  type PlannedRung,
  planRungs,
  type RungLifeOptions,
  SOURCE_HEIGHT,
  type TaskDecision,
  type TaskWeights,
  type TaskWish,
  taskWeight,
} from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import { type ChildReport, reportOfLanes } from './child-report.ts';
import { OfferedRung } from './offered-rung.ts';
import type { RungMakers, RungStanding } from './rung-makers.ts';
import { StreamLane } from './stream-lane.ts';
import type { ChildPurpose, TranscodeChildren } from './transcode-children.ts';

export interface StreamTranscodingOptions {
  readonly stream: LiveStream;
  readonly hub: Pick<Hub, 'rendition'>;
  readonly ladder: Ladder;
  /** What counts how much when not all can be made. */
  readonly weights: (() => TaskWeights) | undefined;
  readonly children: TranscodeChildren;
  /** Absent: rungs are made here alone. */
  readonly makers: RungMakers | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** Wishes changed: tasks have to be allocated anew, soon. */
  readonly wishesChanged: () => void;
}

/** How a rung of a stream stands. `refused`: for want of tasks; `failed`: it cannot be made for now. */
export type RungCondition = 'offered' | 'running' | 'refused' | 'failed';

export interface RungReport {
  readonly planned: PlannedRung;
  readonly condition: RungCondition;
  /** Why it is refused or failed, or made here where another node should. */
  readonly reason: string | undefined;
  /** The node that makes it, where that is another one. */
  readonly by: string | undefined;
}

/** A rung that was refused is offered again after this: others may have left. */
const REFUSED_MS = 10_000;
/** More than any number of viewers. */
const ORDERED_WEIGHT = 1e12;
/** What is pinned comes before all that is not. */
const PINNED_WEIGHT = 1e9;
/** Why a rung is refused for a weight of 0. */
export const NO_WEIGHT = 'a weight rule says that it is not to be made';

/** The ladder of one stream: what is offered, what is being made and why not, and the children that make it: one for pictures, one for sound. */
export class StreamTranscoding {
  readonly stream: LiveStream;
  private readonly options: StreamTranscodingOptions;
  private readonly lanes: Readonly<Record<ChildPurpose, StreamLane>>;
  private readonly rungs = new Map<string, OfferedRung>();
  private readonly refused = new Map<string, { readonly reason: string; readonly until: number }>();
  /** Rungs of other nodes' streams that this node makes by order. */
  private readonly ordered = new Set<string>();
  private planned: readonly PlannedRung[] = [];
  private leftOut: readonly LeftOutRung[] = [];
  private plannedFor: { readonly tracks: readonly Track[]; readonly hasReorderedFrames: boolean; readonly ladder: Ladder } | undefined =
    undefined;
  private ladder: Ladder;
  private configuration = 0;
  private isClosed = false;

  constructor(options: StreamTranscodingOptions) {
    this.options = options;
    this.stream = options.stream;
    this.ladder = options.ladder;
    this.lanes = { video: this.newLane('video'), audio: this.newLane('audio') };
  }

  /** Rungs of the ladder that this stream does not get, with the reason. */
  get left(): readonly LeftOutRung[] {
    return this.leftOut;
  }

  /** What somebody wants made. */
  wishes(): readonly TaskWish[] {
    return [...this.rungs.values()]
      .filter(({ isWish }) => isWish)
      .map(({ planned: { rung }, life }) => ({
        stream: this.stream.ref.path,
        rung: rung.name,
        viewers: life.viewers > 0 ? this.viewersOf(rung.name) : 0,
        weight: taskWeight(rung) * this.weightOf(rung.name),
        isAlways: this.ladder.always && !this.isForeign,
      }));
  }

  /** The rungs that hold a task. */
  assigned(): readonly string[] {
    return [...this.rungs.values()].filter(({ isAssigned }) => isAssigned).map(({ planned }) => planned.rung.name);
  }

  /** From now on. Rungs that are the same in both go on; the others end, and their viewers go to another. */
  ladderIs(ladder: Ladder, now: MonotonicMs): void {
    if (ladder === this.ladder) return;
    this.ladder = ladder;
    for (const { life } of this.rungs.values()) life.become(this.rungLife(), now);
    this.plan(now);
  }

  /** What was decided about this stream's wishes. */
  decided(decisions: readonly TaskDecision[], now: MonotonicMs): void {
    for (const decision of decisions) {
      const rung = this.rungs.get(decision.rung);
      if (rung === undefined) continue;
      if (rung.isAssigned && !decision.isAssigned) rung.rest();
      rung.isAssigned = decision.isAssigned;
      if (!decision.isAssigned && decision.reason === 'limit') this.refuse(rung, decision.message, now);
    }
    this.want(now);
  }

  tick(now: MonotonicMs): void {
    this.plan(now);
    for (const { life } of this.rungs.values()) life.tick(now);
    for (const lane of Object.values(this.lanes)) lane.tick(now);
    this.offer(now);
  }

  report(): readonly RungReport[] {
    return this.planned.flatMap((planned) => this.reportOf(planned) ?? []);
  }

  /** Of a stream from another node: whether this node has a rung for others, or why not. Undefined while that is not known. */
  standingOf(name: string): RungStanding | undefined {
    const rung = this.rungs.get(name);
    if (rung !== undefined) return { isOffered: true, isWanted: rung.life.state !== 'idle', reason: undefined };
    if (this.plannedFor === undefined) return undefined;
    const obstacle = this.obstacleOf(name)?.reason ?? this.leftOut.find((left) => left.name === name)?.reason;
    const isPlanned = this.planned.some(({ rung: { name: other } }) => other === name);
    const reason = obstacle ?? (isPlanned ? undefined : `the ladder of ${this.stream.ref.app} has no rung ${name} here`);
    return { isOffered: false, isWanted: false, reason };
  }

  childReport(): ChildReport {
    return reportOfLanes(this.everyLane);
  }

  get everyLane(): readonly StreamLane[] {
    return Object.values(this.lanes);
  }

  /** How many rungs are being made. */
  get tasks(): number {
    let tasks = 0;
    for (const { isAssigned } of this.rungs.values()) if (isAssigned) tasks++;
    return tasks;
  }

  /** The stream is over, or nothing is transcoded any more. Settles when the children are gone. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const name of [...this.rungs.keys()]) this.withdraw(name);
    await Promise.all(Object.values(this.lanes).map((lane) => lane.close()));
  }

  private reportOf(planned: PlannedRung): RungReport | undefined {
    const { name } = planned.rung;
    const obstacle = this.obstacleOf(name);
    if (obstacle !== undefined) return { planned, ...obstacle, by: undefined };
    const rung = this.rungs.get(name);
    if (rung === undefined && this.isForeign) return undefined;
    const isRunning = rung?.isAssigned === true || rung?.by !== undefined;
    return { planned, condition: isRunning ? 'running' : 'offered', reason: rung?.reason, by: rung?.by };
  }

  /** Of one viewer; 0: the rung is never made. What was decided for the cluster was decided by the same rules. */
  private weightOf(name: string): number {
    if (this.isOrdered(name)) return ORDERED_WEIGHT;
    const standing = this.options.weights?.().of(this.stream.ref.path, name, Math.max(this.viewersOf(name), viewersOf(this.stream)));
    return (standing?.weight ?? 1) * (standing?.isPinned === true ? PINNED_WEIGHT : 1);
  }

  /** Whoever watches is somebody, also where nobody counts. */
  private viewersOf(name: string): number {
    return Math.max(1, viewersOf(this.stream.renditions.get(name)));
  }

  private obstacleOf(name: string): { readonly condition: 'failed' | 'refused'; readonly reason: string | undefined } | undefined {
    const { supervisor } = this.laneOf(name);
    const shed = supervisor.shedReasons.get(name);
    const refused = this.refused.get(name)?.reason;
    if (supervisor.state === 'gave-up') return { condition: 'failed', reason: supervisor.lastFailure };
    if (shed !== undefined) return { condition: 'failed', reason: shed };
    return refused === undefined ? undefined : { condition: 'refused', reason: refused };
  }

  /** Whether another node brings the stream: then only those of its rungs are made that are wanted of this node. */
  private get isForeign(): boolean {
    return this.stream.publisher.protocol === 'relay';
  }

  private isOurs(name: string): boolean {
    return !this.isForeign || this.options.makers?.makes(this.stream.ref.path, name) === true;
  }

  /** Follows the source's tracks: another configuration is another plan. */
  private plan(now: MonotonicMs): void {
    const { tracks, hasReorderedFrames, state } = this.stream;
    if (tracks.length === 0 || state === 'held') return;
    const { plannedFor, ladder } = this;
    if (plannedFor?.tracks === tracks && plannedFor.hasReorderedFrames === hasReorderedFrames && plannedFor.ladder === ladder) return;
    const { planned, left } = planRungs(ladder, tracks, hasReorderedFrames);
    // What a child still has of a rung must not get into another one of its name.
    const isOther = planned.some((one) => this.planned.some((old) => old.rung.name === one.rung.name && !isSame(old, one)));
    if (plannedFor?.tracks !== tracks || (plannedFor.ladder !== ladder && isOther)) this.configuration++;
    this.plannedFor = { tracks, hasReorderedFrames, ladder };
    this.leftOut = left;
    for (const [name, rung] of this.rungs) {
      if (!planned.some((other) => isSame(other, rung.planned))) this.withdraw(name);
    }
    this.planned = planned;
    this.refused.clear();
    this.want(now);
    this.offer(now);
  }

  /** Offers what is planned and can be made. */
  private offer(now: MonotonicMs): void {
    if (this.isClosed) return;
    for (const planned of this.planned) {
      const { name, kind } = planned.rung;
      const { supervisor } = this.lanes[kind];
      if (supervisor.state === 'gave-up') continue;
      if (!this.isOurs(name)) {
        this.withdraw(name);
        continue;
      }
      this.followCluster(name, now);
      const refused = this.refused.get(name);
      if (refused !== undefined && now > refused.until) this.refused.delete(name);
      if (!this.rungs.has(name) && !this.refused.has(name) && !supervisor.shedReasons.has(name)) this.offerRung(planned, now);
    }
  }

  /** What was decided for the cluster counts for more than what was decided here. */
  private followCluster(name: string, now: MonotonicMs): void {
    const reason = this.isForeign ? undefined : this.refusalOf(name);
    const before = this.refused.get(name);
    if (reason !== undefined) {
      if (before === undefined) {
        this.options.log.info({ code: 'transcode.withdrawn', stream: this.stream.ref.path, rung: name }, reason);
      }
      this.refused.set(name, { reason, until: now });
      this.withdraw(name);
    } else if (!this.isOrdered(name)) this.ordered.delete(name);
    else if (!this.ordered.has(name)) {
      // What was refused before it was ordered has a task now; what is refused all the same stays refused for a while.
      this.ordered.add(name);
      this.refused.delete(name);
    }
    const rung = this.rungs.get(name);
    if (rung?.isAssigned === true && !this.isForeign && this.options.makers?.isForAnother(this.stream.ref.path, name) === true)
      rung.giveAway();
  }

  /** Why a rung of this node's own stream is not offered; of a node that is alone by its own rules. */
  private refusalOf(name: string): string | undefined {
    const { makers } = this.options;
    if (makers !== undefined) return makers.refusalOf(this.stream.ref.path, name);
    return this.weightOf(name) === 0 ? NO_WEIGHT : undefined;
  }

  /** Whether it was decided for the cluster that this node makes a rung of another node's stream. */
  private isOrdered(name: string): boolean {
    return this.isForeign && this.options.makers?.isOrdered(this.stream.ref.path, name) === true;
  }

  private offerRung(planned: PlannedRung, now: MonotonicMs): void {
    const { hub, makers, clock, log } = this.options;
    const { rung, expected } = planned;
    const { name, kind, codec } = rung;
    const offered = new OfferedRung(
      {
        stream: this.stream,
        hub,
        planned,
        offer: { name, kind, audience: audienceOf(name, this.ladder), expected: { codec, ...expected } },
        life: this.rungLife(),
        makers: this.isForeign ? undefined : makers,
        clock,
        log,
      },
      {
        wishChanged: () => this.options.wishesChanged(),
        keyframeWanted: () => this.lanes[kind].requestKeyframe(name),
        gone: () => this.rungs.delete(name),
      },
    );
    this.rungs.set(name, offered);
    if (!offered.begin(now)) this.rungs.delete(name);
  }

  private rungLife(): RungLifeOptions {
    const { always, lingerMs } = this.ladder;
    return { isAlways: always && !this.isForeign, lingerMs };
  }

  private refuse({ planned }: OfferedRung, reason: string, now: MonotonicMs): void {
    const { name } = planned.rung;
    this.refused.set(name, { reason, until: now + REFUSED_MS });
    this.options.log.warn({ code: 'transcode.refused', stream: this.stream.ref.path, rung: name }, reason);
    this.withdraw(name);
  }

  private withdraw(name: string): void {
    const rung = this.rungs.get(name);
    this.rungs.delete(name);
    rung?.end();
  }

  private want(now: MonotonicMs): void {
    const assigned = [...this.rungs.values()].filter(({ isAssigned }) => isAssigned).map(({ planned }) => planned);
    for (const lane of Object.values(this.lanes)) lane.want(assigned, String(this.configuration), now);
  }

  private laneOf(name: string): StreamLane {
    return this.lanes[this.planned.find(({ rung }) => rung.name === name)?.rung.kind ?? 'video'];
  }

  private newLane(kind: ChildPurpose): StreamLane {
    const { stream, children, clock, log } = this.options;
    return new StreamLane(
      { stream, kind, children, clock, log },
      {
        isTakenOver: (name) => this.isForeign || this.rungs.get(name)?.isTakenBack === true,
        frame: (name, frame, now) => this.rungs.get(name)?.write(frame, now),
        shed: (name) => this.withdraw(name),
        gaveUp: () => {
          for (const [name, { planned }] of [...this.rungs]) if (planned.rung.kind === kind) this.withdraw(name);
        },
      },
    );
  }
}

/** A rung of the source's own size is planned only where WebRTC cannot play the source. */
function audienceOf(name: string, { rungs }: Ladder): 'everybody' | 'webrtc' {
  const rung = rungs.find((one) => one.name === name);
  return rung?.kind === 'video' && rung.height === SOURCE_HEIGHT ? 'webrtc' : 'everybody';
}

const isSame = (a: PlannedRung, b: PlannedRung): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Of a stream these are all who watch any of its renditions. */
function viewersOf(source: Pick<Rendition, 'viewers'> | undefined): number {
  let count = 0;
  for (const each of source?.viewers.values() ?? []) count += each;
  return count;
}
