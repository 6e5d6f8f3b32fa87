import { movedTarget, RtmpClient, type RtmpTarget } from './rtmp-client.ts';
import type { SyntheticStream } from './synthetic-stream.ts';
import { type LoadClient, newRecord, type ViewerRecord } from './viewer-record.ts';

/** Unsent bytes above which a server counts as not keeping up. */
const BACKLOG_BYTES_MAX = 1_000_000;

/**
 * Publishes a synthetic stream over RTMP in real time, each frame with a write of its own as encoders do. Asked to go on at another server, it does so
 * as soon as that one has accepted it, with a keyframe.
 */
export class SyntheticPublisher implements LoadClient {
  readonly record: ViewerRecord = newRecord();
  private readonly target: RtmpTarget;
  private readonly stream: SyntheticStream;
  private client: RtmpClient;
  /** The server that it was asked to go to, which has not accepted it yet. */
  private next: RtmpClient | undefined;
  private startMs: number | undefined;
  private videoIndex = 0;
  private audioIndex = 0;
  private isKeyframeDue = false;
  private isStalled = false;
  private isClosed = false;

  constructor(target: RtmpTarget, stream: SyntheticStream) {
    this.target = target;
    this.stream = stream;
    this.client = this.open(target);
  }

  private open(target: RtmpTarget): RtmpClient {
    const client: RtmpClient = new RtmpClient(target, 'publish', {
      media: () => undefined,
      bytes: () => undefined,
      status: (code) => {
        if (code === 'NetStream.Publish.Start') this.accepted(client);
        else if (/Failed|Rejected|BadName|Denied/.test(code)) this.ended(client, code);
      },
      reconnect: (tcUrl) => {
        if (client === this.client) this.next ??= this.open(tcUrl === undefined ? target : movedTarget(this.target, tcUrl));
      },
      closed: (reason) => this.ended(client, reason),
    });
    return client;
  }

  private accepted(client: RtmpClient): void {
    if (client === this.next) {
      this.next = undefined;
      this.client.close();
      this.client = client;
      this.isKeyframeDue = true;
      this.record.reconnects++;
    }
    this.startMs ??= performance.now();
    this.record.firstByteAtMs ??= this.startMs;
    this.record.firstKeyframeAtMs ??= this.startMs;
    client.socket.write(this.stream.headers());
  }

  private ended(client: RtmpClient, reason: string): void {
    // Of two servers one is enough: it is asked again, or the other one is about to accept it.
    if (client === this.next) this.next = undefined;
    if (this.next === undefined && (client === this.client || this.client.socket.destroyed)) this.fail(reason);
  }

  /** Sends what is due. To be called every few milliseconds. */
  send(nowMs: number): void {
    if (this.startMs === undefined || this.isClosed) return;
    const elapsedMs = nowMs - this.startMs;
    while (this.stream.hasAudio && this.audioIndex * this.stream.audioFrameMs <= elapsedMs)
      this.write(this.stream.audioFrame(this.audioIndex++));
    while ((this.videoIndex * 1000) / this.stream.frameRate <= elapsedMs) {
      this.write(this.stream.videoFrame(this.videoIndex++, Date.now(), this.isKeyframeDue));
      this.isKeyframeDue = false;
    }
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
    this.next?.close();
    this.client.close();
  }
}
