import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ladder } from '../../transcode/mod.ts';
import { makeSource, type Source } from '../transcode/test-media.fixture.ts';
import { StreamCluster } from './stream-cluster.fixture.ts';
import type { StreamNode } from './stream-node.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });
const WAIT = { timeout: 20_000, interval: 20 };
const PATH = 'live/show';
const EDGES = 7;
const CHILDREN_MAX = 2;
const ladder: Ladder = { rungs: [], always: false, lingerMs: 500 };

let source: Source;
let cluster: StreamCluster;
beforeAll(async () => {
  source = await makeSource({
    video: { codec: 'h264', width: 160, height: 90, frameRate: 25, keyframeEvery: 25 },
    audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
    seconds: 4,
  });
});
beforeEach(async () => {
  cluster = await StreamCluster.make(ladder);
});
afterEach(() => cluster.close());

const watch = (node: StreamNode): Promise<void> =>
  vi.waitFor(() => expect(node.watch(PATH, 'source'), `${node.id} has the stream`).toBe(true), WAIT);
const segmentsOf = (node: StreamNode): readonly string[] => node.hls.get('source')?.playlist.match(/^\d+\.m4s$/gm) ?? [];
const newestOf = (node: StreamNode): number => Number.parseInt(segmentsOf(node).at(-1) ?? '-1', 10);
const flows = async (node: StreamNode): Promise<void> => {
  const before = newestOf(node);
  await vi.waitFor(() => expect(newestOf(node), `${node.id} goes on behind ${before}`).toBeGreaterThan(before + 1), WAIT);
};
const hopsOf = ({ streams }: StreamNode): readonly string[] => streams?.pathOf(PATH) ?? [];
const childrenOf = (holder: string, nodes: readonly StreamNode[]): StreamNode[] => nodes.filter((node) => hopsOf(node).at(-1) === holder);

describe('a stream that more nodes of a region want than one node may give it to', () => {
  it('comes to them as a tree, byte-identical, and goes on when a node in its middle dies', async () => {
    const shared = { relayChildrenMax: CHILDREN_MAX };
    const origin = await cluster.node({ id: 'origin', role: 'origin', ...shared });
    const edges: StreamNode[] = [];
    for (let at = 0; at < EDGES; at++) edges.push(await cluster.node({ id: `edge${at}`, role: 'edge', ...shared }));
    cluster.publish(origin, source);
    await watch(origin);
    await Promise.all(edges.map(watch));
    await Promise.all(edges.map(flows));

    for (const holder of [origin, ...edges]) expect(childrenOf(holder.id, edges).length, holder.id).toBeLessThanOrEqual(CHILDREN_MAX);
    expect(childrenOf('origin', edges)).toHaveLength(CHILDREN_MAX);
    const files = origin.hls.get('source')?.files;
    for (const edge of edges) {
      const common = [...(edge.hls.get('source')?.files ?? [])].filter(([name]) => files?.has(name));
      expect(common.length).toBeGreaterThan(4);
      for (const [name, bytes] of common) expect(files?.get(name) === bytes, `${name} on ${edge.id}`).toBe(true);
    }

    const doomed = childrenOf('origin', edges).find(({ id }) => childrenOf(id, edges).length > 0);
    await doomed?.kill();
    const left = edges.filter((edge) => edge !== doomed);
    await Promise.all(left.map(flows));
    for (const edge of left) expect(hopsOf(edge), edge.id).not.toContain(doomed?.id);
    for (const holder of [origin, ...left]) expect(childrenOf(holder.id, left).length, holder.id).toBeLessThanOrEqual(CHILDREN_MAX);
  });

  it('is given to nodes of other regions all the same', async () => {
    const origin = await cluster.node({ id: 'origin', role: 'origin', relayChildrenMax: 1 });
    const near = await cluster.node({ id: 'near', role: 'edge', relayChildrenMax: 1 });
    const far = await cluster.node({ id: 'far', role: 'edge', region: 'us', relayChildrenMax: 1 });
    cluster.publish(origin, source);
    await watch(near);
    await flows(near);
    await watch(far);
    await flows(far);
    expect([near, far].map(hopsOf)).toEqual([['origin'], ['origin']]);
  });
});
