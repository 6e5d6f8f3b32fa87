import { type MonotonicMs, monotonicMs, type StreamRef, wallMs } from '../core/mod.ts';
import type { Hub, LiveStream, RelayedPublication, RelayedRenditionInput, SourceListener } from '../hub/mod.ts';
import type { Frame } from '../media/mod.ts';
import { FrameAssembler, type RelayAcceptance, type RelayReceiver, type RelayRendition } from '../protocols/relay/mod.ts';

/** What the owner of a relayed stream is told; `rendition` is '' for the stream itself. */
export interface RelayToHubOutput {
  /** Somebody watches this rendition, or nobody any more: it is to be pulled into `receiver(rendition)`, or not. */
  wanted(rendition: string, isWanted: boolean): void;
  /** To be passed on to whoever it is pulled from. */
  keyframeWanted(rendition: string): void;
  accepted(rendition: string, acceptance: RelayAcceptance): void;
  /** It does not come from there; `hub.stream-taken` and `hub.too-many-streams` are this node's own words, after which the pull is to be closed. */
  refused(rendition: string, code: string, message: string, epoch: number, nodes?: readonly string[]): void;
  /** Whether this node makes the rendition itself: then it is not taken from others. */
  makes?(rendition: string): boolean;
  /** It comes another way now. */
  path(rendition: string, epoch: number, hops: readonly string[]): void;
  broken(rendition: string): void;
  ended(rendition: string): void;
  /** The stream was removed from this node's hub: the pulls are to be closed. */
  evicted(): void;
}

/** What the owner of one rendition is told. */
export type RenditionToHubOutput = Pick<
  RelayToHubOutput,
  'wanted' | 'keyframeWanted' | 'accepted' | 'refused' | 'path' | 'broken' | 'ended'
>;

/** A node that has only just begun with a stream does not know yet what it will offer: what was offered before waits so long for it, with its viewers. */
const SETTLE_MS = 5_000;

/**
 * Brings a stream of another node into the hub, with its renditions. One for as long as the stream is pulled, over broken connections and from
 * whatever node: it knows how far the stream has come.
 */
export class RelayToHub implements RelayReceiver, SourceListener {
  private readonly hub: Hub;
  private readonly ref: StreamRef;
  private readonly out: RelayToHubOutput;
  private readonly renditionsByName = new Map<string, RenditionToHub>();
  private current = new FrameAssembler();
  private offered: readonly RelayRendition[] = [];
  private stream: LiveStream | undefined = undefined;
  private publication: RelayedPublication | undefined = undefined;
  /** Until then no rendition is withdrawn. */
  private settlesAt: MonotonicMs | undefined = undefined;

  constructor(hub: Hub, ref: StreamRef, out: RelayToHubOutput) {
    this.hub = hub;
    this.ref = ref;
    this.out = out;
  }

  get assembler(): FrameAssembler {
    // The hub did not hold the stream that long: another one begins, which has nothing yet.
    if (this.publication === undefined && this.stream !== undefined && this.hub.stream(this.ref.path) !== this.stream) this.startOver();
    return this.current;
  }

  /** What takes the frames of `rendition`, if it is offered. */
  receiver(rendition: string): RelayReceiver | undefined {
    return rendition === '' ? this : this.renditionsByName.get(rendition);
  }

  /** The rendition is not pulled any more, since nobody wants it. */
  rest(rendition: string): void {
    this.renditionsByName.get(rendition)?.rest();
  }

  /** The rendition comes from another maker from now on. */
  remade(rendition: string): void {
    this.renditionsByName.get(rendition)?.remade();
  }

  /** {@link RelayToHubOutput.makes} has another answer. */
  makersChanged(now: MonotonicMs): void {
    for (const rendition of this.offered) this.offer(rendition, now);
  }

  /** Withdraws what was offered before the stream came from where it comes from now, and has stayed away. */
  tick(now: MonotonicMs): void {
    if (this.settlesAt === undefined || now < this.settlesAt) return;
    this.settlesAt = undefined;
    this.renditions(this.offered, now);
  }

  /** The stream is not pulled any more, but may be again within the hub's hold. */
  lost(now: MonotonicMs): void {
    this.publication?.lost(now);
    this.publication = undefined;
    this.settlesAt = undefined;
  }

  /** Nobody publishes the stream any more. */
  finish(now: MonotonicMs): void {
    this.publication?.finish(now);
    this.startOver();
  }

  /** Nobody needs the stream here any more. */
  release(now: MonotonicMs): void {
    this.publication?.release(now);
    this.startOver();
  }

  // Of the hub.

  evicted(): void {
    this.startOver();
    this.out.evicted();
  }

  keyframeWanted(): void {
    this.out.keyframeWanted('');
  }

  // Of the relay.

