import { RtmpClient, type RtmpTarget } from './rtmp-client.ts';
import type { SyntheticStream } from './synthetic-stream.ts';
import { type LoadClient, newRecord, type ViewerRecord } from './viewer-record.ts';

/** Unsent bytes above which a server counts as not keeping up. */
const BACKLOG_BYTES_MAX = 1_000_000;

/** Publishes a synthetic stream over RTMP in real time, each frame with a write of its own as encoders do. */
export class SyntheticPublisher implements LoadClient {
  readonly record: ViewerRecord = newRecord();
  private readonly stream: SyntheticStream;
  private readonly client: RtmpClient;
  private startMs: number | undefined;
  private videoIndex = 0;
  private audioIndex = 0;
  private isStalled = false;
  private isClosed = false;

  constructor(target: RtmpTarget, stream: SyntheticStream) {
    this.stream = stream;
    this.client = new RtmpClient(target, 'publish', {
      media: () => undefined,
      bytes: () => undefined,
      status: (code) => {
        if (code === 'NetStream.Publish.Start') this.begin();
        else if (/Failed|Rejected|BadName|Denied/.test(code)) this.fail(code);
      },
      closed: (reason) => this.fail(reason),
    });
  }

  private begin(): void {
    this.startMs = performance.now();
    this.record.firstByteAtMs = this.startMs;
    this.record.firstKeyframeAtMs = this.startMs;
    this.client.socket.write(this.stream.headers());
  }

  /** Sends what is due. To be called every few milliseconds. */
  send(nowMs: number): void {
    if (this.startMs === undefined || this.isClosed) return;
    const elapsedMs = nowMs - this.startMs;
    while (this.stream.hasAudio && this.audioIndex * this.stream.audioFrameMs <= elapsedMs)
      this.write(this.stream.audioFrame(this.audioIndex++));
    while ((this.videoIndex * 1000) / this.stream.frameRate <= elapsedMs) this.write(this.stream.videoFrame(this.videoIndex++, Date.now()));
  }

  private write(bytes: Buffer): void {
    this.record.bytes += bytes.length;
    this.client.socket.write(bytes);
  }

  tick(): void {
    const isStalled = this.client.socket.writableLength > BACKLOG_BYTES_MAX;
    if (isStalled && !this.isStalled) this.record.stalls++;
    this.isStalled = isStalled;
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
