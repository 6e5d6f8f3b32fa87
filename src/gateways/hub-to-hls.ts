import { writeInitSegment } from '../containers/mod.ts';
import type { Sink } from '../hub/mod.ts';
import type { Frame, SegmentStamp } from '../media/mod.ts';
import { initName, partName } from '../protocols/hls/mod.ts';
import { PendingPart } from './hls-part.ts';
import { HlsPlaylists } from './hls-playlists.ts';
import { HlsSegment } from './hls-segment.ts';
import { spans, tornSegments } from './hls-torn.ts';
import { HlsWindow, type HlsWindowLimits, WINDOW_SEGMENTS_MIN } from './hls-window.ts';

/** Where a stream's files go; names are relative to the media playlist. */
export interface HlsOutput {
  /** An init segment, part or complete segment; the bytes are the chunks in order, shared and never written to. */
  added(name: string, chunks: readonly Uint8Array[]): void;
  /** The file is no longer kept. */
  removed(name: string): void;
  /** There are new playlists: who waits for one can look again. Called after `added` for what is new in them. */
  advanced(): void;
}

/** Of a segment that never ends for want of a keyframe, no more than this share of the window's bytes is kept. */
const OPEN_SEGMENT_SHARE = 0.5;

/**
 * Makes a stream's LL-HLS files: parts, segments and init segments in muxed fragmented MP4, and the playlists. Everything is
 * made once and depends on nothing but the frames and their stamps, so that any node that gets them makes equal bytes.
 */
export class HubToHls implements Sink {
  private readonly out: HlsOutput;
  private readonly siblings: () => readonly string[];
  private readonly limits: HlsWindowLimits;
  private readonly window: HlsWindow;
  /** Init segments, each with the last segment that needs it. */
  private readonly maps = new Map<string, number>();
  private pending: PendingPart | undefined;
  private open: HlsSegment | undefined;
  /** Frames are missing before the next one. */
  private isTorn = false;
  /** When the last part ended, in ticks of the lead track. */
  private endDts = 0;
  private current: HlsPlaylists | undefined;
  private isEnded = false;

  /** `siblings`: URIs of the stream's other renditions' media playlists, relative to this one's. */
  constructor(out: HlsOutput, limits: HlsWindowLimits, siblings: () => readonly string[] = () => []) {
    this.out = out;
    this.siblings = siblings;
    this.limits = { ...limits, segmentsMax: Math.max(WINDOW_SEGMENTS_MIN, limits.segmentsMax) };
    this.window = new HlsWindow(this.limits);
  }

  /** Undefined until the first part is complete. */
  get playlists(): HlsPlaylists | undefined {
    return this.current;
  }

  /** The complete segments that can be asked for, oldest first. */
  get complete(): readonly HlsSegment[] {
    return this.window.all;
  }

  /**
   * Puts those of another node's segments before its own that are older, so that the window is the one that it would have had from further back on. Returns
   * those that are kept: their files are the owner's to bring, and are told of when they are `removed`.
   */
  precede(older: readonly HlsSegment[]): readonly HlsSegment[] {
    const first = this.window.all[0] ?? this.open;
    const fits = ({ sequence, sizeBytes }: HlsSegment): boolean =>
      first !== undefined && sequence < first.sequence && sizeBytes <= this.limits.bytesMax;
    const before = older.filter(fits);
    if (before.length === 0) return before;
    for (const dropped of this.window.precede(before)) this.forget(dropped);
    const kept = before.filter((segment) => this.window.all.includes(segment));
    for (const { mapUri, sequence } of kept) this.maps.set(mapUri, Math.max(sequence, this.maps.get(mapUri) ?? 0));
    this.publish();
    return kept;
  }

  /** Bytes of all segments kept. */
  get sizeBytes(): number {
    return this.window.sizeBytes + (this.open?.sizeBytes ?? 0);
  }

  /** Nothing to do: each frame's segment stamp names the tracks in force. */
  tracks(): void {}

  frame(frame: Frame): void {
    if (frame.startsPart) this.startPart(frame);
    // Other tracks' frames join the part that is open; those before the first segment's beginning have none.
    if (this.pending?.segment.sequence === frame.segment.sequence) this.pending.add(frame);
  }

  paused(): void {
    this.finishPart(undefined);
    this.closeSegment();
    this.publish();
  }

  /**
   * From the last whole part up to the next one that begins with a keyframe, all is listed as missing. Nodes may miss different parts of a segment, but a name
   * has the same bytes on all of them: a segment that frames are missing of is not given out whole.
   */
  gap(): void {
    this.pending = undefined;
    this.isTorn = true;
  }

  ended(): void {
    this.isEnded = true;
    this.paused();
  }

  private startPart(frame: Frame): void {
    const isNewSegment = this.open?.sequence !== frame.segment.sequence;
    if (isNewSegment ? !this.canOpen(frame) : this.isTorn && !this.canGoOn(frame)) return;
    this.finishPart(frame);
    const endMs = this.endMs();
    if (isNewSegment) {
      if (this.isTorn) this.closeTorn(frame);
      else this.closeSegment();
      this.open = this.openSegment(frame);
    }
    if (this.isTorn) this.skipTo(frame, isNewSegment ? Math.max(0, frame.segment.startMs - endMs) : 0);
    this.isTorn = false;
    this.pending = new PendingPart(frame);
    this.publish();
  }

