import { type MediaTime, type MonotonicMs, mediaTime } from '../../../core/mod.ts';
import type { SenderClock } from './sender-clock.ts';

/** RTP timestamps that run away from the arrivals by more than this are a new clock: the track is placed anew. */
const DRIFT_MS_MAX = 10_000;
/** Sender reports that would move a track by more than this against the arrivals are wrong, and ignored. */
const CORRECTION_MS_MAX = 5_000;
/** Tracks this close to each other are left alone: nobody notices, and sender reports are no more exact. */
const TOLERANCE_MS = 10;
/** A correction once begun goes on until this close. */
const SETTLED_MS = 1;
/** A correction takes about so long, within the limits of its speed, in ms of media per ms. */
const CORRECTION_TIME_MS = 4_000;
const SPEED_MIN = 0.02;
const SPEED_MAX = 0.5;

/** What a track of a {@link MediaClock} is. */
export interface ClockTrackOptions {
  /** Ticks a second of its RTP timestamps. */
  readonly clockRate: number;
  /** The sender reports of its stream. */
  readonly sender: SenderClock;
  /** The track that the others follow: audio, since sound must not be stretched, or else the first video. One a clock. */
  readonly leads: boolean;
}

/**
 * One timeline for all tracks of a publisher. Until there are sender reports a track begins where its first frame arrived, so that media
 * flow at once. From then on (RFC 3550 6.4.1) the leading track stays as it is, and each other one moves to where its sender reports put it
 * beside the leading one: not by a jump but slowly, by up to half the time that passes, so that its times always grow.
 * Simulcast layers and several tracks all follow the one leading track.
 */
export class MediaClock {
  private lead: ClockTrack | undefined = undefined;

  /** Adds a track, e.g. when the first packet of its stream comes. A track that leads takes over from one that led before. */
  addTrack(options: ClockTrackOptions): ClockTrack {
    const track = new ClockTrack(options, () => this.lead);
    if (options.leads || this.lead === undefined) this.lead = track;
    return track;
  }
}

/** The place of one track on its publisher's timeline. */
export class ClockTrack {
  private readonly clockRate: number;
  private readonly sender: SenderClock;
  private readonly leader: () => ClockTrack | undefined;
  /** What is added to the timestamps, in ms; `undefined` before the first frame. */
  private offset: number | undefined = undefined;
  private timestamp = 0;
  /** Of the correction under way, in ms per ms of media; 0 while the track is where it should be. */
  private speed = 0;

  /** Made by `MediaClock.addTrack`. */
  constructor(options: ClockTrackOptions, leader: () => ClockTrack | undefined) {
    this.clockRate = options.clockRate;
    this.sender = options.sender;
    this.leader = leader;
  }

  /** What is added to the track's timestamps, in ms; `undefined` before its first frame. */
  get offsetMs(): number | undefined {
    return this.offset;
  }

  /**
   * The frame's time on the common timeline, in ticks of the track's clock. `timestamp` is the unwrapped RTP timestamp, `arrivedAt` when
   * the frame's first packet came: the timeline counts from the zero of that clock. Calls in decode order.
   */
  place(timestamp: number, arrivedAt: MonotonicMs): MediaTime {
    const sourceMs = (timestamp * 1000) / this.clockRate;
    const arrivalOffset = arrivedAt - sourceMs;
    if (this.offset === undefined || Math.abs(this.offset - arrivalOffset) > DRIFT_MS_MAX) {
      this.offset = arrivalOffset;
      this.speed = 0;
    } else {
      this.offset += this.correction(sourceMs, ((timestamp - this.timestamp) * 1000) / this.clockRate, arrivalOffset, this.offset);
    }
    this.timestamp = timestamp;
    return mediaTime(timestamp + Math.round((this.offset * this.clockRate) / 1000));
  }

  /** The timeline's ms less the sender's wall clock; NaN while that is not known. */
  private get wallOffsetMs(): number {
    if (this.offset === undefined || !this.sender.isKnown) return Number.NaN;
    return (this.timestamp * 1000) / this.clockRate + this.offset - this.sender.toWallMs(this.timestamp);
  }

  /** How far to move the track now, when `elapsedMs` of media have passed since the frame before. */
  private correction(sourceMs: number, elapsedMs: number, arrivalOffset: number, offset: number): number {
    const lead = this.leader();
    if (lead === undefined || lead === this || !this.sender.isKnown) return 0;
    const timestamp = Math.round((sourceMs * this.clockRate) / 1000);
    const target = lead.wallOffsetMs + this.sender.toWallMs(timestamp) - sourceMs;
    // NaN while the leading track has no reports.
    if (Number.isNaN(target) || Math.abs(target - arrivalOffset) > CORRECTION_MS_MAX) return 0;
    const error = target - offset;
    const distance = Math.abs(error);
    if (distance <= (this.speed > 0 ? SETTLED_MS : TOLERANCE_MS)) {
      this.speed = 0;
      return 0;
    }
    this.speed = Math.min(SPEED_MAX, Math.max(this.speed, SPEED_MIN, distance / CORRECTION_TIME_MS));
    return Math.sign(error) * Math.min(distance, this.speed * Math.max(0, elapsedMs));
  }
}
