import { availableParallelism } from 'node:os';
import { messageOf, type NodeAv, type PipedFrame } from '../ffmpeg/mod.ts';
import { AudioLane } from './audio-lane.ts';
import { InputQueue } from './input-queue.ts';
import { CHANNEL, type FromChild, type Heartbeat, type NumberedRung, type ToChild, toBase64, trackOf } from './messages.ts';
import { probe } from './probe.ts';
import { VideoLane } from './video-lane.ts';

/** What waits in the child at most; beyond it the pipe is not read, and the server sees it fill. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** Errors in a row, without a frame in between that went well, after which the child gives up. */
const FAILURES_MAX = 50;

export interface SessionOutput {
  control(message: FromChild): void;
  frame(frame: PipedFrame): void;
  /** Whether the pipe is to be read. */
  flow(isOpen: boolean): void;
  /** Whether the server is slow in taking what was made. */
  isBacklogged(): boolean;
}

/** The child's half of a transcoding: what the pipe brings goes to two lanes that do not wait for each other. */
export class TranscodeSession {
  private readonly av: NodeAv;
  private readonly out: SessionOutput;
  private readonly video: VideoLane;
  private readonly audio: AudioLane;
  private readonly pictures: InputQueue<() => Promise<void>>;
  private readonly sounds: InputQueue<() => Promise<void>>;
  private isFlowing = true;

  constructor(av: NodeAv, out: SessionOutput) {
    this.av = av;
    this.out = out;
    const rungs = {
      config: (number: number, config: Uint8Array, encoder: string) =>
        out.control({ kind: 'config', number, config: toBase64(config), encoder }),
      failed: (number: number, code: string, message: string) => out.control({ kind: 'rung-failed', number, code, message }),
    };
    this.video = new VideoLane(av, availableParallelism(), {
      ...rungs,
      encoded: (channel, { times, payload }) => out.frame({ ...times, channel, payload }),
    });
    this.audio = new AudioLane(av, {
      ...rungs,
      encoded: (channel, { pts, payload }) => out.frame({ channel, dts: pts, pts, isKeyframe: true, captureMs: undefined, payload }),
    });
    this.pictures = this.newQueue('pictures');
    this.sounds = this.newQueue('sound');
  }

  control(message: ToChild): void {
    switch (message.kind) {
      case 'track': {
        const track = trackOf(message.track);
        if (track.kind === 'video') this.pictures.push(() => this.video.setTrack(track), 0);
        else this.sounds.push(() => this.audio.setTrack(track), 0);
        break;
      }
      case 'rungs':
        this.setRungs(message.rungs);
        break;
      case 'probe':
        this.pictures.push(() => probe(this.av, message.encoders, (encoder) => this.out.control({ kind: 'probed', encoder })), 0);
        break;
      case 'stop':
        break;
    }
  }

  frame(frame: PipedFrame): void {
    const { payload, pts } = frame;
    if (frame.channel === CHANNEL.video) this.pictures.push(() => this.video.frame(frame), payload.length);
    else this.sounds.push(() => this.audio.frame(payload, pts), payload.length);
    this.regulate();
  }

  heartbeat(): Heartbeat {
    const { user, system } = process.cpuUsage();
    const [video, audio] = [this.video.doneMs, this.audio.doneMs];
    return {
      kind: 'heartbeat',
      cpuS: (user + system) / 1e6,
      doneMs: { ...(video === undefined ? {} : { video }), ...(audio === undefined ? {} : { audio }) },
      framesCorrupt: this.video.framesCorrupt + this.audio.framesCorrupt,
    };
  }

  /** Ends everything; what waits is not encoded any more. */
  async close(): Promise<void> {
    await Promise.all([this.pictures.clear(), this.sounds.clear()]);
    await this.video.free();
    this.audio.free();
  }

  private setRungs(rungs: readonly NumberedRung[]): void {
    this.pictures.push(() => this.video.setRungs(rungs), 0);
    this.sounds.push(() => this.audio.setRungs(rungs), 0);
  }

  /** Reads the pipe while there is room on both sides. */
  regulate(): void {
    const isOpen = this.pictures.sizeBytes + this.sounds.sizeBytes <= WAITING_BYTES_MAX && !this.out.isBacklogged();
    if (isOpen === this.isFlowing) return;
    this.isFlowing = isOpen;
    this.out.flow(isOpen);
  }

  /** A failure concerns one frame. The first is told, and when nothing goes well any more. */
  private newQueue(what: string): InputQueue<() => Promise<void>> {
    let failures = 0;
    let isTold = false;
    const told = (code: string, error: unknown): void =>
      this.out.control({ kind: 'failed', code, message: `${what}: ${messageOf(error)}` });
    return new InputQueue(
      async (work) => {
        await work();
        failures = 0;
        this.regulate();
      },
      (error) => {
        failures++;
        if (failures === FAILURES_MAX) told('transcode.source-failed', error);
        else if (!isTold) told('transcode.frame-failed', error);
        isTold = true;
        this.regulate();
      },
    );
  }
}