  /** False for the rest of a segment whose beginning was not seen, and for frames of one that is closed already. */
  private canOpen(frame: Frame): boolean {
    const newest = this.open ?? this.window.last;
    if (newest !== undefined && frame.segment.sequence <= newest.sequence) return false;
    if (this.isTorn) return isIndependent(frame) && (frame.part === 0 || this.spansTo(frame.segment));
    // All there is has been seen: what a rendition's maker failed to make has no beginning anywhere.
    return frame.part === 0 || frame.segment.sequence - 1 === this.open?.sequence;
  }

  /** Whether the open segment, that frames are missing of, goes on with this one, which was not there before: it has one init segment. */
  private canGoOn(frame: Frame): boolean {
    const { segment, dts } = frame;
    return (
      isIndependent(frame) && dts >= this.endDts && this.open?.mapUri === initName(segment.discontinuity, writeInitSegment(segment.tracks))
    );
  }

  /** When what there is ends, in Unix time; nothing is there: 0. */
  private endMs(): number {
    const newest = this.open ?? this.window.last;
    return newest === undefined ? 0 : newest.startMs + newest.durationS * 1000;
  }

  /** The playlist goes on over what is missing, or else begins anew with this frame's segment. */
  private closeTorn({ segment }: Frame): void {
    const { open, window } = this;
    const isSpanned = this.spansTo(segment);
    this.open = undefined;
    if (isSpanned) for (const torn of tornSegments(open, window.last, segment)) this.keep(torn);
    else if (open !== undefined) this.giveUp(open);
  }

  /** Where nothing was listed whole, nothing has to go on. */
  private spansTo(segment: SegmentStamp): boolean {
    return this.window.last !== undefined && spans(this.open ?? this.window.last, segment);
  }

  /** Lists what is missing of the frame's segment before it; what is missing before that segment takes `beforeMs`. */
  private skipTo({ part, dts, track }: Frame, beforeMs: number): void {
    const { open } = this;
    if (open === undefined || part === 0) return;
    open.skipTo(part, Math.max(0, (dts - this.endDts) / track.timescale - beforeMs / 1000));
  }

  private openSegment({ segment: stamp, part }: Frame): HlsSegment {
    const last = this.window.last;
    const isWithoutBeginning =
      !this.isTorn && part > 0 && last?.sequence === stamp.sequence - 1 && last.discontinuity === stamp.discontinuity;
    const startMs = isWithoutBeginning ? last.startMs + last.durationS * 1000 : stamp.startMs;
    if (last?.stamp.tracks === stamp.tracks && last.discontinuity === stamp.discontinuity)
      return new HlsSegment(stamp, last.mapUri, startMs);
    const bytes = writeInitSegment(stamp.tracks);
    const name = initName(stamp.discontinuity, bytes);
    // Also when older segments of another node need it: here it is.
    this.out.added(name, [bytes]);
    this.maps.set(name, stamp.sequence);
    return new HlsSegment(stamp, name, startMs);
  }

  private finishPart(next: Frame | undefined): void {
    const { pending, open } = this;
    this.pending = undefined;
    if (pending === undefined || open === undefined) return;
    if (open.sizeBytes > this.limits.bytesMax * OPEN_SEGMENT_SHARE) return;
    const part = pending.finish(next);
    this.endDts = pending.startDts + part.leadTicks;
    if (part.leadFrames > 0) this.out.added(open.add(part), [part.bytes]);
  }

  private closeSegment(): void {
    const segment = this.open;
    this.open = undefined;
    if (segment === undefined || segment.parts.length === 0) return;
    segment.isComplete = true;
    segment.isGap ||= this.isTorn;
    if (!segment.isGap) this.out.added(segment.uri, segment.chunks);
    this.keep(segment);
  }

  private keep(segment: HlsSegment): void {
    this.maps.set(segment.mapUri, segment.sequence);
    for (const dropped of this.window.push(segment)) this.forget(dropped);
  }

  private giveUp(segment: HlsSegment): void {
    const user = this.window.all.findLast(({ mapUri }) => mapUri === segment.mapUri);
    if (user !== undefined) this.maps.set(user.mapUri, user.sequence);
    this.forget(segment);
  }

  private forget(segment: HlsSegment): void {
    for (const part of segment.parts) this.out.removed(part.uri);
    this.out.removed(segment.uri);
    if (this.maps.get(segment.mapUri) !== segment.sequence) return;
    this.maps.delete(segment.mapUri);
    this.out.removed(segment.mapUri);
  }

  /** Renews the playlists; what is pending is the part after the last one in them. */
  private publish(): void {
    const { pending } = this;
    const segments = this.listedSegments();
    const newest = segments.at(-1);
    if (newest === undefined) return;
    const hintedName = pending === undefined ? undefined : partName(pending.segment.sequence, this.open?.parts.length ?? 0);
    // 4.4.3.1: no EXTINF, rounded, is above it. A segment that grew longer than was known when it began raises it.
    const targetDurationS = segments.reduce(
      (target, segment) => Math.max(target, Math.round(segment.durationS)),
      (pending?.segment ?? newest.stamp).targetDurationS,
    );
    this.current = new HlsPlaylists(segments, targetDurationS, hintedName, this.isEnded, this.siblings());
    this.out.advanced();
  }

  private listedSegments(): readonly HlsSegment[] {
    const { open } = this;
    const complete = this.window.listed;
    if (open === undefined || open.parts.length === 0) return complete;
    const last = complete.at(-1);
    // Otherwise it begins anew, as after a gap.
    return last !== undefined && open.goesOnFrom(last) ? [...complete, open] : [open];
  }
}

/** Whether decoding can begin with it. Sound can with any. */
const isIndependent = ({ track, isKeyframe }: Frame): boolean => track.kind === 'audio' || isKeyframe;