  accepted(acceptance: RelayAcceptance, now: MonotonicMs): void {
    const isGap = !acceptance.isResumed && this.current.position !== undefined;
    if (this.publication === undefined) {
      const node = acceptance.hops.at(-1) ?? '';
      const from = { node, agent: acceptance.agent, startedWallMs: wallMs(acceptance.startedWallMs) };
      const publication = this.hub.relay(this.ref, from, this, now);
      if (typeof publication === 'string') {
        this.out.refused('', `hub.${publication}`, `this node cannot take ${this.ref.path}: ${publication}`, 0);
        return;
      }
      this.publication = publication;
      this.stream = publication.stream;
    }
    if (isGap) this.publication.gap();
    if (this.renditionsByName.size > 0) this.settlesAt = monotonicMs(now + SETTLE_MS);
    this.out.accepted('', acceptance);
  }

  refused(code: string, message: string, epoch: number, nodes?: readonly string[]): void {
    this.out.refused('', code, message, epoch, nodes);
  }

  frame(frame: Frame, now: MonotonicMs): void {
    this.publication?.write(frame, now);
  }

  gap(): void {
    this.publication?.gap();
  }

  /** Offers what the other node can give, and withdraws what it cannot any more. */
  renditions(renditions: readonly RelayRendition[], now: MonotonicMs): void {
    this.offered = renditions;
    if (this.settlesAt === undefined) this.withdrawOthers();
    for (const rendition of renditions) this.offer(rendition, now);
  }

  path(epoch: number, hops: readonly string[]): void {
    this.out.path('', epoch, hops);
  }

  paused(): void {
    this.publication?.paused();
  }

  ended(now: MonotonicMs): void {
    this.publication?.finish(now);
    this.startOver();
    this.out.ended('');
  }

  broken(now: MonotonicMs): void {
    this.lost(now);
    this.out.broken('');
  }

  private offer(rendition: RelayRendition, now: MonotonicMs): void {
    const { name, kind, audience, expected } = rendition;
    let known = this.renditionsByName.get(name);
    if (this.out.makes?.(name) === true) {
      // Whoever makes it here takes the hub's rendition over, with its viewers.
      if (this.renditionsByName.delete(name)) this.out.wanted(name, false);
      return;
    }
    const said = JSON.stringify([kind, audience, expected]);
    if (known?.said === said) return;
    const created = known === undefined;
    known ??= new RenditionToHub(name, this.out);
    this.renditionsByName.set(name, known);
    known.said = said;
    const input = this.publication?.rendition({ name, kind, audience, expected }, known, now);
    if (input !== undefined) known.input = input;
    else if (created) this.renditionsByName.delete(name);
  }

  private withdrawOthers(): void {
    const names = new Set(this.offered.map(({ name }) => name));
    for (const [name, known] of this.renditionsByName) {
      if (names.has(name)) continue;
      this.renditionsByName.delete(name);
      known.end();
      this.out.wanted(name, false);
    }
  }

  private startOver(): void {
    this.publication = undefined;
    this.stream = undefined;
    this.settlesAt = undefined;
    this.current = new FrameAssembler();
    this.offered = [];
    for (const name of this.renditionsByName.keys()) this.out.wanted(name, false);
    this.renditionsByName.clear();
  }
}

/** One rendition that another node gives: of a relayed stream, or made there of a stream of this node. */
export class RenditionToHub implements RelayReceiver {
  assembler: FrameAssembler = new FrameAssembler();
  input: RelayedRenditionInput | undefined = undefined;
  /** What the other node said of it last. */
  said = '';
  private readonly name: string;
  private readonly out: RenditionToHubOutput;

  constructor(name: string, out: RenditionToHubOutput) {
    this.name = name;
    this.out = out;
  }

  watched(isWatched: boolean): void {
    this.out.wanted(this.name, isWatched);
  }

  keyframeWanted(): void {
    this.out.keyframeWanted(this.name);
  }

  rest(): void {
    this.assembler = new FrameAssembler();
    this.input?.rest();
  }

  /** It comes from another maker from now on: frames of one cannot go on behind those of another. */
  remade(): void {
    this.assembler = new FrameAssembler();
    this.input?.remade();
  }

  end(): void {
    this.input?.end();
  }

  accepted(acceptance: RelayAcceptance): void {
    if (!acceptance.isResumed && this.assembler.position !== undefined) this.input?.gap();
    this.out.accepted(this.name, acceptance);
  }

  refused(code: string, message: string, epoch: number): void {
    this.out.refused(this.name, code, message, epoch);
  }

  frame(frame: Frame, now: MonotonicMs): void {
    this.input?.write(frame, now);
  }

  gap(): void {
    this.input?.gap();
  }

  /** A rendition has none of its own. */
  renditions(): void {}

  path(epoch: number, hops: readonly string[]): void {
    this.out.path(this.name, epoch, hops);
  }

  paused(): void {
    this.input?.paused();
  }

  ended(): void {
    this.out.ended(this.name);
  }

  broken(): void {
    this.input?.lost();
    this.out.broken(this.name);
  }
}
