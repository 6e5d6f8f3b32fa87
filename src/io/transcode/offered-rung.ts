import type pino from 'pino';
import type { MonotonicMs } from '../../core/mod.ts';
import type { Hub, LiveStream, RenditionInput, RenditionOffer } from '../../hub/mod.ts';
import type { SourceFrame } from '../../media/mod.ts';
import { type PlannedRung, RungLife, type RungLifeOptions } from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import type { MadeHere, PlacedRung, RungMakers } from './rung-makers.ts';

export interface OfferedRungOptions {
  readonly stream: LiveStream;
  readonly hub: Pick<Hub, 'rendition'>;
  readonly planned: PlannedRung;
  readonly offer: RenditionOffer;
  readonly life: RungLifeOptions;
  /** Who may make it instead of this node, if anybody. */
  readonly makers: Pick<RungMakers, 'place'> | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

export interface OfferedRungOutput {
  /** It is wanted of this node, or not any more. */
  wishChanged(): void;
  /** A viewer cannot go on without a keyframe. */
  keyframeWanted(): void;
  /** The hub takes it no more. */
  gone(): void;
}

/** A rung that viewers of a stream are offered: wanted or not, made here or by another node. */
export class OfferedRung {
  readonly planned: PlannedRung;
  readonly life: RungLife;
  /** Another node made it until a moment ago, and this one does now. */
  isTakenBack = false;
  /** It holds a task of this node. */
  isAssigned = false;
  private readonly options: OfferedRungOptions;
  private readonly out: OfferedRungOutput;
  /** Of what is made here. Another node's frames take its place, and it theirs. */
  private input: RenditionInput | undefined = undefined;
  private placed: PlacedRung | undefined = undefined;
  private because: string | undefined = undefined;

  constructor(options: OfferedRungOptions, out: OfferedRungOutput) {
    this.options = options;
    this.out = out;
    this.planned = options.planned;
    this.life = new RungLife({ wantedChanged: (isWanted) => this.wantedChanged(isWanted) }, options.life);
  }

  /** Offers it; false if the hub does not take it. Viewers may be there already, of whoever made it before. */
  begin(now: MonotonicMs): boolean {
    this.input = this.open();
    if (this.input === undefined) return false;
    // A rung that always runs begins without any.
    if (this.life.state === 'idle') this.life.viewersAre(0, now);
    else this.wantedChanged(true);
    return true;
  }

  /** Somebody wants this node to make it. */
  get isWish(): boolean {
    return this.life.state !== 'idle' && this.placed === undefined;
  }

  /** The node that makes it, where that is another one. */
  get by(): string | undefined {
    return this.placed?.node;
  }

  /** Why no other node makes it, where one should. */
  get reason(): string | undefined {
    return this.because;
  }

  write(frame: SourceFrame, now: MonotonicMs): void {
    this.input?.write(frame, now);
  }

  /** What is made here is to be made by another node. */
  giveAway(): void {
    if (this.life.state === 'idle' || this.placed !== undefined || this.input === undefined) return;
    this.place();
    this.out.wishChanged();
  }

  /** This node makes it no more; it may be wanted again. */
  rest(): void {
    this.input?.rest();
  }

  /** It is offered no more. */
  end(): void {
    const { placed, input } = this;
    this.placed = undefined;
    this.input = undefined;
    placed?.end();
    input?.end();
  }

  private open(): RenditionInput | undefined {
    const { hub, stream, offer, clock } = this.options;
    const maker = { watched: (isWatched: boolean) => this.watched(isWatched), keyframeWanted: () => this.out.keyframeWanted() };
    return hub.rendition(stream.ref.path, offer, maker, clock.monotonic());
  }

  private watched(isWatched: boolean): void {
    this.life.viewersAre(isWatched ? 1 : 0, this.options.clock.monotonic());
  }

  private wantedChanged(isWanted: boolean): void {
    if (this.input === undefined) return;
    if (isWanted && !this.isAssigned) this.place();
    if (!isWanted) this.leave();
    this.out.wishChanged();
  }

  /** Has another node make it, where there is one for that. */
  private place(): void {
    const { makers, stream, offer } = this.options;
    if (makers === undefined || this.placed !== undefined) return;
    const placed = makers.place(stream, offer, {
      watched: (isWatched) => this.watched(isWatched),
      lost: (because) => this.takeBack(because),
    });
    this.placed = isPlaced(placed) ? placed : undefined;
    this.because = isPlaced(placed) ? undefined : placed.because;
  }

  private leave(): void {
    const { placed } = this;
    this.because = undefined;
    this.isTakenBack = false;
    if (placed === undefined) return;
    placed.rest();
    this.reopen();
  }

  /** What another node made is made here from now on. */
  private takeBack(because: string): void {
    if (this.placed === undefined) return;
    const { log, stream, offer } = this.options;
    log.warn({ code: 'transcode.taken-back', stream: stream.ref.path, rung: offer.name }, `the rung is made here: ${because}`);
    this.because = because;
    this.isTakenBack = true;
    this.reopen();
    this.out.wishChanged();
  }

  private reopen(): void {
    this.placed = undefined;
    this.input = this.open();
    if (this.input === undefined) this.out.gone();
  }
}

const isPlaced = (placed: PlacedRung | MadeHere): placed is PlacedRung => 'node' in placed;
