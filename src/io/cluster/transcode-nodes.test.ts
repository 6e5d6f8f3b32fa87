import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ladder } from '../../transcode/mod.ts';
import { makeSource, type Source } from '../transcode/test-media.fixture.ts';
import { StreamCluster } from './stream-cluster.fixture.ts';
import type { StreamNode } from './stream-node.fixture.ts';
import { flows, LADDER, makeShow, RUNG, rungOf, WAIT, watch } from './watched-rung.fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

let source: Source;
beforeAll(async () => {
  source = await makeShow();
});

let cluster: StreamCluster;
beforeEach(async () => {
  cluster = await StreamCluster.make(LADDER);
});
afterEach(() => cluster.close());

const publish = (node: StreamNode): void => void cluster.publish(node, source);

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

  it('goes on with the next part, and not with the next keyframe of the source, where its maker died', async () => {
    const seconds = 60;
    const long = await makeSource({
      video: { codec: 'h264', width: 320, height: 180, frameRate: 10, keyframeEvery: 10 * seconds, bFrames: 2, preset: 'ultrafast' },
      audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
      seconds,
    });
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const makers = [await cluster.node({ id: 'a', role: 'transcode' }), await cluster.node({ id: 'b', role: 'transcode' })];
    const edge = await cluster.node({ id: 'edge', role: 'edge' });
    cluster.publish(origin, long, seconds);
    await watch(edge);
    const playlist = (): string => edge.hls.get(RUNG)?.playlist ?? '';
    /** By how many makers the one segment is, of which each begins with a keyframe. */
    const makersSeen = async (count: number): Promise<void> => {
      const parts = '(?:#EXT-X-PART:(?!.*(?:GAP|INDEPENDENT)).*\\n)';
      const another = `(?:#EXT-X-PART:.*,GAP=YES\\n)+#EXT-X-PART:.*,INDEPENDENT=YES\\n${parts}+`;
      const whole = new RegExp(`INDEPENDENT=YES\\n${parts}+(?:${another}){${count - 1}}#EXT-X-PRELOAD-HINT`);
      await vi.waitFor(() => expect(playlist()).toMatch(whole), WAIT);
      expect(playlist().match(/#EXT-X-PROGRAM-DATE-TIME/g)).toHaveLength(1);
    };
    await makersSeen(1);
    const first = makers.find(({ transcoding }) => transcoding.tasksRunning === 1);
    const second = makers.find((maker) => maker !== first);
    await first?.kill();
    await makersSeen(2);
    await second?.kill();
    await makersSeen(3);
    expect(origin.transcoding.tasksRunning).toBe(1);
  });

  it('comes into another region once, and from there', async () => {
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
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    await cluster.node({ id: 'maker', role: 'transcode', tasksMax: 0, tasksMaxSaid: 4 });
    publish(origin);
    await watch(origin);
    await flows(origin);
    expect(rungOf(origin)).toMatchObject({ condition: 'running', by: undefined });
    expect(rungOf(origin)?.reason).toContain("node maker refused: the server's limit of 0 transcoding tasks is reached");
  });

  it('is made here, which says why, when the ladder of the transcode node has no such rung', async () => {
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const other: Ladder = { ...LADDER, rungs: LADDER.rungs.map((rung) => ({ ...rung, name: 'other' })) };
    await cluster.node({ id: 'maker', role: 'transcode', ladder: other });
    publish(origin);
    await watch(origin);
    await flows(origin);
    expect(rungOf(origin)?.reason).toContain('has no rung 90p');
  });

  it('is placed while the store is away, too', async () => {
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
