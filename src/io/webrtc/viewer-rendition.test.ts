import { beforeEach, describe, expect, it } from 'vitest';
import { bitrateBps, type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import type { FrameSource, LiveStream, Rendition } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import type { BandwidthEstimator } from '../../protocols/rtp/mod.ts';
import type { Kernel } from './kernel.ts';
import type { BroadcastViewer, StreamBroadcast, StreamBroadcasts } from './stream-broadcasts.ts';
import { ViewerRendition } from './viewer-rendition.ts';

const FLOW = 7;
const OFFSET = 0xffff_0000;
const SECOND = 90_000;

const track = (height: number, codec: Track['codec'] = 'h264'): Track =>
  ({
    kind: 'video',
    id: 1,
    codec,
    codecString: codec,
    timescale: SECOND,
    config: new Uint8Array(),
    width: (height * 16) / 9,
    height,
  }) as Track;

/** A flow as the kernel has it, as far as a change of rendition looks. */
class FakeKernel {
  readonly done: string[] = [];
  packets = 100;
  /** With the flow's offset. */
  lastTimestamp = OFFSET;
  nextSequenceNumber = 1_000;

  flowStats(): { packets: number; lastTimestamp: number; nextSequenceNumber: number } {
    return { packets: this.packets, lastTimestamp: this.lastTimestamp, nextSequenceNumber: this.nextSequenceNumber };
  }

  pauseFlow(_flow: number, isPaused: boolean): void {
    this.done.push(isPaused ? 'hold' : 'release');
  }

  take(): string[] {
    return this.done.splice(0);
  }
}

/** A broadcast of which a test says what it carries and when a keyframe comes. */
class FakeBroadcast implements StreamBroadcast {
  readonly viewers = new Set<BroadcastViewer>();
  wishes = 0;
  readonly rtp: StreamBroadcast['rtp'];

  constructor(name: string, kernel: FakeKernel, source: () => readonly Track[]) {
    this.rtp = {
      carried: () => source().find(({ kind }) => kind === 'video'),
      takeFlow: (flow: number, offset: number) => kernel.done.push(`${flow} to ${name} by ${offset}`),
    } as unknown as StreamBroadcast['rtp'];
  }

  requestKeyframe(): void {
    this.wishes++;
  }

  remove(viewer: BroadcastViewer): void {
    this.viewers.delete(viewer);
  }
}

interface FakeRendition {
  tracks: Track[];
  bitrate: number;
}

/** A stream of 720p with the renditions that a test puts in, and one viewer of it. */
class Bench {
  readonly kernel = new FakeKernel();
  readonly renditions = new Map<string, Rendition>();
  readonly broadcasts = new Map<FrameSource | string, FakeBroadcast>();
  readonly estimator = {
    estimateBps: bitrateBps(2_000_000),
    usage: 'normal',
    proven: 0,
    wantedBps: bitrateBps(0),
    provenBps: () => 0,
    wantsProbe: () => undefined,
  };
  readonly main: FakeBroadcast;
  readonly viewer: BroadcastViewer = { trackChanged: () => undefined, keyframe: () => undefined, broadcastEnded: () => undefined };
  sourceTracks: Track[] = [track(720)];
  sourceBps = 1_500_000;
  now = 0;
  readonly choice: ViewerRendition;

  constructor() {
    this.main = new FakeBroadcast('source', this.kernel, () => this.sourceTracks);
    const stream = { renditions: this.renditions, stats: () => ({ bitrateBps: this.sourceBps }) };
    const broadcasts = {
      join: (source: FrameSource, viewer: BroadcastViewer) => {
        const broadcast = this.broadcasts.get(source) as FakeBroadcast;
        broadcast.viewers.add(viewer);
        return broadcast;
      },
    };
    this.choice = new ViewerRendition(
      { name: 'source', broadcast: this.main },
      {
        stream: stream as unknown as LiveStream,
        main: this.main,
        broadcasts: broadcasts as unknown as StreamBroadcasts,
        kernel: this.kernel as unknown as Kernel,
        session: 1,
        viewer: this.viewer,
        codec: 'h264',
        timestampOffset: OFFSET,
      },
      monotonicMs(0),
    );
  }

  /** `expected`: it is offered, and made when somebody watches. */
  add(name: string, height: number, bitrate: number, { isExpected = false, codec = 'h264' as Track['codec'] } = {}): FakeRendition {
    const fake: FakeRendition = { tracks: isExpected ? [] : [track(height, codec)], bitrate };
    const rendition = {
      name,
      kind: 'video',
      get tracks() {
        return fake.tracks;
      },
      expected: isExpected ? { codec, codecString: codec, width: (height * 16) / 9, height, bitrateBps: bitrate } : undefined,
      stats: () => ({ bitrateBps: fake.bitrate }),
    } as unknown as Rendition;
    this.renditions.set(name, rendition);
    const broadcast = new FakeBroadcast(name, this.kernel, () => fake.tracks);
    this.broadcasts.set(rendition, broadcast);
    this.broadcasts.set(name, broadcast);
    return fake;
  }

  of(name: string): FakeBroadcast {
    return name === 'source' ? this.main : (this.broadcasts.get(name) as FakeBroadcast);
  }

  /** A keyframe so many seconds of media after the last picture that was sent when the test began. */
  keyframe(name: string, seconds: number): void {
    this.choice.keyframe(this.of(name), seconds * SECOND);
  }

  tick(ms: number): void {
    this.now += ms;
    this.choice.tick(this.estimator as unknown as BandwidthEstimator, this.now as MonotonicMs);
  }

  joined(name: string): boolean {
    return this.of(name).viewers.has(this.viewer);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.add('l', 180, 200_000);
  bench.choice.begin(FLOW);
});

describe('the rendition that a viewer asked for', () => {
  it('is sent from its next keyframe on, with the offset that the flow has', () => {
    expect(bench.choice.select('l')).toBe(true);
    expect(bench.joined('l')).toBe(true);
    expect(bench.kernel.take()).toEqual([]);
    expect(bench.choice.read()).toMatchObject({ active: 'source', automatic: false, reason: 'pinned' });
    bench.keyframe('l', 1);
    expect(bench.kernel.take()).toEqual([`7 to l by ${OFFSET}`]);
    expect(bench.choice.read()).toMatchObject({ active: 'l', automatic: false, reason: 'pinned' });
    bench.keyframe('l', 2);
    bench.keyframe('source', 2);
    expect(bench.kernel.take()).toEqual([]);
  });

  it('is left again, with the broadcast that was joined for it', () => {
    bench.choice.select('l');
    bench.keyframe('l', 1);
    bench.choice.select('source');
    bench.keyframe('source', 2);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l'), expect.stringContaining('to source')]);
    expect(bench.joined('l')).toBe(false);
  });

  it('has to be there', () => {
    bench.add('hevc', 360, 300_000, { codec: 'hevc' });
    for (const name of ['', 'L', 'hevc', 'none']) expect(bench.choice.select(name)).toBe(false);
    expect(bench.choice.read()).toMatchObject({ active: 'source', automatic: true });
  });

  it('is kept whatever the bandwidth is, and nothing is probed for', () => {
    bench.choice.select('l');
    bench.keyframe('l', 1);
    bench.kernel.take();
    for (let round = 0; round < 100; round++) bench.tick(200);
    expect(bench.estimator.wantedBps).toBe(0);
    bench.keyframe('source', 2);
    expect(bench.choice.read().active).toBe('l');
    bench.choice.select(undefined);
    bench.tick(200);
    expect(bench.estimator.wantedBps).toBeGreaterThan(0);
    bench.keyframe('source', 3);
    expect(bench.choice.read()).toMatchObject({ active: 'source', automatic: true, reason: 'highest' });
  });

  it('is sent from the beginning where it was chosen before the connection', () => {
    const early = new Bench();
    early.add('l', 180, 200_000);
    expect(early.choice.select('l')).toBe(true);
    expect(early.joined('l')).toBe(false);
    early.choice.begin(FLOW);
    early.keyframe('l', 1);
    expect(early.kernel.take()).toEqual([expect.stringContaining('to l')]);
  });

  it('gives the choice back to the server when it is over', () => {
    bench.choice.select('l');
    bench.keyframe('l', 1);
    bench.kernel.take();
    bench.renditions.delete('l');
    expect(bench.choice.ended(bench.of('l'))).toBe(true);
    expect(bench.choice.read()).toMatchObject({ automatic: true, layers: [{ encodingId: 'source' }] });
    bench.keyframe('source', 2);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to source')]);
    expect(bench.choice.read().active).toBe('source');
  });
});

describe('a change of rendition', () => {
  it('goes forward in time only: the keyframe of a moment that was sent already is not for this viewer', () => {
    bench.choice.select('l');
    for (const seconds of [0, -1]) bench.keyframe('l', seconds);
    expect(bench.kernel.take()).toEqual([]);
    bench.keyframe('l', 2);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l')]);
  });

  it('keeps the old pictures back when their keyframe comes first', () => {
    bench.choice.select('l');
    bench.keyframe('source', 1);
    expect(bench.kernel.take()).toEqual(['hold']);
    bench.keyframe('source', 1.5);
    bench.keyframe('l', 1);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l'), 'release']);
  });

  it('keeps them back for less than a second, and tries that rendition no more for a while', () => {
    bench.estimator.estimateBps = bitrateBps(300_000);
    bench.tick(3_000);
    bench.keyframe('source', 1);
    expect(bench.kernel.take()).toEqual(['hold']);
    for (let ms = 0; ms <= 900; ms += 100) bench.tick(100);
    expect(bench.kernel.take()).toEqual(['release']);
    expect(bench.joined('l')).toBe(false);
    bench.keyframe('l', 1);
    for (let ms = 0; ms < 9_000; ms += 100) bench.tick(100);
    expect(bench.joined('l')).toBe(false);
    bench.choice.select('l');
    bench.keyframe('l', 2);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l')]);
  });

  it('is tried again soon where the viewer asked for it', () => {
    bench.tick(3_000);
    bench.choice.select('l');
    bench.keyframe('source', 1);
    for (let ms = 0; ms <= 900; ms += 100) bench.tick(100);
    expect(bench.kernel.take()).toEqual(['hold', 'release']);
    expect(bench.joined('l')).toBe(false);
    for (let ms = 0; ms < 1_200; ms += 100) bench.tick(100);
    expect(bench.joined('l')).toBe(true);
    bench.keyframe('l', 3);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l')]);
  });

  it('is given up when the viewer thinks better of it', () => {
    bench.choice.select('l');
    bench.keyframe('source', 1);
    bench.choice.select('source');
    expect(bench.kernel.take()).toEqual(['hold', 'release']);
    expect(bench.joined('l')).toBe(false);
    bench.choice.select('l');
    bench.choice.select(undefined);
    expect(bench.joined('l')).toBe(false);
  });

  it('is given up when the new rendition ends first', () => {
    bench.choice.select('l');
    bench.keyframe('source', 1);
    bench.renditions.delete('l');
    expect(bench.choice.ended(bench.of('l'))).toBe(true);
    expect(bench.kernel.take()).toEqual(['hold', 'release']);
    bench.keyframe('source', 2);
    expect(bench.kernel.take()).toEqual([]);
  });

  it('waits for a rendition that is made on demand with the old pictures, and needs no size to be known', () => {
    const made = bench.add('90p', 90, 100_000, { isExpected: true });
    bench.choice.select('90p');
    expect(bench.joined('90p')).toBe(true);
    for (const seconds of [1, 2]) bench.keyframe('source', seconds);
    expect(bench.kernel.take()).toEqual([]);
    made.tracks = [track(90)];
    bench.kernel.lastTimestamp = (2 * SECOND + OFFSET) >>> 0;
    bench.keyframe('90p', 2);
    expect(bench.kernel.take()).toEqual([]);
    bench.keyframe('source', 3);
    bench.keyframe('90p', 3);
    expect(bench.kernel.take()).toEqual(['hold', expect.stringContaining('to 90p'), 'release']);
  });

  it('asks for keyframes where the pictures are to come from', () => {
    bench.choice.requestKeyframe(monotonicMs(0));
    bench.choice.select('l');
    bench.choice.requestKeyframe(monotonicMs(0));
    expect([bench.main.wishes, bench.of('l').wishes]).toEqual([1, 1]);
  });

  it('leaves what it joined when the viewer goes', () => {
    bench.choice.select('l');
    bench.choice.close();
    expect(bench.joined('l')).toBe(false);
  });

  it('is not to be had when the only rendition ends', () => {
    bench.sourceTracks = [];
    bench.choice.select('l');
    bench.keyframe('l', 1);
    bench.renditions.clear();
    expect(bench.choice.ended(bench.of('l'))).toBe(false);
  });
});

describe('the bandwidth', () => {
  it('chooses what it carries, once it is known', () => {
    bench.estimator.estimateBps = bitrateBps(300_000);
    bench.tick(2_000);
    expect(bench.joined('l')).toBe(false);
    bench.tick(1_000);
    bench.keyframe('l', 1);
    expect(bench.choice.read()).toMatchObject({ active: 'l', automatic: true, reason: 'start' });
  });
});

describe('a path that becomes much too narrow', () => {
  const narrow = (): void => {
    bench.estimator.estimateBps = bitrateBps(300_000);
    bench.estimator.usage = 'overuse';
    bench.tick(100);
  };
  beforeEach(() => bench.tick(3_000));

  it('gets nothing more but a keyframe of what it carries, which is asked for', () => {
    narrow();
    expect(bench.kernel.take()).toEqual(['hold']);
    expect(bench.of('l').wishes).toBe(1);
    bench.keyframe('l', 0.1);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to l'), 'release']);
    expect(bench.choice.read()).toMatchObject({ active: 'l', reason: 'estimate-below-bitrate' });
  });

  it('is noticed before the estimate has settled, but not during the burst that a newcomer gets', () => {
    const early = new Bench();
    bench = early;
    bench.add('l', 180, 200_000);
    bench.choice.begin(FLOW);
    narrow();
    expect(bench.kernel.take()).toEqual([]);
    bench.tick(1_000);
    expect(bench.kernel.take()).toEqual(['hold']);
  });

  it('is not meant where it carries nearly what is sent', () => {
    bench.estimator.estimateBps = bitrateBps(1_400_000);
    bench.estimator.usage = 'overuse';
    bench.tick(100);
    expect(bench.joined('l')).toBe(true);
    expect(bench.kernel.take()).toEqual([]);
  });

  it('has what was sent before not sent again, which the keyframe does without', () => {
    const asked = (...numbers: number[]): number[] => {
      const sequenceNumbers = Uint16Array.from(numbers);
      return [...sequenceNumbers.subarray(0, bench.choice.stillNeeded(sequenceNumbers, numbers.length))];
    };
    expect(asked(998, 1_001)).toEqual([998, 1_001]);
    narrow();
    expect(asked(998, 1_001)).toEqual([1_001]);
    bench.keyframe('l', 0.1);
    expect(asked(998, 1_001)).toEqual([1_001]);
    bench.tick(100);
    bench.tick(2_000);
    expect(asked(998, 1_001)).toEqual([998, 1_001]);
  });

  it('goes on with the old pictures at their next keyframe where the smaller ones are not made yet', () => {
    bench.renditions.clear();
    const made = bench.add('90p', 90, 100_000, { isExpected: true });
    narrow();
    expect(bench.kernel.take()).toEqual(['hold']);
    expect(bench.of('90p').wishes).toBe(0);
    bench.keyframe('source', 1);
    expect(bench.kernel.take()).toEqual(['release']);
    bench.tick(100);
    expect(bench.kernel.take()).toEqual(['hold']);
    // What was in the way of it comes first, and then the keyframe that it was asked for.
    made.tracks = [track(90)];
    bench.keyframe('90p', 0);
    bench.tick(100);
    expect(bench.of('90p').wishes).toBe(1);
    bench.keyframe('90p', 1.5);
    expect(bench.kernel.take()).toEqual([expect.stringContaining('to 90p'), 'release']);
  });

  it('gets the old pictures back, from a keyframe on, when there is nothing smaller any more', () => {
    narrow();
    bench.renditions.delete('l');
    expect(bench.choice.ended(bench.of('l'))).toBe(true);
    expect(bench.kernel.take()).toEqual(['hold']);
    bench.tick(100);
    expect(bench.main.wishes).toBe(1);
    bench.keyframe('source', 1);
    expect(bench.kernel.take()).toEqual(['release']);
  });
});

describe('what there is to choose from', () => {
  it('is told best first, with sizes where they are known', () => {
    bench.add('90p', 90, 100_000, { isExpected: true });
    bench.add('m', 360, 500_000);
    bench.add('bare', 0, 50_000);
    bench.add('vp9', 360, 500_000, { codec: 'vp9' });
    expect(bench.choice.read()).toEqual({
      active: 'source',
      automatic: true,
      reason: 'start',
      layers: [
        { encodingId: 'source', width: 1280, height: 720, bitrate: 1_500_000, active: true },
        { encodingId: 'm', width: 640, height: 360, bitrate: 500_000, active: false },
        { encodingId: 'l', width: 320, height: 180, bitrate: 200_000, active: false },
        { encodingId: '90p', width: 160, height: 90, bitrate: 100_000, active: false },
        { encodingId: 'bare', bitrate: 50_000, active: false },
      ],
    });
  });
});
