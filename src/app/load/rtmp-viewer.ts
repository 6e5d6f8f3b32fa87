import { Playback } from './playback.ts';
import { RtmpClient, type RtmpTarget } from './rtmp-client.ts';
import { MESSAGE } from './rtmp-wire.ts';
import { readSentTime } from './sent-time.ts';
import { avcPayloadAt, readVideoHead } from './video-head.ts';
import { type LoadClient, newRecord, noteLatency, type ViewerRecord } from './viewer-record.ts';

// What comes at once from the cached GOP is old on purpose, and says nothing about how long a frame takes.
const LIVE_AFTER_MS = 500;

/** Plays an RTMP stream. A probe also reads the sent time out of each picture. */
export class RtmpViewer implements LoadClient {
  readonly record: ViewerRecord = newRecord();
  private readonly playback = new Playback();
  private readonly isProbe: boolean;
  private readonly client: RtmpClient;
  private isClosed = false;

  constructor(target: RtmpTarget, isProbe: boolean) {
    this.isProbe = isProbe;
    this.client = new RtmpClient(target, 'play', {
      media: (type, timestamp, head) => {
        this.record.firstByteAtMs ??= performance.now();
        if (type === MESSAGE.video) this.video(timestamp, head);
      },
      bytes: (count) => {
        this.record.bytes += count;
      },
      status: (code) => {
        if (/Failed|NotFound|Rejected|BadName|UnpublishNotify|Stop/.test(code)) this.fail(code);
      },
      closed: (reason) => this.fail(reason),
    });
  }

  private video(timestamp: number, head: Buffer): void {
    const kind = readVideoHead(head, 0);
    if (kind === 'other' || (kind === 'frame' && this.record.firstKeyframeAtMs === undefined)) return;
    const nowMs = performance.now();
    this.record.firstKeyframeAtMs ??= nowMs;
    this.playback.frame(timestamp, nowMs);
    if (!this.isProbe || nowMs - this.record.firstKeyframeAtMs < LIVE_AFTER_MS) return;
    const sentMs = readSentTime(head, avcPayloadAt(0));
    if (sentMs !== undefined) noteLatency(this.record, Date.now() - sentMs);
  }

  tick(nowMs: number): void {
    this.playback.tick(nowMs);
    this.record.stalls = this.playback.stalls;
    this.record.lostFrames = this.playback.lostFrames;
  }

  private fail(reason: string): void {
    if (!this.isClosed) this.record.error ??= reason;
    this.close();
  }

  close(): void {
    this.isClosed = true;
    this.client.close();
  }
}
