import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { mediaTime, streamRef, ticksToMs } from '../../core/mod.ts';
import type { Publication } from '../../hub/mod.ts';
import type { Ladder } from '../../transcode/mod.ts';
import { systemClock } from '../clock.ts';
import { TestCa } from '../relay/relay-certificates.fixture.ts';
import { makeSource, type Source } from '../transcode/test-media.fixture.ts';
import { StreamNode, type StreamNodeOptions, TestMembers } from './stream-node.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });
const WAIT = { timeout: 20_000, interval: 20 };
const PATH = 'live/show';
const RUNG = '90p';
const ladder: Ladder = {
  rungs: [{ name: RUNG, kind: 'video', height: 90, codec: 'h264', bitrateBps: 100_000, preset: 'ultrafast', encoder: 'libx264' }],
  always: false,
  lingerMs: 500,
};

let ca: TestCa;
let source: Source;
beforeAll(async () => {
  ca = await TestCa.make();
  source = await makeSource({
    video: { codec: 'h264', width: 320, height: 180, frameRate: 25, keyframeEvery: 25 },
    audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
    seconds: 4,
  });
});

const endings: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Nodes over one store in memory, which goes by the real clock. */
class Cluster {
  readonly engine = new MemoryEngine();
  readonly members = new TestMembers();

  constructor() {
    let at = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      this.engine.advance(now - at);
      at = now;
    }, 2);
    endings.push(() => clearInterval(timer));
  }

  async node(options: Omit<StreamNodeOptions, 'ladder'> & { readonly ladder?: Ladder }): Promise<StreamNode> {
    const node = await StreamNode.start({ ladder, ...options }, await ca.issue(options.id), this.engine, this.members);
    endings.push(() => node.close());
    return node;
  }
}

/** Publishes the source over and over, at the pace of its times. */
function publish({ hub }: StreamNode): void {
  const publisher = { protocol: 'rtmp', address: '127.0.0.1', agent: '' } as const;
  const now = [systemClock.monotonic(), systemClock.wall()] as const;
  const publication = hub.publish(streamRef('live', 'show'), publisher, { evicted: () => undefined }, 'reject', ...now) as Publication;
  const startMs = performance.now();
  const firstMs = ticksToMs(source.frames[0]?.dts ?? mediaTime(0), source.frames[0]?.track.timescale ?? 1);
  const roundMs = 4_000;
  let next = 0;
  const timer = setInterval(() => {
    for (;;) {
      const frame = source.frames[next % source.frames.length];
      if (frame === undefined) return;
      const round = Math.floor(next / source.frames.length);
      const { timescale } = frame.track;
      const atMs = ticksToMs(frame.dts, timescale) - firstMs + round * roundMs;
      if (startMs + atMs > performance.now()) return;
      const shift = (round * roundMs * timescale) / 1_000;
      const shifted = { ...frame, dts: mediaTime(frame.dts + shift), pts: mediaTime(frame.pts + shift) };
      publication.write(shifted, systemClock.monotonic(), systemClock.wall());
      next++;
    }
  }, 5);
  endings.push(() => clearInterval(timer));
}

const watch = (node: StreamNode, rendition = RUNG): Promise<void> =>
  vi.waitFor(() => expect(node.watch(PATH, rendition), `${node.id} has ${rendition}`).toBe(true), WAIT);
const segmentsOf = (node: StreamNode): readonly string[] => node.hls.get(RUNG)?.playlist.match(/^\d+\.m4s$/gm) ?? [];
/** Waits for further segments of the rung. */
async function flows(node: StreamNode, count = 2): Promise<void> {
  const before = Number.parseInt(segmentsOf(node).at(-1) ?? '-1', 10);
  await vi.waitFor(() => {
    const fresh = segmentsOf(node).filter((name) => Number.parseInt(name, 10) > before);
    expect(fresh.length, `${node.id}: segments behind ${before} in ${node.hls.get(RUNG)?.playlist}`).toBeGreaterThanOrEqual(count);
  }, WAIT);
}
const rungOf = ({ transcoding }: StreamNode) => transcoding.rungsOf(PATH).find(({ planned }) => planned.rung.name === RUNG);

/** All files of the rung that two nodes have are the same. */
function expectSame(left: StreamNode, right: StreamNode): void {
  const files = left.hls.get(RUNG)?.files ?? new Map<string, string>();
  const common = [...files].filter(([name]) => right.hls.get(RUNG)?.files.has(name));
  expect(common.length).toBeGreaterThan(4);
  for (const [name, bytes] of common)
    expect(right.hls.get(RUNG)?.files.get(name) === bytes, `${name} on ${left.id} and ${right.id}`).toBe(true);
}

