import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AppLimits, NO_LIMITS } from '../../access/mod.ts';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { streamRef, wallMs } from '../../core/mod.ts';
import type { LiveStream, PublisherInfo } from '../../hub/mod.ts';
import type { AppBytes } from '../app-bytes.ts';
import { MonthlyUsage } from './monthly-usage.ts';
import { UsageMeter } from './usage-meter.ts';

let engine: MemoryEngine;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  engine = new MemoryEngine();
});
afterEach(() => {
  vi.useRealTimers();
});

interface FakeStream extends Pick<LiveStream, 'ref' | 'publisher' | 'viewers' | 'state' | 'startedWallMs'> {
  bytesIn: number;
}

/** A node with streams as a test sets them. */
class MeteredNode {
  private readonly client = engine.client();
  readonly streams: FakeStream[] = [];
  readonly ended: string[] = [];
  readonly meter: UsageMeter;
  readonly monthly: MonthlyUsage;
  limits: AppLimits = NO_LIMITS;
  tasks = 0;
  recordings = 0;
  bytesOut = 0;

  constructor(id: string, run = id) {
    const { store, bus, clock } = this.client;
    this.monthly = new MonthlyUsage({ store, nodeId: id, run, log: pino({ level: 'silent' }) });
    this.meter = new UsageMeter({
      nodeId: id,
      hub: { streams: () => this.streams.map((stream) => asLive(stream)) },
      bus,
      limitsOf: () => this.limits,
      outputs: () => [{ addBytesSent: (to: AppBytes) => to.add('live', this.bytesOut) }],
      tasksByApp: () => new Map([['live', this.tasks]]),
      recordingsByApp: () => new Map([['live', this.recordings]]),
      tooMuch: (path) => this.ended.push(path),
      monthly: this.monthly,
      clock,
    });
    this.meter.start();
  }

  add(name: string, protocol: PublisherInfo['protocol'], viewers: number): FakeStream {
    const stream: FakeStream = {
      ref: streamRef('live', name),
      publisher: { protocol, address: '', agent: '' },
      viewers: new Map([['flv', viewers]]),
      state: 'live',
      startedWallMs: wallMs(this.streams.length + 1),
      bytesIn: 0,
    };
    this.streams.push(stream);
    return stream;
  }

  /** Nobody hears it any more. */
  cut(): void {
    this.client.cut();
  }

  get viewers(): number {
    return this.meter.usageOf('live').viewers;
  }
}

const live = new WeakMap<FakeStream, LiveStream>();

/** The same object each time: it is what a meter knows a stream by. */
function asLive(stream: FakeStream): LiveStream {
  const known = live.get(stream);
  if (known !== undefined) return known;
  const made = { ...stream, counts: () => ({ bytesIn: stream.bytesIn }), stats: () => ({ bitrateBps: 1_000 }) } as unknown as LiveStream;
  live.set(stream, made);
  return made;
}

