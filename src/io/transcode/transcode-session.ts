import { availableParallelism } from 'node:os';
import { messageOf, type NodeAv, type PipedFrame } from '../ffmpeg/mod.ts';
import { AudioLane } from './audio-lane.ts';
import { InputQueue } from './input-queue.ts';
import { type FromChild, type Heartbeat, type NumberedRung, type PipedTrack, toBase64, trackOf } from './messages.ts';
import { VideoLane } from './video-lane.ts';

/** What waits here at most; beyond it the pipe is not read, and the server sees it fill. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** Errors in a row, without a frame in between that went well, after which the child gives up. */
const FAILURES_MAX = 50;

export interface SessionOutput {
  control(message: FromChild): void;
  frame(frame: PipedFrame): void;
  /** Something was taken: there may be room for more. */
  taken(): void;
}

/** One place in the child: what comes for it goes to two lanes that do not wait for each other. */
export class TranscodeSession {
  private readonly out: SessionOutput;
  private readonly video: VideoLane;
  private readonly audio: AudioLane;
  private readonly pictures: InputQueue<() => Promise<void>>;
  private readonly sounds: InputQueue<() => Promise<void>>;
  private framesIn = 0;

  constructor(av: NodeAv, out: SessionOutput) {
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

  setTrack(piped: PipedTrack): void {
    const track = trackOf(piped);
    if (track.kind === 'video') this.pictures.push(() => this.video.setTrack(track), 0);
    else this.sounds.push(() => this.audio.setTrack(track), 0);
  }

  setRungs(rungs: readonly NumberedRung[]): void {
    this.pictures.push(() => this.video.setRungs(rungs), 0);
    this.sounds.push(() => this.audio.setRungs(rungs), 0);
  }

  /** In its turn: pictures that wait are older than the wish. */
  requestKeyframe(number: number): void {
    this.pictures.push(() => this.video.requestKeyframe(number), 0);
  }

  frame(kind: 'video' | 'audio', frame: PipedFrame): void {
    const { payload, pts } = frame;
    this.framesIn++;
    if (kind === 'video') this.pictures.push(() => this.video.frame(frame), payload.length);
    else this.sounds.push(() => this.audio.frame(payload, pts), payload.length);
  }

  /** Frames so far. */
  get framesTaken(): number {
    return this.framesIn;
  }

  /** Whether so much waits that nothing more is to be read. */
  get isFull(): boolean {
    return this.pictures.sizeBytes + this.sounds.sizeBytes > WAITING_BYTES_MAX;
  }

  progress(): Omit<Heartbeat, 'seat' | 'cpuS'> {
    const [video, audio] = [this.video.doneMs, this.audio.doneMs];
    return {
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
        this.out.taken();
      },
      (error) => {
        failures++;
        if (failures === FAILURES_MAX) told('transcode.source-failed', error);
        else if (!isTold) told('transcode.frame-failed', error);
        isTold = true;
        this.out.taken();
      },
    );
  }
}
