// Hub streams and the product's way from them to transcoding children, without anything that takes frames in or sends them out:
// told by its parent's message how many streams, it measures what that way costs this process.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { durationMs, sizeBytes } from '../src/core/mod.ts';
import { makeHub } from '../src/hub/hub.fixture.ts';
import { countPayloadsAsHeap, systemClock } from '../src/io/mod.ts';
import { StreamLane } from '../src/io/transcode/stream-lane.ts';
import { TranscodeChildren } from '../src/io/transcode/transcode-children.ts';
import { audioRung, videoRung } from '../src/io/transcode/transcoder.fixture.ts';
import type { TranscoderStats } from '../src/io/transcode/transcoder.ts';
import type { PlannedRung } from '../src/transcode/mod.ts';
import { SyntheticFeed } from './synthetic-feed.ts';
import type { FeedingOrder, FeedingReport } from './transcode-feeding.ts';

const CHILD = fileURLToPath(new URL('./discarding-child.ts', import.meta.url));
/** As often as the server looks after its children. */
const TICK_MS = 100;
const POLL_MS = 20;
const START_MS_MAX = 30_000;
/** Beyond the first growth of V8's heap. */
const WARM_UP_MS = 12_000;
const SETTLE_MS = 1_200;
/** Short, as the machine's own speed changes within a minute. */
const MEASURE_MS = 3_500;
/** Children say twice a second what they have. */
const TOLD_MS = 700;
/** A figure for frames that were not fed says nothing. */
const FED = 0.99;

countPayloadsAsHeap();

const log = pino({ level: 'warn' });
const hub = makeHub({ holdMs: durationMs(10_000), streamsMax: 10_000, gopCacheBytesMax: sizeBytes(20_000_000) });
const children = new TranscodeChildren(log, true, CHILD);

const NOTHING: TranscoderStats = { framesIn: 0, framesOut: 0, framesDropped: 0, framesCorrupt: 0, queuedMs: 0, cpuS: 0 };

/** A stream in the hub, and a rung of its pictures and one of its sound that may be wanted. */
class FedStream {
  readonly feed: SyntheticFeed;
  /** What falls due meanwhile comes all at once afterwards. */
  isPaused = false;
  private readonly rungs: readonly PlannedRung[];
  private readonly lanes: readonly StreamLane[];

  constructor(index: number, hasPictures: boolean) {
    this.feed = new SyntheticFeed(hub, index, systemClock.monotonic(), hasPictures);
    this.rungs = [audioRung('opus', 'opus'), ...(hasPictures ? [videoRung('small', 90)] : [])];
    this.lanes = this.rungs.map(({ rung: { kind } }) => {
      const unexpected = (what: string) => (): void => {
        throw new Error(`${what} ${this.feed.stream.ref.path}`);
      };
      const out = { isTakenOver: () => false, frame: unexpected('a frame of'), shed: unexpected('shed:'), gaveUp: unexpected('gave up:') };
      return new StreamLane({ stream: this.feed.stream, kind, children, clock: systemClock, log }, out);
    });
    this.publish();
  }

  want(isFed: boolean): void {
    for (const lane of this.lanes) lane.want(isFed ? this.rungs : [], '', systemClock.monotonic());
  }

  /** A child that gives nothing is taken for one that hangs. */
  tick(): void {
    const now = systemClock.monotonic();
    for (const lane of this.lanes) {
      for (const { rung } of this.rungs) lane.supervisor.frameOut(rung.name, now);
      lane.tick(now);
    }
  }

  is(state: 'running' | 'idle'): boolean {
    return this.lanes.every(({ supervisor }) => supervisor.state === state);
  }

  sumOf(count: (stats: TranscoderStats) => number): number {
    return this.lanes.reduce((sum, lane) => sum + count(lane.stats() ?? NOTHING), 0);
  }

  /** Each frame in a turn of its own where it falls due alone, as from a publisher's connection. */
  private publish(): void {
    const now = systemClock.monotonic();
    if (!this.isPaused) this.feed.write(now);
    setTimeout(() => this.publish(), this.isPaused ? POLL_MS : this.feed.dueAt - now);
  }
}

async function measure({ streams: count, hasPictures, rounds }: FeedingOrder): Promise<FeedingReport> {
  const streams = Array.from({ length: count }, (_, index) => new FedStream(index, hasPictures));
  setInterval(() => {
    for (const stream of streams) stream.tick();
  }, TICK_MS);
  // Kept ready in either turn.
  children.warm();
  await turn(streams, true);
  await sleep(WARM_UP_MS);
  const [fed, bare]: [FedTurn[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareTurn(streams));
    fed.push(await fedTurn(streams));
  }
  return {
    ...{ bare, fed: fed.map(({ percent }) => percent) },
    framesFed: fed.reduce((total, turn) => total + turn.framesFed, 0),
    framesTaken: fed.reduce((total, turn) => total + turn.framesTaken, 0),
  };
}

interface FedTurn {
  readonly percent: number;
  readonly framesFed: number;
  readonly framesTaken: number;
}

async function bareTurn(streams: readonly FedStream[]): Promise<number> {
  await turn(streams, false);
  return (await used(streams)).percent;
}

async function fedTurn(streams: readonly FedStream[]): Promise<FedTurn> {
  await turn(streams, true);
  const before = sum(streams, ({ framesIn }) => framesIn);
  const { percent, written } = await used(streams);
  // Nothing comes until the children have said what they have: what came after it would stand for what is missing.
  for (const stream of streams) stream.isPaused = true;
  const framesFed = sum(streams, ({ framesIn }) => framesIn);
  if (framesFed - before < FED * written) throw new Error(`${framesFed - before} of ${written} frames were fed`);
  await sleep(TOLD_MS);
  // What is in the cached group of pictures at the start counts with what came since, on either side.
  const framesTaken = sum(streams, ({ framesCorrupt }) => framesCorrupt);
  if (framesTaken < FED * framesFed) throw new Error(`the children have ${framesTaken} of ${framesFed} frames`);
  for (const stream of streams) stream.isPaused = false;
  return { percent, framesFed, framesTaken };
}

/** Percent of a core a stream in the time from now, and the frames that came into the hub meanwhile. */
async function used(streams: readonly FedStream[]): Promise<{ readonly percent: number; readonly written: number }> {
  const [cpu, startMs] = [process.cpuUsage(), performance.now()];
  const before = written(streams);
  await sleep(MEASURE_MS);
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - startMs;
  const frames = written(streams) - before;
  const due = Math.round((SyntheticFeed.frameRate(streams.some(({ feed }) => feed.hasPictures)) * streams.length * ms) / 1000);
  if (frames < FED * due) throw new Error(`${frames} of ${due} frames came into the hub: the machine is too busy`);
  return { percent: (100 * (user + system)) / 1000 / ms / streams.length, written: frames };
}

async function turn(streams: readonly FedStream[], isFed: boolean): Promise<void> {
  for (const stream of streams) stream.want(isFed);
  const end = performance.now() + START_MS_MAX;
  while (!streams.every((stream) => stream.is(isFed ? 'running' : 'idle'))) {
    if (performance.now() > end) throw new Error('the children did not start or end');
    await sleep(POLL_MS);
  }
  await sleep(SETTLE_MS);
}

const written = (streams: readonly FedStream[]): number => streams.reduce((total, { feed }) => total + feed.framesWritten, 0);
const sum = (streams: readonly FedStream[], count: (stats: TranscoderStats) => number): number =>
  streams.reduce((total, stream) => total + stream.sumOf(count), 0);

process.on('message', (order: FeedingOrder) => void measure(order).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit(0));
