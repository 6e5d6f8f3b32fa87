import { bitrateBps, type MonotonicMs } from '../../core/mod.ts';
import type { LiveStream, RenditionExpectation } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import { type BandwidthEstimator, RenditionChoice, type RenditionOption, type RenditionReason } from '../../protocols/rtp/mod.ts';
import type { WhipLayerChoice, WhipLayers } from '../../protocols/whip/mod.ts';
import type { Kernel } from './kernel.ts';
import { PictureHold } from './picture-hold.ts';
import { ProbeSender } from './probe-sender.ts';
import type { BroadcastViewer, StreamBroadcast, StreamBroadcasts } from './stream-broadcasts.ts';
import { SOURCE } from './track-home.ts';

/** A rendition with the broadcast that it is sent by. */
export interface RenditionPlace {
  readonly name: string;
  readonly broadcast: StreamBroadcast;
}

export interface ViewerRenditionOptions {
  readonly stream: LiveStream;
  /** The stream's own broadcast. */
  readonly main: StreamBroadcast;
  readonly broadcasts: StreamBroadcasts;
  readonly kernel: Kernel;
  /** The viewer's session in the kernel. */
  readonly session: number;
  readonly viewer: BroadcastViewer;
  /** The codec that the viewer was promised: other renditions are not for it. */
  readonly codec: string;
  readonly timestampOffset: number;
}

interface Available extends RenditionOption {
  /** Pixels; 0 while they are not known. */
  readonly width: number;
  readonly height: number;
}

/** The estimate has to know the path before it moves anybody. */
const SETTLE_MS = 3_000;
/** Before that only a queue that grows does, once the newcomer's own burst is through. */
const CATCH_UP_MS = 1_000;
const CHOOSE_EACH_MS = 200;
/** A rendition whose keyframes come too late to be waited for is not tried again for so long, unless the viewer asks for it. */
const BARRED_MS = 10_000;
/** One that the viewer asked for is tried again soon. */
const BARRED_PINNED_MS = 1_000;
/** Of what is sent the path carries less than this: what is sent on top only lengthens the queue, at whose end the next rendition comes. */
const CROWDED_FRACTION = 0.75;
/** Half of the 32-bit circle: what lies further ahead lies behind. */
const HALF = 0x8000_0000;

/**
 * Which rendition a viewer's pictures come from: the best one for its bandwidth, or the one that it asked for. It changes at a keyframe, so that no
 * picture breaks, and timestamps only go forward: when the old rendition's keyframe comes first, its pictures are kept back for a moment until the new
 * one's is there. One that is not made yet is waited for with the old one's pictures. On a path that carries much less than is sent, these are kept
 * back at once, so that the queue is short when the smaller rendition's keyframe comes, which is asked for (RFC 8836 section 2 wants delay low before all).
 */
export class ViewerRendition implements WhipLayerChoice {
  private readonly options: ViewerRenditionOptions;
  private readonly choice = new RenditionChoice([]);
  private readonly probes: ProbeSender;
  /** Joined by the viewer itself, which leaves it too. */
  private readonly home: RenditionPlace;
  private flow: number | undefined = undefined;
  private current: RenditionPlace;
  private next: RenditionPlace | undefined = undefined;
  private readonly hold: PictureHold;
  private barred: { readonly name: string; readonly until: number } | undefined = undefined;
  private isAlone = false;
  private chooseAt: number;
  /** Where the path is too narrow, it is chosen at once from then on. */
  private readonly settledAt: number;
  /** What the viewer asked for; it need not be there any more. */
  private pinned: string | undefined = undefined;
  private reason: RenditionReason = 'start';

  /** Begins at home. */
  constructor(home: RenditionPlace, options: ViewerRenditionOptions, now: MonotonicMs) {
    this.options = options;
    this.home = home;
    this.current = home;
    this.chooseAt = now + SETTLE_MS;
    this.settledAt = now + CATCH_UP_MS;
    this.hold = new PictureHold(options.kernel);
    this.probes = new ProbeSender(options.kernel, options.session);
  }

  /** The flow that is to be moved, once it is there. */
  begin(flow: number): void {
    this.flow = flow;
    const pinned = this.pinnedIn(this.available());
    if (pinned !== undefined) this.want(pinned);
  }

