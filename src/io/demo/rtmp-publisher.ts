import { setTimeout as sleep } from 'node:timers/promises';
import type { CodecContext, FormatContext, Packet, Stream } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';
import type { PublisherOptions } from './publisher-options.ts';
import { TestPicture } from './test-picture.ts';
import { TestTone } from './test-tone.ts';

interface Output {
  readonly encoder: CodecContext;
  readonly stream: Stream;
}

/**
 * Publishes picture and tone over RTMP at the pace of the wall clock with FFmpeg's own RTMP and FLV writers, so that the
 * server meets a real publisher. Runs only in a child process.
 */
export class RtmpPublisher {
  private readonly options: PublisherOptions;
  private readonly format: FormatContext;
  private readonly packet: Packet;
  private readonly picture: TestPicture | undefined;
  private readonly tone: TestTone | undefined;
  private readonly outputs: Output[] = [];
  private isStopping = false;
  private startMs = 0;
  private lastFrame = -1;

  constructor(av: NodeAv, options: PublisherOptions) {
    this.options = options;
    this.picture = options.video && new TestPicture(av, options.video);
    this.tone = options.audio && new TestTone(av, options.audio);
    this.packet = new av.Packet();
    this.packet.alloc();
    this.format = new av.FormatContext();
    check(this.format.allocOutputContext2(null, 'flv', options.url), 'the FLV writer could not be made');
    for (const encoder of [this.picture?.encoder, this.tone?.encoder]) if (encoder !== undefined) this.addOutput(encoder);
  }

  private addOutput(encoder: CodecContext): void {
    const stream = this.format.newStream(null);
    stream.codecpar.fromContext(encoder);
    stream.codecpar.codecTag = 0;
    stream.timeBase = encoder.timeBase;
    this.outputs.push({ encoder, stream });
  }

  /** Connects and publishes; `published` is called once the server has taken the headers. Settles when it ended politely. */
  async run(published: () => void): Promise<void> {
    check(await this.format.openOutput(), `cannot publish to ${hideQuery(this.options.url)}: no connection, or refused`);
    this.format.setOption('flvflags', 'no_duration_filesize');
    check(await this.format.writeHeader(null), 'the server did not take the stream header');
    this.startMs = Date.now();
    published();
    while (!this.isStopping && !this.isOver()) {
      await this.makeWhatIsDue();
      await sleep(this.nextDueInMs());
    }
    await this.finish();
  }

  /** Makes `run` end politely. */
  stop(): void {
    this.isStopping = true;
  }

  private isOver(): boolean {
    const { durationS } = this.options;
    return durationS !== undefined && Date.now() - this.startMs >= durationS * 1000;
  }

  private async makeWhatIsDue(): Promise<void> {
    const now = Date.now();
    while (this.tone !== undefined && this.tone.madeMs + this.tone.frameMs <= now - this.startMs) {
      this.tone.encode(this.startMs);
      await this.drain();
    }
    const frame = this.options.video && Math.floor(((now - this.startMs) * this.options.video.frameRate) / 1000);
    // A machine too slow for the frame rate loses pictures rather than the pace.
    if (this.picture !== undefined && frame !== undefined && frame > this.lastFrame) {
      this.lastFrame = frame;
      this.picture.encode(frame, now);
      await this.drain();
    }
  }

  private nextDueInMs(): number {
    const sinceStart = Date.now() - this.startMs;
    const { video } = this.options;
    const picture = video ? ((this.lastFrame + 1) * 1000) / video.frameRate : Number.POSITIVE_INFINITY;
    const tone = this.tone ? this.tone.madeMs + this.tone.frameMs : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(picture, tone, sinceStart + 1000) - sinceStart);
  }

  private async drain(): Promise<void> {
    const { packet } = this;
    for (const { encoder, stream } of this.outputs) {
      while (encoder.receivePacketSync(packet) >= 0) {
        packet.streamIndex = stream.index;
        packet.rescaleTs(encoder.timeBase, stream.timeBase);
        // It holds a packet back until the other track has a later one (up to 60 ms), as FLV wants one order of time.
        check(await this.format.interleavedWriteFrame(packet), 'the connection to the server broke');
        packet.unref();
      }
    }
  }

  private async finish(): Promise<void> {
    for (const { encoder } of this.outputs) encoder.sendFrameSync(null);
    await this.drain();
    await this.format.writeTrailer();
    await this.format.closeOutput();
  }

  /** Frees everything native. Call it only when `run` has settled. */
  free(): void {
    this.packet.free();
    this.format.freeContext();
    this.picture?.free();
    this.tone?.free();
  }
}

function check(result: number, what: string): void {
  if (result < 0) throw new Error(`${what} (FFmpeg error ${result})`);
}

// The query carries the stream key.
const hideQuery = (url: string): string => url.replace(/\?.*$/, '?…');
