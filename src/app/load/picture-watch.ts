import { Playback } from './playback.ts';
import { readSentTime } from './sent-time.ts';
import { avcPayloadAt, readVideoHead } from './video-head.ts';
import { newRecord, noteLatency, type ViewerRecord } from './viewer-record.ts';

// What comes at once from the cached GOP is old on purpose, and says nothing about how long a frame takes.
const LIVE_AFTER_MS = 500;

/** What a viewer of FLV's video messages sees of a stream. A probe also reads the sent time out of each picture. */
export class PictureWatch {
  readonly record: ViewerRecord = newRecord();
  private readonly playback = new Playback();
  private readonly isProbe: boolean;

  constructor(isProbe: boolean) {
    this.isProbe = isProbe;
  }

  /** A video message, whose body begins at `bodyAt` of `head`; as much of it as is there. */
  video(timestamp: number, head: Buffer, bodyAt: number, nowMs: number): void {
    const kind = readVideoHead(head, bodyAt);
    if (kind === 'other' || (kind === 'frame' && this.record.firstKeyframeAtMs === undefined)) return;
    this.record.firstKeyframeAtMs ??= nowMs;
    this.playback.frame(timestamp, nowMs);
    if (!this.isProbe || nowMs - this.record.firstKeyframeAtMs < LIVE_AFTER_MS) return;
    const sentMs = readSentTime(head, avcPayloadAt(bodyAt));
    if (sentMs !== undefined) noteLatency(this.record, Date.now() - sentMs);
  }

  tick(nowMs: number): void {
    this.playback.tick(nowMs);
    this.record.stalls = this.playback.stalls;
    this.record.lostFrames = this.playback.lostFrames;
  }
}