  /** What there is to choose from, best first, what is sent, and why. */
  read(): WhipLayers {
    const options = this.available().toSorted((a, b) => b.width * b.height - a.width * a.height || b.bitrateBps - a.bitrateBps);
    const active = this.current.name;
    const isPinned = this.pinnedIn(options) !== undefined;
    return {
      active,
      automatic: !isPinned,
      reason: isPinned ? 'pinned' : this.reason,
      layers: options.map(({ name, bitrateBps: bitrate, width, height }) => ({
        encodingId: name,
        ...(width > 0 && height > 0 ? { width, height } : {}),
        bitrate,
        active: name === active,
      })),
    };
  }

  /** The viewer's own choice; undefined leaves it to the bandwidth. Takes effect at the next keyframe. False: there is no such rendition. */
  select(name: string | undefined): boolean {
    if (name !== undefined && !this.available().some((option) => option.name === name)) return false;
    this.pinned = name;
    this.barred = undefined;
    // Without a choice what is under way is given up: what the bandwidth allows is known at the next tick.
    if (this.flow !== undefined) this.want(name ?? this.current.name);
    return true;
  }

  requestKeyframe(now: MonotonicMs): void {
    // What is not made yet has none to give.
    (this.nextMade ?? this.current).broadcast.requestKeyframe(now);
  }

  /** As {@link PictureHold.stillNeeded}. */
  stillNeeded(sequenceNumbers: Uint16Array, count: number): number {
    return this.hold.stillNeeded(sequenceNumbers, count);
  }

  /** Chooses anew from time to time, and probes for more bandwidth where there is something better to be had. */
  tick(estimator: BandwidthEstimator, now: MonotonicMs): void {
    if (this.flow === undefined) return;
    if (this.hold.tick(now)) this.giveUpWaiting(now);
    // A rendition that is only just being made, or goes on after all, has to be asked.
    if (this.hold.from === 'picture' && (this.next === undefined || this.nextMade !== undefined)) this.requestKeyframe(now);
    const isOverused = estimator.usage === 'overuse';
    // A stream without renditions leaves nothing to choose: a thousand viewers of it cost nothing here.
    if (now < (isOverused ? this.settledAt : this.chooseAt) || (this.isAlone && this.options.stream.renditions.size === 0)) return;
    this.chooseAt = now + CHOOSE_EACH_MS;
    const options = this.available();
    this.choice.setRenditions(options);
    const verdict = this.choice.update(estimator.estimateBps, estimator.provenBps(now), now);
    const pinned = this.pinnedIn(options);
    this.reason = verdict?.reason ?? this.reason;
    // Who has chosen needs to know of no more bandwidth.
    if (verdict !== undefined) estimator.wantedBps = pinned === undefined ? verdict.wantedBps : bitrateBps(0);
    this.isAlone = options.every(({ name }) => name === this.current.name);
    if (this.isAlone) return;
    const wanted = pinned ?? verdict?.name ?? this.current.name;
    if (wanted !== this.barred?.name || now >= this.barred.until) this.want(wanted);
    if (isOverused && this.isCrowded(options, estimator.estimateBps)) this.clearWay(this.flow, now);
    const probe = this.hold.from === undefined ? estimator.wantsProbe(now) : undefined;
    if (probe !== undefined) this.probes.send(this.flow, probe);
  }

  /** A keyframe is about to go out on a broadcast that the viewer has joined. */
  keyframe(from: StreamBroadcast, timestamp: number): void {
    const { flow, next, current } = this;
    if (flow === undefined) return;
    if (from === next?.broadcast) this.change(flow, timestamp);
    else if (from === current.broadcast) this.ownKeyframe(flow);
  }

  /** A rendition ended: true when another one takes over, false when there is none. */
  ended(from: StreamBroadcast): boolean {
    if (this.next?.broadcast === from) this.abandon();
    if (this.current.broadcast !== from) return from !== this.home.broadcast;
    // There is nothing to go on with that could be kept back.
    if (this.flow !== undefined) this.hold.end(this.flow);
    if (this.next !== undefined) return true;
    const [other] = this.available().filter(({ name }) => name !== this.current.name);
    if (other === undefined) return false;
    this.want(other.name);
    return this.next !== undefined;
  }

  close(): void {
    this.probes.close();
    const { viewer } = this.options;
    for (const one of [this.current, this.next]) if (one !== undefined && !this.isOwned(one)) one.broadcast.remove(viewer);
  }

  /** What is waited for, if it is being made: otherwise no keyframe of it is near. */
  private get nextMade(): RenditionPlace | undefined {
    return this.next?.broadcast.rtp.carried('video') === undefined ? undefined : this.next;
  }

