import { mediaTime, wallMs } from '../../core/mod.ts';
import type { Frame, SegmentStamp, Track } from '../../media/mod.ts';
import { frameFlags, type RelayPosition, type WireFrame } from './messages.ts';

/**
 * Makes frames of one rendition of what comes over the wire, and notes how far they have come. One for as long as the rendition is pulled, also over
 * changes of the holder: segments that go on keep their track objects, so that nobody takes a new connection for a new configuration.
 */
export class FrameAssembler {
  private announced: { readonly tracks: readonly Track[]; readonly bytes: Uint8Array } | undefined = undefined;
  private inForce: { readonly tracks: readonly Track[]; readonly bytes: Uint8Array; readonly discontinuity: number } | undefined =
    undefined;
  private stamp: SegmentStamp | undefined = undefined;
  private lastStamp: SegmentStamp | undefined = undefined;
  private readonly lastDts = new Map<number, number>();

  /** How far frames have been assembled; undefined before the first. */
  get position(): RelayPosition | undefined {
    if (this.lastStamp === undefined) return undefined;
    const { sequence, discontinuity } = this.lastStamp;
    return { sequence, discontinuity, tracks: Array.from(this.lastDts, ([track, dts]) => ({ track, dts })) };
  }

  /** Another feed follows: it announces its tracks and segments afresh. */
  newFeed(): void {
    this.announced = undefined;
    this.stamp = undefined;
  }

  /** `bytes`: the tracks as they were on the wire, to tell whether they are the same as before. */
  tracks(tracks: readonly Track[], bytes: Uint8Array): void {
    this.announced = { tracks, bytes };
  }

  /** False if no tracks were announced. */
  segment(stamp: Omit<SegmentStamp, 'tracks'>): boolean {
    const { announced, inForce } = this;
    if (announced === undefined) return false;
    const isSame = inForce !== undefined && inForce.discontinuity === stamp.discontinuity && sameBytes(inForce.bytes, announced.bytes);
    if (!isSame) this.inForce = { ...announced, discontinuity: stamp.discontinuity };
    const tracks = this.inForce?.tracks ?? announced.tracks;
    const { lastStamp } = this;
    // A segment that goes on over a change of the holder stays the same object.
    const goesOn = lastStamp !== undefined && lastStamp.sequence === stamp.sequence && lastStamp.tracks === tracks;
    this.stamp = goesOn ? lastStamp : { ...stamp, tracks };
    return true;
  }

  /** The frame with its segment and track; undefined if there is no such track or no segment yet. */
  frame(wire: WireFrame, receivedMs: number): Frame | undefined {
    const { stamp } = this;
    const track = stamp?.tracks[wire.track];
    if (stamp === undefined || track === undefined) return undefined;
    if (this.lastStamp !== stamp) {
      if (this.lastStamp?.tracks !== stamp.tracks) this.lastDts.clear();
      this.lastStamp = stamp;
    }
    this.lastDts.set(wire.track, wire.dts);
    const frame: Frame = {
      track,
      dts: mediaTime(wire.dts),
      pts: mediaTime(wire.pts),
      isKeyframe: (wire.flags & frameFlags.isKeyframe) !== 0,
      payload: wire.payload,
      segment: stamp,
      part: wire.part,
      startsPart: (wire.flags & frameFlags.startsPart) !== 0,
      receivedMs,
    };
    return wire.captureMs === undefined ? frame : { ...frame, captureMs: wallMs(wire.captureMs) };
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index]);