/** Lets time pass for the engine and all that waits for it. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    vi.advanceTimersByTime(1_000);
    for (let slice = 0; slice < 20; slice++) {
      engine.advance(50);
      // What waits for the store goes on between its answers.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  }
}

describe('what apps use in a cluster', () => {
  it('is the same sum on all nodes, and no stream or viewer is in it twice', async () => {
    const [one, two, three] = [new MeteredNode('n1'), new MeteredNode('n2'), new MeteredNode('n3')];
    one.add('show', 'rtmp', 2);
    two.add('show', 'relay', 3);
    await pass(4);
    for (const { meter } of [one, two, three]) expect(meter.usageOf('live')).toMatchObject({ streams: 1, viewers: 5, bitrateInBps: 1_000 });
    expect([...three.meter.apps()]).toContain('live');
    two.streams[0]?.viewers.set('hls', 4);
    await pass(4);
    expect([one.viewers, two.viewers, three.viewers]).toEqual([9, 9, 9]);
  });

  it('is that of a node no more which says so, or is silent', async () => {
    const [one, two, three] = [new MeteredNode('n1'), new MeteredNode('n2'), new MeteredNode('n3')];
    two.add('show', 'relay', 3);
    three.add('show', 'relay', 4);
    await pass(4);
    expect(one.viewers).toBe(7);
    three.meter.close();
    await pass(1);
    expect(one.viewers).toBe(3);
    two.cut();
    await pass(8);
    expect(one.viewers).toBe(0);
  });

  it('of this node counts at once', async () => {
    const one = new MeteredNode('n1');
    const stream = one.add('show', 'rtmp', 1);
    expect(one.viewers).toBe(1);
    stream.viewers.set('flv', 2);
    expect(one.viewers).toBe(2);
  });

  it('is also told as it was measured last, without a look at the streams', async () => {
    const one = new MeteredNode('n1');
    const stream = one.add('show', 'rtmp', 1);
    expect(one.meter.lastUsageOf('live')).toMatchObject({ streams: 0, viewers: 0 });
    await pass(1);
    stream.viewers.set('flv', 5);
    expect(one.meter.lastUsageOf('live')).toMatchObject({ streams: 1, viewers: 1, bitrateInBps: 1_000 });
    await pass(1);
    expect(one.meter.lastUsageOf('live')).toEqual(one.meter.usageOf('live'));
  });
});

describe('what apps have used in a month', () => {
  it('is summed over all nodes, where it came in and went out', async () => {
    const [one, two] = [new MeteredNode('n1'), new MeteredNode('n2')];
    const stream = one.add('show', 'rtmp', 0);
    const relayed = two.add('show', 'relay', 1);
    two.tasks = 2;
    await pass(1);
    stream.bytesIn = 1_000;
    relayed.bytesIn = 1_000;
    two.bytesOut = 500;
    await pass(125);
    for (const { meter } of [one, two]) expect(meter.monthOf('live')).toMatchObject({ bytesIn: 1_000, bytesOut: 500 });
    const { transcodeMs, viewerMs } = one.meter.monthOf('live');
    // The other node's are as old as its last writing.
    expect(transcodeMs).toBeGreaterThanOrEqual(2 * 60_000);
    expect(viewerMs).toBe(transcodeMs / 2);
  });

  it('outlives the store being away and the process ending, and is counted once', async () => {
    const one = new MeteredNode('n1', 'first');
    const watcher = new MeteredNode('n2');
    await pass(1);
    one.bytesOut = 100;
    await pass(61);
    expect(watcher.meter.monthOf('live').bytesOut).toBe(100);
    engine.stop();
    one.bytesOut = 300;
    await pass(70);
    engine.start();
    await pass(70);
    expect(watcher.meter.monthOf('live').bytesOut).toBe(300);
    one.bytesOut = 310;
    one.meter.close();
    void one.monthly.close();
    await pass(2);
    const again = new MeteredNode('n1', 'second');
    await pass(2);
    again.bytesOut = 5;
    await pass(62);
    expect(again.meter.monthOf('live').bytesOut).toBe(315);
    expect(watcher.meter.monthOf('live').bytesOut).toBe(315);
  });
});

it('a node ends without waiting long for a store that is away', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  const one = new MeteredNode('n1');
  await pass(2);
  engine.stop();
  one.bytesOut = 100;
  one.meter.close();
  let isClosed = false;
  void one.monthly.close().then(() => {
    isClosed = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isClosed).toBe(true);
});

describe('limits that a meter keeps', () => {
  it('end the newest stream of all nodes when they send too much', async () => {
    const [one, two] = [new MeteredNode('n1'), new MeteredNode('n2')];
    for (const node of [one, two]) node.limits = { ...NO_LIMITS, bitrateInBps: 2_500 };
    one.add('a', 'rtmp', 0);
    two.add('b', 'rtmp', 0);
    await pass(8);
    expect([one.ended, two.ended]).toEqual([[], []]);
    two.add('c', 'rtmp', 0);
    await pass(10);
    expect([one.ended, two.ended]).toEqual([[], ['live/c']]);
    expect(two.meter.wasTooMuch('live/c')).toBe(true);
  });

  it('say when the transcode minutes of a month are used up', async () => {
    const one = new MeteredNode('n1');
    one.limits = { ...NO_LIMITS, transcodeMinutes: 1 };
    one.tasks = 2;
    await pass(20);
    expect(one.meter.isExhausted('live', 'transcodeMinutes')).toBe(false);
    await pass(15);
    expect(one.meter.isExhausted('live', 'transcodeMinutes')).toBe(true);
    expect(one.meter.isExhausted('live', 'recordingMinutes')).toBe(false);
  });

  it('say when the recording minutes of a month are used up, of all nodes together', async () => {
    const [one, two] = [new MeteredNode('n1'), new MeteredNode('n2')];
    for (const node of [one, two]) node.limits = { ...NO_LIMITS, recordingMinutes: 2 };
    two.recordings = 3;
    await pass(30);
    expect(two.meter.isExhausted('live', 'recordingMinutes')).toBe(false);
    await pass(15);
    expect(two.meter.isExhausted('live', 'recordingMinutes')).toBe(true);
    // The other node's are as old as its last writing.
    await pass(30);
    expect(one.meter.isExhausted('live', 'recordingMinutes')).toBe(true);
    expect(one.meter.isExhausted('live', 'transcodeMinutes')).toBe(false);
    one.limits = { ...NO_LIMITS, recordingMinutes: 1_000 };
    await pass(1);
    expect(one.meter.isExhausted('live', 'recordingMinutes')).toBe(false);
  });
});
