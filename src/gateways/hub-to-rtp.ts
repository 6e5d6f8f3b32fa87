import { ProtocolError } from '../core/mod.ts';
import type { Sink } from '../hub/mod.ts';
import type { Frame, Track } from '../media/mod.ts';
import { createPacketizer, type Packetizer, type RtpPayloads } from '../protocols/rtp/mod.ts';
import { trackPlayability } from './webrtc-playability.ts';

export type RtpKind = 'video' | 'audio';

/** Takes what {@link HubToRtp} makes. */
export interface HubToRtpOutput {
  /** The track of a kind that is carried from now on; undefined when there is none that WebRTC can play. */
  track(kind: RtpKind, track: Track | undefined): void;
  /**
   * One frame as RTP payloads (borrowed until the call returns). `timestamp` is its 32-bit RTP timestamp: the pts on the stream's timeline, in
   * the clock rate of RTP, which is the track's timescale. `captureMs`: Unix ms, NaN where it is not to be told with this frame.
   */
  frame(kind: RtpKind, payloads: RtpPayloads, timestamp: number, isKeyframe: boolean, captureMs: number): void;
  /** The source went away; the stream is held. */
  paused(): void;
  /** The stream is over. */
  ended(): void;
}

interface Lane {
  readonly track: Track;
  readonly packetizer: Packetizer;
  captureToldAt: number;
}

/** Receivers go on counting from the last capture time that they were told, so it need not be in every frame. */
const CAPTURE_TOLD_EACH_MS = 500;

/** A stream's frames as RTP payloads, made once for all WebRTC viewers: the first video and the first audio track, where WebRTC can play them. */
export class HubToRtp implements Sink {
  private readonly out: HubToRtpOutput;
  private readonly payloadBytesMax: number;
  private readonly lanes: { video: Lane | undefined; audio: Lane | undefined } = { video: undefined, audio: undefined };
  private videoPts = Number.NEGATIVE_INFINITY;
  /** Of the tracks that come first. */
  private hasReorderedFrames: boolean;
  private unusable = 0;

  /** `hasReorderedFrames`: whether the source is known to have B-frames that no header announces. */
  constructor(out: HubToRtpOutput, options: { readonly payloadBytesMax: number; readonly hasReorderedFrames?: boolean }) {
    this.out = out;
    this.payloadBytesMax = options.payloadBytesMax;
    this.hasReorderedFrames = options.hasReorderedFrames ?? false;
  }

  /** Frames left out because they are malformed. */
  get unusableFrames(): number {
    return this.unusable;
  }

  tracks(tracks: readonly Track[]): void {
    this.videoPts = Number.NEGATIVE_INFINITY;
    this.carry(
      'video',
      tracks.find((track) => track.kind === 'video'),
    );
    this.carry(
      'audio',
      tracks.find((track) => track.kind === 'audio'),
    );
    this.hasReorderedFrames = false;
  }

  frame(frame: Frame): void {
    const { kind } = frame.track;
    const lane = this.lanes[kind];
    if (lane === undefined || frame.track.id !== lane.track.id) return;
    if (kind === 'video' && this.isReordered(frame)) return;
    const payloads = this.packetize(lane, frame);
    if (payloads === undefined || payloads.count === 0) return;
    this.out.frame(kind, payloads, frame.pts >>> 0, frame.isKeyframe, this.captureToTell(lane, frame));
  }

  paused(): void {
    this.out.paused();
  }

  ended(): void {
    this.out.ended();
  }

  /** Undefined for a frame that is malformed, or too large for what it is. */
  private packetize({ packetizer }: Lane, frame: Frame): RtpPayloads | undefined {
    try {
      return packetizer.packetize(frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.unusable++;
      return undefined;
    }
  }

  private carry(kind: RtpKind, track: Track | undefined): void {
    const isPlayable = track !== undefined && trackPlayability(track, this.hasReorderedFrames).playable;
    const carried = isPlayable ? track : undefined;
    this.lanes[kind] =
      carried === undefined
        ? undefined
        : { track: carried, packetizer: createPacketizer(carried, this.payloadBytesMax), captureToldAt: Number.NEGATIVE_INFINITY };
    this.out.track(kind, carried);
  }

  /** B-frames that no header announced end the picture for good: half of the frames would be worse than none. */
  private isReordered(frame: Frame): boolean {
    const isReordered = frame.pts < this.videoPts;
    this.videoPts = frame.pts;
    if (isReordered) {
      this.lanes.video = undefined;
      this.out.track('video', undefined);
    }
    return isReordered;
  }

  private captureToTell(lane: Lane, { captureMs, isKeyframe }: Frame): number {
    if (captureMs === undefined) return Number.NaN;
    // Either way: the publisher's clock may be set back.
    const isDue = Math.abs(captureMs - lane.captureToldAt) >= CAPTURE_TOLD_EACH_MS || (isKeyframe && lane.track.kind === 'video');
    if (!isDue) return Number.NaN;
    lane.captureToldAt = captureMs;
    return captureMs;
  }
}
