import pino from 'pino';
import type { Frame, SourceFrame, Track } from '../../media/mod.ts';
import type { PlannedRung, VideoRung } from '../../transcode/mod.ts';
import { Transcoder } from './transcoder.ts';

const WAIT_MS_MAX = 60_000;
const POLL_MS = 20;

/** A video rung as planned for a 16:9 source. */
export function videoRung(name: string, height: number, changes: Partial<VideoRung> & { width?: number } = {}): PlannedRung {
  const { width = 2 * Math.round((height * 8) / 9), ...rest } = changes;
  const rung = {
    name,
    kind: 'video',
    height,
    codec: 'h264',
    bitrateBps: height * 2000,
    preset: 'ultrafast',
    encoder: 'software',
    ...rest,
  } as const;
  return { rung, expected: { codecString: 'avc1.42c01e', width, height, frameRate: 25, bitrateBps: rung.bitrateBps } };
}

export function audioRung(name: string, codec: 'aac' | 'opus', channels?: 1 | 2): PlannedRung {
  const rung = { name, kind: 'audio', codec, bitrateBps: 96_000 } as const;
  return { rung: channels === undefined ? rung : { ...rung, channels }, expected: { codecString: codec, bitrateBps: 96_000 } };
}

/** A transcoder with all that it told. */
export class RunningTranscoder {
  readonly transcoder: Transcoder;
  readonly frames = new Map<string, SourceFrame[]>();
  readonly failures: string[] = [];
  readonly rungFailures: string[] = [];
  readonly exits: string[] = [];
  readonly lags: number[] = [];
  heartbeats = 0;
  isStarted = false;

  constructor(transcoder: Transcoder = Transcoder.warm(pino({ level: 'silent' }))) {
    this.transcoder = transcoder;
  }

  start(tracks: readonly Track[], rungs: readonly PlannedRung[]): this {
    this.transcoder.start(
      { tracks, rungs },
      {
        started: () => {
          this.isStarted = true;
        },
        heartbeat: () => {
          this.heartbeats++;
        },
        frame: (rung, frame) => this.frames.set(rung, [...(this.frames.get(rung) ?? []), frame]),
        lagging: (queuedMs) => this.lags.push(queuedMs),
        failed: (code) => this.failures.push(code),
        exited: (reason) => this.exits.push(reason),
        rungFailed: (rung, code) => this.rungFailures.push(`${rung}: ${code}`),
      },
    );
    return this;
  }

  feed(frames: readonly Frame[]): this {
    for (const frame of frames) this.transcoder.frame(frame);
    return this;
  }

  of(rung: string): readonly SourceFrame[] {
    return this.frames.get(rung) ?? [];
  }

  /** Settles when the rung has made its last frame for these: one that comes up to it but for what coders hold back. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const end = Date.now() + WAIT_MS_MAX;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`waited in vain until ${what}; ${JSON.stringify({ ...this.told(), counts: this.counts() })}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async untilFrames(rung: string, count: number): Promise<void> {
    await this.until(`${rung} has ${count} frames`, () => this.of(rung).length >= count);
  }

  private told(): object {
    const { failures, rungFailures, exits, isStarted } = this;
    return { failures, rungFailures, exits, isStarted, stats: this.transcoder.stats() };
  }

  private counts(): object {
    return Object.fromEntries([...this.frames].map(([rung, frames]) => [rung, frames.length]));
  }
}
