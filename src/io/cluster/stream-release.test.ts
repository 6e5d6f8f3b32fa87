import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveStream, StreamEnd } from '../../hub/mod.ts';
import { systemClock } from '../clock.ts';
import { makeSource } from '../transcode/test-media.fixture.ts';
import { StreamCluster } from './stream-cluster.fixture.ts';
import type { StreamNode } from './stream-node.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });
const WAIT = { timeout: 20_000, interval: 20 };
const PATH = 'live/show';

let cluster: StreamCluster;
beforeEach(async () => {
  cluster = await StreamCluster.make({ rungs: [], always: false, lingerMs: 500 });
});
afterEach(() => cluster.close());

/** Brings the stream to a node, and takes its frames until it ends there. */
async function bring(node: StreamNode): Promise<{ readonly stream: LiveStream; readonly taken: { frames: number; end?: StreamEnd } }> {
  const stream = await vi.waitFor(() => {
    node.streams?.supply({ path: PATH, app: 'live', name: 'show' } as LiveStream['ref']);
    const brought = node.hub.stream(PATH);
    if (brought === undefined || brought.tracks.length === 0) throw new Error('it is on its way');
    return brought;
  }, WAIT);
  const taken: { frames: number; end?: StreamEnd } = { frames: 0 };
  stream.attach({
    tracks: () => undefined,
    frame: () => taken.frames++,
    paused: () => undefined,
    ended: (end) => {
      taken.end = end;
    },
  });
  return { stream, taken };
}

describe('a stream that a node pulls from another one', () => {
  it('is let go of when nobody watches it, comes back when somebody does, and is over only when its publisher has gone', async () => {
    const source = await makeSource({
      video: { codec: 'h264', width: 160, height: 90, frameRate: 25, keyframeEvery: 25 },
      audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
      seconds: 4,
    });
    const origin = await cluster.node({ id: 'origin', role: 'origin' });
    const edge = await cluster.node({ id: 'edge', role: 'edge', lingerMs: 300 });
    const publication = cluster.publish(origin, source);

    const unwatched = await bring(edge);
    await vi.waitFor(() => expect(unwatched.taken.end).toBe('released'), WAIT);
    expect(edge.hub.stream(PATH)).toBeUndefined();

    const watched = await bring(edge);
    watched.stream.viewers.set('hls', 1);
    const { frames } = watched.taken;
    await vi.waitFor(() => expect(watched.taken.frames).toBeGreaterThan(frames + 30), WAIT);
    publication.finish(systemClock.monotonic());
    await vi.waitFor(() => expect(watched.taken.end).toBe('over'), WAIT);
  });
});
