import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { allocationOrders, encodeAllocationOrders } from '../../cluster/mod.ts';
import type { Source } from '../transcode/test-media.fixture.ts';
import { StreamCluster } from './stream-cluster.fixture.ts';
import type { StreamNode } from './stream-node.fixture.ts';
import { flows, LADDER, makeShow, PATH, RUNG, rungOf, WAIT, watch } from './watched-rung.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let source: Source;
beforeAll(async () => {
  source = await makeShow();
});

let cluster: StreamCluster;
beforeEach(async () => {
  cluster = await StreamCluster.make(LADDER);
});
const endings: (() => void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) end();
  await cluster.close();
});

const publish = (node: StreamNode): void => void cluster.publish(node, source);

describe('a rung in a cluster where somebody decides who makes what', () => {
  /** Says what was decided, over and over, as a manager does. Undefined: nothing about the rung. */
  function leader(): { node: string | undefined; isSilent: boolean; isAny: boolean } {
    const { bus } = cluster.engine.client();
    const decided = { node: undefined as string | undefined, isSilent: false, isAny: true };
    const timer = setInterval(() => {
      if (decided.isSilent) return;
      const order = {
        stream: PATH,
        rung: RUNG,
        node: decided.node,
        reason: decided.node === undefined ? 'limit' : 'room',
        message: 'as it was decided',
      };
      const orders = encodeAllocationOrders({ v: 1, epoch: 3, rungs: decided.isAny ? [order] : [] });
      for (const id of cluster.members.views.keys()) bus.publish(allocationOrders(id), orders);
    }, 100);
    endings.push(() => clearInterval(timer));
    return decided;
  }

  it('is made where it is to be made, goes to another node when that is decided, and back on its own when nobody decides', async () => {
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    await cluster.node({ id: 'first', role: 'transcode' });
    await cluster.node({ id: 'second', role: 'transcode' });
    const decided = leader();
    decided.node = 'first';
    publish(origin);
    await watch(origin);
    await flows(origin);
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'running', by: 'first' }), WAIT);
    decided.node = 'second';
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'running', by: 'second' }), WAIT);
    await flows(origin);
    decided.isSilent = true;
    cluster.members.set('second', { isStale: true });
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'running', by: 'first' }), WAIT);
    await flows(origin);
  });

  it('is withdrawn where it is not to be made, on all nodes, and offered again after that', async () => {
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode' });
    const edge = await cluster.node({ id: 'edge', role: 'edge' });
    const decided = leader();
    decided.node = 'maker';
    publish(origin);
    await watch(edge);
    await flows(edge);
    decided.node = undefined;
    await vi.waitFor(() => expect(rungOf(origin)).toMatchObject({ condition: 'refused', reason: 'as it was decided' }), WAIT);
    await vi.waitFor(() => expect([origin, edge].filter(({ hub }) => hub.stream(PATH)?.renditions.has(RUNG))).toEqual([]), WAIT);
    await vi.waitFor(() => expect(maker.transcoding.tasksRunning).toBe(0), WAIT);
    decided.isAny = false;
    await vi.waitFor(() => expect(edge.hub.stream(PATH)?.renditions.has(RUNG)).toBe(true), WAIT);
    edge.hls.delete(RUNG);
    await watch(edge);
    await flows(edge);
  });

  it('is made by its origin at last, when the node that is to make it cannot', async () => {
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const maker = await cluster.node({ id: 'maker', role: 'transcode', tasksMax: 0, tasksMaxSaid: 0 });
    const decided = leader();
    decided.node = 'maker';
    publish(origin);
    await watch(origin);
    // It refuses for want of tasks whatever was decided, and the origin does not ask it for ever.
    await flows(origin);
    expect(rungOf(origin)).toMatchObject({ condition: 'running', by: undefined });
    expect(maker.transcoding.tasksRunning).toBe(0);
  });
});