describe('a rung of a stream whose origin has no role for transcoding', () => {
  it('is made on a transcode node, once for all, and byte-identical wherever it is watched', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode' });
    const edge = await cluster.node({ id: 'edge', role: 'edge' });
    publish(origin);
    await watch(edge);
    await flows(edge);
    // The edge pulls it straight from there, so the origin has nobody who wants it.
    expect(edge.upstreams).toContain('maker');
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'offered', by: undefined }), WAIT);
    await Promise.all([watch(origin), watch(maker)]);
    await Promise.all([flows(origin, 3), flows(maker, 3), flows(edge, 3)]);
    expect([origin, maker, edge].map(({ transcoding }) => transcoding.tasksRunning)).toEqual([0, 1, 0]);
    expect(rungOf(origin)).toMatchObject({ condition: 'running', by: 'maker' });
    expect(rungOf(maker)).toMatchObject({ condition: 'running', by: undefined });
    expectSame(maker, edge);
    expectSame(maker, origin);
  });

  it('goes on at another transcode node, and at last on the origin itself, as nodes die', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const makers = [await cluster.node({ id: 'a', role: 'transcode' }), await cluster.node({ id: 'b', role: 'transcode' })];
    const edge = await cluster.node({ id: 'edge', role: 'edge' });
    publish(origin);
    await watch(edge);
    await flows(edge);
    const first = makers.find(({ transcoding }) => transcoding.tasksRunning === 1);
    const second = makers.find((maker) => maker !== first);
    await first?.kill();
    await flows(edge);
    expect(second?.transcoding.tasksRunning).toBe(1);
    await second?.kill();
    await flows(edge);
    await watch(origin);
    expect(origin.transcoding.tasksRunning).toBe(1);
    expect(rungOf(origin)).toMatchObject({ condition: 'running', by: undefined });
    expect(rungOf(origin)?.reason).toMatch(/node [ab]/);
    await flows(edge, 3);
    expectSame(origin, edge);
  });

  it('comes into another region once, and from there', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode' });
    const far = [
      await cluster.node({ id: 'far1', role: 'edge', region: 'us' }),
      await cluster.node({ id: 'far2', role: 'edge', region: 'us' }),
    ];
    publish(origin);
    await Promise.all(far.map((edge) => watch(edge)));
    await Promise.all(far.map((edge) => flows(edge)));
    expect(far.filter(({ upstreams }) => upstreams.includes('maker'))).toHaveLength(1);
    expect(far.filter(({ upstreams }) => upstreams.includes('origin'))).toHaveLength(1);
    await watch(maker);
    await Promise.all([maker, ...far].map((node) => flows(node, 3)));
    for (const edge of far) expectSame(maker, edge);
  });

  it('leaves a node that drains', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode' });
    publish(origin);
    await watch(origin);
    await flows(origin);
    expect(rungOf(origin)?.by).toBe('maker');
    cluster.members.set('maker', { status: 'draining' });
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'running', by: undefined }), WAIT);
    await flows(origin);
    await vi.waitFor(() => expect(maker.transcoding.tasksRunning).toBe(0), WAIT);
  });

  it('is made here, which says why, when the transcode node has no task left', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    await cluster.node({ id: 'maker', role: 'transcode', tasksMax: 0, tasksMaxSaid: 4 });
    publish(origin);
    await watch(origin);
    await flows(origin);
    expect(rungOf(origin)).toMatchObject({ condition: 'running', by: undefined });
    expect(rungOf(origin)?.reason).toContain("node maker refused: the server's limit of 0 transcoding tasks is reached");
  });

  it('is made here, which says why, when the ladder of the transcode node has no such rung', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const other: Ladder = { ...ladder, rungs: ladder.rungs.map((rung) => ({ ...rung, name: 'other' })) };
    await cluster.node({ id: 'maker', role: 'transcode', ladder: other });
    publish(origin);
    await watch(origin);
    await flows(origin);
    expect(rungOf(origin)?.reason).toContain('has no rung 90p');
  });

  it('is placed while the store is away, too', async () => {
    const cluster = new Cluster();
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode' });
    publish(origin);
    await watch(maker, 'source');
    cluster.engine.stop();
    await watch(origin);
    await flows(origin, 4);
    expect([origin.transcoding.tasksRunning, maker.transcoding.tasksRunning]).toEqual([0, 1]);
  });
});