  private pinnedIn(options: readonly RenditionOption[]): string | undefined {
    return options.find(({ name }) => name === this.pinned)?.name;
  }

  private available(): readonly Available[] {
    const { stream, codec, main } = this.options;
    const options: Available[] = [];
    const source = main.rtp.carried('video');
    if (source?.codec === codec) options.push({ name: SOURCE, bitrateBps: stream.stats().bitrateBps, ...sizeOf(source) });
    for (const rendition of stream.renditions.values()) {
      const { kind, name, tracks, expected } = rendition;
      const video = tracks.find((track) => track.kind === 'video') ?? expected;
      if (kind !== 'video' || video?.codec !== codec) continue;
      const measuredBps = tracks.length > 0 ? rendition.stats().bitrateBps : 0;
      options.push({ name, bitrateBps: bitrateBps(Math.max(measuredBps, expected?.bitrateBps ?? 0)), ...sizeOf(video) });
    }
    return options;
  }

  private want(name: string): void {
    if (name === (this.next ?? this.current).name) return;
    if (this.next !== undefined) this.abandon();
    if (name === this.current.name) return;
    this.next = this.place(name);
  }

  private place(name: string): RenditionPlace | undefined {
    const { stream, main, broadcasts, viewer } = this.options;
    if (name === SOURCE) return { name, broadcast: main };
    if (name === this.home.name) return this.home;
    const rendition = stream.renditions.get(name);
    return rendition === undefined ? undefined : { name, broadcast: broadcasts.join(rendition, viewer) };
  }

  /** Broadcasts that the viewer has joined for its whole life. */
  private isOwned({ broadcast }: RenditionPlace): boolean {
    return broadcast === this.options.main || broadcast === this.home.broadcast;
  }

  private change(flow: number, timestamp: number): void {
    const { kernel, timestampOffset, viewer } = this.options;
    const { packets, lastTimestamp } = kernel.flowStats(flow);
    const ahead = (timestamp + timestampOffset - lastTimestamp) >>> 0;
    // The same moment was sent from the old rendition already: the next keyframe will do.
    if (packets > 0 && (ahead === 0 || ahead >= HALF)) return;
    const { current, next } = this;
    if (next === undefined) return;
    next.broadcast.rtp.takeFlow(flow, timestampOffset);
    this.hold.end(flow);
    this.current = next;
    this.next = undefined;
    if (!this.isOwned(current)) current.broadcast.remove(viewer);
  }

  /** Much more is sent than the path carries, and what is wanted instead is less. */
  private isCrowded(options: readonly RenditionOption[], estimateBps: number): boolean {
    const bpsOf = (place: RenditionPlace): number => options.find(({ name }) => name === place.name)?.bitrateBps ?? 0;
    return this.next !== undefined && bpsOf(this.next) < bpsOf(this.current) && estimateBps < CROWDED_FRACTION * bpsOf(this.current);
  }

  /** What is on its way already fills the path: nothing follows it but the next rendition's keyframe, which is asked for now. */
  private clearWay(flow: number, now: MonotonicMs): void {
    if (this.hold.from !== undefined) return;
    this.hold.fromPicture(flow, now);
    if (this.nextMade !== undefined) this.requestKeyframe(now);
  }

  /** The rendition that is sent has a keyframe: with that it can go on behind what was kept back, unless the next one's is about to come. */
  private ownKeyframe(flow: number): void {
    if (this.nextMade === undefined) {
      if (this.hold.from === 'picture') this.hold.end(flow);
    } else if (this.hold.from !== 'keyframe') this.hold.fromKeyframe(flow);
  }

  /** The new rendition's keyframe comes much later than the old one's, or not at all: the old one goes on with what was kept back. */
  private giveUpWaiting(now: MonotonicMs): void {
    const name = this.next?.name;
    if (name !== undefined) this.barred = { name, until: now + (name === this.pinned ? BARRED_PINNED_MS : BARRED_MS) };
    this.abandon();
  }

  private abandon(): void {
    const { next } = this;
    this.next = undefined;
    if (next !== undefined && !this.isOwned(next)) next.broadcast.remove(this.options.viewer);
    // What is kept back from any picture on waits for its next keyframe.
    if (this.hold.from === 'keyframe' && this.flow !== undefined) this.hold.end(this.flow);
  }
}

function sizeOf(video: Track | RenditionExpectation): { readonly width: number; readonly height: number } {
  const { width = 0, height = 0 } = 'height' in video ? video : {};
  return { width, height };
}
