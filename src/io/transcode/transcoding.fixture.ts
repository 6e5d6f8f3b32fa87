import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { durationMs, sizeBytes, streamRef, ticksToMs, utf8Decode } from '../../core/mod.ts';
import { HubToHls } from '../../gateways/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { FrameSource, Publication } from '../../hub/mod.ts';
import type { Frame, SourceFrame } from '../../media/mod.ts';
import { type Ladder, NO_WEIGHTS, type Rung, TaskWeights, type TranscodingWeights } from '../../transcode/mod.ts';
import { systemClock } from '../clock.ts';
import { later } from './test-media.fixture.ts';
import { Transcoding, type TranscodingReport } from './transcoding.ts';

const WAIT_MS_MAX = 60_000;
const POLL_MS = 20;
const PATH = 'live/show';

/** A hub with one stream, whose ladder is made all the time, and all that its viewers would get. */
export class TranscodedStream {
  readonly publication: Publication;
  /** By rendition; the stream itself is `source`. */
  readonly frames: Map<string, Frame[]> = new Map();
  private readonly transcoding: Transcoding;
  private readonly watched: Set<FrameSource> = new Set();
  private readonly watcher: NodeJS.Timeout;

  /** With less than there is to make, or rules for what comes first. */
  constructor(rungs: readonly Rung[], { tasksMax = 20, weights = NO_WEIGHTS }: { tasksMax?: number; weights?: TranscodingWeights } = {}) {
    const hub = makeHub({
      segmentTargetMs: durationMs(1_000),
      partTargetMs: durationMs(200),
      streamsMax: 1,
      gopCacheBytesMax: sizeBytes(8_000_000),
    });
    const ladder: Ladder = { rungs, always: true, lingerMs: 0 };
    const standings = new TaskWeights(weights);
    this.transcoding = new Transcoding({
      hub,
      ladderOf: () => ladder,
      weights: () => standings,
      tasksMax,
      clock: systemClock,
      log: pino({ level: 'silent' }),
    });
    this.transcoding.start();
    const [app = '', name = ''] = PATH.split('/');
    const publisher = { protocol: 'rtmp', address: '127.0.0.1', agent: '' } as const;
    const now = [systemClock.monotonic(), systemClock.wall()] as const;
    this.publication = hub.publish(streamRef(app, name), publisher, { evicted: () => undefined }, 'reject', ...now) as Publication;
    this.watch('source', this.publication.stream);
    // Renditions come and go with the source's tracks.
    this.watcher = setInterval(() => {
      for (const [rendition, source] of this.publication.stream.renditions) this.watch(rendition, source);
    }, POLL_MS);
  }

  /** Publishes at the pace of the frames’ times. */
  async play(frames: readonly SourceFrame[]): Promise<void> {
    const startMs = performance.now();
    let firstMs: number | undefined;
    for (const frame of frames) {
      const atMs = ticksToMs(frame.dts, frame.track.timescale);
      firstMs ??= atMs;
      const waitMs = startMs + atMs - firstMs - performance.now();
      if (waitMs > 1) await sleep(waitMs);
      this.publication.write(frame, systemClock.monotonic(), systemClock.wall());
    }
  }

  /** Publishes the frames, `seconds` long, over and over until the condition holds; returns how many seconds it published. A child may be long in starting. */
  async playUntil(frames: readonly Frame[], seconds: number, what: string, condition: () => boolean): Promise<number> {
    const end = Date.now() + WAIT_MS_MAX;
    let played = 0;
    do {
      if (Date.now() > end) throw this.inVain(what);
      await this.play(later(frames, played));
      played += seconds;
    } while (!condition());
    return played;
  }

  of(rendition: string, kind: 'video' | 'audio'): readonly Frame[] {
    return (this.frames.get(rendition) ?? []).filter(({ track }) => track.kind === kind);
  }

  /** Packages a rendition for HLS from now on; returns what its media playlist is. */
  packaged(name: string): () => string {
    const { stream } = this.publication;
    const source = name === 'source' ? stream : stream.renditions.get(name);
    const nothing = (): void => undefined;
    const hls = new HubToHls({ added: nothing, removed: nothing, advanced: nothing }, { segmentsMax: 100, bytesMax: 64 * 1024 * 1024 });
    source?.attach(hls, 'segment');
    return () => utf8Decode(hls.playlists?.media ?? new Uint8Array());
  }

  leftOut(): ReturnType<Transcoding['leftOutOf']> {
    return this.transcoding.leftOutOf(this.publication.stream.ref.path);
  }

  report(): TranscodingReport['streams'][number] | undefined {
    return this.transcoding.report().streams[0];
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const end = Date.now() + WAIT_MS_MAX;
    while (!condition()) {
      if (Date.now() > end) throw this.inVain(what);
      await sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.watcher);
    this.publication.finish(systemClock.monotonic());
    await this.transcoding.close();
  }

  private inVain(what: string): Error {
    const counts = Object.fromEntries([...this.frames].map(([name, frames]) => [name, frames.length]));
    return new Error(`waited in vain until ${what}; ${JSON.stringify({ counts, report: this.report() })}`);
  }

  private watch(name: string, source: FrameSource): void {
    if (this.watched.has(source)) return;
    this.watched.add(source);
    const frames = this.frames.get(name) ?? [];
    this.frames.set(name, frames);
    source.attach({ tracks: () => undefined, frame: (frame) => frames.push(frame), paused: () => undefined, ended: () => undefined });
  }
}
