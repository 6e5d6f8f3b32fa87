import { type FragmentTrack, writeFragment } from '../containers/mod.ts';
import { ProtocolError } from '../core/mod.ts';
import { type AudioTrack, audioFrameTicks, type Frame, type SegmentStamp, type Track } from '../media/mod.ts';

/** A complete part: its bytes and what the playlist says of it. */
export interface HlsPart {
  readonly bytes: Uint8Array;
  /** Length by the lead track, in its ticks. */
  readonly leadTicks: number;
  readonly leadTimescale: number;
  readonly leadFrames: number;
  readonly isIndependent: boolean;
}

/** Only where a video frame stands alone and its header names no rate. */
const FRAME_RATE_ASSUMED = 30;
/** Parts of a segment in the fragment's sequence number; more just means that numbers repeat. */
const PARTS_PER_SEGMENT = 1024;
/** The field has 32 bits. */
const FRAGMENT_SEQUENCE_MODULUS = 2 ** 32;

/** Collects the frames of one part until it is complete. What it makes depends only on these frames and on the next lead frame. */
export class PendingPart {
  readonly segment: SegmentStamp;
  readonly index: number;
  /** When it begins, in ticks of the lead track. */
  readonly startDts: number;
  private readonly frames: Frame[][];
  private readonly lead: number;

  constructor(first: Frame) {
    this.segment = first.segment;
    this.index = first.part;
    this.startDts = first.dts;
    this.frames = first.segment.tracks.map(() => []);
    // Only the lead track's frames start parts.
    this.lead = trackIndex(first.segment.tracks, first.track);
  }

  /** Adds a frame; one of a track that is not in the segment is ignored. */
  add(frame: Frame): void {
    const index = trackIndex(this.segment.tracks, frame.track);
    this.frames[index]?.push(frame);
  }

  /** Ends the part. `next` is the frame that starts the part after it, if that one goes on without a break. */
  finish(next: Frame | undefined): HlsPart {
    let leadTicks = 0;
    const tracks: FragmentTrack[] = this.segment.tracks.map((track, index) => {
      const samples = this.frames[index] ?? [];
      const nextDts = index === this.lead && next?.segment.discontinuity === this.segment.discontinuity ? next.dts : undefined;
      const durations = track.kind === 'video' ? videoDurations(track, samples, nextDts) : audioDurations(track, samples);
      if (index === this.lead) leadTicks = partTicks(samples, durations, nextDts);
      return { trackId: index + 1, kind: track.kind, samples, durations };
    });
    const leadSamples = this.frames[this.lead] ?? [];
    const fragmentSequence = (this.segment.sequence * PARTS_PER_SEGMENT + this.index) % FRAGMENT_SEQUENCE_MODULUS;
    return {
      bytes: writeFragment(fragmentSequence, tracks),
      leadTicks,
      leadTimescale: this.segment.tracks[this.lead]?.timescale ?? 1,
      leadFrames: leadSamples.length,
      isIndependent: leadSamples.some((frame) => frame.isKeyframe),
    };
  }
}

function trackIndex(tracks: readonly Track[], track: Track): number {
  const index = tracks.indexOf(track);
  // A relay may rebuild the track objects: the same id of the same kind is the same track.
  return index >= 0 ? index : tracks.findIndex((candidate) => candidate.kind === track.kind && candidate.id === track.id);
}

/** From the first lead frame to the next part's; where that is unknown, the durations added up. */
function partTicks(samples: readonly Frame[], durations: readonly number[], nextDts: number | undefined): number {
  const first = samples[0];
  if (first !== undefined && nextDts !== undefined) return Math.max(0, nextDts - first.dts);
  return durations.reduce((sum, duration) => sum + duration, 0);
}

/** Each to the next frame's dts; the last one, with no next frame known, like the one before it. */
function videoDurations(track: Track & { kind: 'video' }, samples: readonly Frame[], nextDts: number | undefined): number[] {
  const durations: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    const following = samples[i + 1]?.dts ?? nextDts;
    const assumed = durations[i - 1] ?? Math.round(track.timescale / (track.frameRate ?? FRAME_RATE_ASSUMED));
    durations.push(following === undefined ? assumed : Math.max(0, following - (samples[i]?.dts ?? following)));
  }
  return durations;
}

/**
 * The codec's frame length; only across a real gap (more than half a frame) the distance to the next frame. Publishers
 * round audio times to milliseconds, and durations that follow the rounding make decoders stretch or drop samples.
 */
function audioDurations(track: AudioTrack, samples: readonly Frame[]): number[] {
  return samples.map((frame, i) => {
    const nominal = nominalTicks(track, frame.payload);
    const following = samples[i + 1]?.dts;
    if (following === undefined) return nominal;
    const distance = following - frame.dts;
    return distance > nominal * 1.5 ? distance : nominal;
  });
}

/** A packet that does not tell its length counts as 20 ms: one bad packet must not stop the stream, and a sink cannot refuse it. */
function nominalTicks(track: AudioTrack, payload: Uint8Array): number {
  try {
    return audioFrameTicks(track, payload);
  } catch (error) {
    if (error instanceof ProtocolError) return Math.round(track.timescale / 50);
    throw error;
  }
}
