import { writeInitSegment } from '../containers/mod.ts';
import type { Sink } from '../hub/mod.ts';
import type { Frame } from '../media/mod.ts';
import { initName, partName } from '../protocols/hls/mod.ts';
import { PendingPart } from './hls-part.ts';
import { HlsPlaylists } from './hls-playlists.ts';
import { HlsSegment } from './hls-segment.ts';
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
  /** The segment that frames are missing of: it left the playlist in part, and its parts are kept until another one is begun. */
  private torn: HlsSegment | undefined;
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
    this.publish(undefined);
  }

  /** A segment is listed whole or not at all, so that it is the same on every node: the open one is given up, and the next begins the playlist anew. */
  gap(): void {
    this.pending = undefined;
    if (this.open !== undefined) this.forgetTorn();
    this.torn = this.open ?? this.torn;
    this.open = undefined;
  }

  ended(): void {
    this.isEnded = true;
    this.paused();
  }

  private startPart(frame: Frame): void {
    const isNewSegment = this.open?.sequence !== frame.segment.sequence;
    if (isNewSegment && !this.canOpen(frame)) return;
    this.finishPart(frame);
    if (isNewSegment) {
      this.closeSegment();
      this.open = this.openSegment(frame);
      this.forgetTorn();
    }
    this.pending = new PendingPart(frame);
    this.publish(frame);
  }

  /** False for the rest of a segment whose beginning was not seen, and for frames of one that is closed already. */
  private canOpen(frame: Frame): boolean {
    // All there is has been seen: what a rendition's maker failed to make has no beginning anywhere.
    if (frame.segment.sequence - 1 === this.open?.sequence) return true;
    const newest = this.open ?? this.torn ?? this.window.last;
    return frame.part === 0 && (newest === undefined || frame.segment.sequence > newest.sequence);
  }

  private openSegment({ segment: stamp, part }: Frame): HlsSegment {
    const last = this.window.last;
    const isWithoutBeginning = part > 0 && last?.sequence === stamp.sequence - 1 && last.discontinuity === stamp.discontinuity;
    const startMs = isWithoutBeginning ? last.startMs + last.durationS * 1000 : stamp.startMs;
    if (last?.stamp.tracks === stamp.tracks && last.discontinuity === stamp.discontinuity)
      return new HlsSegment(stamp, last.mapUri, startMs);
    const bytes = writeInitSegment(stamp.tracks);
    const name = initName(stamp.discontinuity, bytes);
    if (!this.maps.has(name)) this.out.added(name, [bytes]);
    this.maps.set(name, stamp.sequence);
    return new HlsSegment(stamp, name, startMs);
  }

  private finishPart(next: Frame | undefined): void {
    const { pending, open } = this;
    this.pending = undefined;
    if (pending === undefined || open === undefined) return;
    if (open.sizeBytes > this.limits.bytesMax * OPEN_SEGMENT_SHARE) return;
    const part = pending.finish(next);
    if (part.leadFrames > 0) this.out.added(open.add(part), [part.bytes]);
  }

  private closeSegment(): void {
    const segment = this.open;
    this.open = undefined;
    if (segment === undefined || segment.parts.length === 0) return;
    segment.isComplete = true;
    this.out.added(segment.uri, segment.chunks);
    this.maps.set(segment.mapUri, segment.sequence);
    for (const dropped of this.window.push(segment)) this.forget(dropped);
  }

  private forget(segment: HlsSegment): void {
    for (const part of segment.parts) this.out.removed(part.uri);
    this.out.removed(segment.uri);
    if (this.maps.get(segment.mapUri) !== segment.sequence) return;
    this.maps.delete(segment.mapUri);
    this.out.removed(segment.mapUri);
  }

  private forgetTorn(): void {
    const { torn } = this;
    this.torn = undefined;
    if (torn === undefined) return;
    for (const part of torn.parts) this.out.removed(part.uri);
    if (this.maps.get(torn.mapUri) !== torn.sequence) return;
    const user = this.window.all.findLast(({ mapUri }) => mapUri === torn.mapUri);
    if (user !== undefined) {
      this.maps.set(torn.mapUri, user.sequence);
      return;
    }
    this.maps.delete(torn.mapUri);
    this.out.removed(torn.mapUri);
  }

  /** Renews the playlists; `next` is the frame that has started the part after the last one in them. */
  private publish(next: Frame | undefined): void {
    const segments = this.listedSegments();
    const newest = segments.at(-1);
    if (newest === undefined) return;
    const hintedName = next === undefined ? undefined : partName(next.segment.sequence, this.open?.parts.length ?? 0);
    // 4.4.3.1: no EXTINF, rounded, is above it. A segment that grew longer than was known when it began raises it.
    const targetDurationS = segments.reduce(
      (target, segment) => Math.max(target, Math.round(segment.durationS)),
      (next?.segment ?? newest.stamp).targetDurationS,
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
