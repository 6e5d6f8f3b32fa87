import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, type PublishOptions, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const PATIENCE_MS = 60_000;
/** For as long as it takes a busy machine to publish some segments. */
const WINDOW_WAIT = { timeout: 60_000, interval: 50 };
const WINDOWS_PATIENCE_MS = 180_000;

let cluster: TestCluster;
let origin: TestNode;
let second: TestNode;
let near: TestNode;
let far: readonly TestNode[];
const publishers: FfmpegPublisher[] = [];
const viewers: FlvViewer[] = [];

beforeAll(async () => {
  const environment = { SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby' };
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  [origin, second] = [
    await cluster.join({ roles: ['origin'], region: 'eu', environment }),
    await cluster.join({ roles: ['origin'], region: 'eu', environment }),
  ];
  near = await cluster.join({ roles: ['edge'], region: 'eu' });
  far = [
    await cluster.join({ roles: ['edge'], region: 'us' }),
    await cluster.join({ roles: ['edge'], region: 'us' }),
    await cluster.join({ roles: ['edge'], region: 'us' }),
  ];
});
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.close();
  await Promise.all(publishers.splice(0).map((publisher) => publisher.close()));
});
afterAll(async () => {
  const codes = await cluster?.close();
  expect(codes?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo(node: TestNode, name: string, options: Partial<PublishOptions> = {}): Promise<FfmpegPublisher> {
  const publisher = await publish({ url: `${node.server.rtmpUrl}/live/${name}`, videoCodec: 'h264', audioCodec: 'aac', ...options });
  publishers.push(publisher);
  return publisher;
}

/** Watches by HTTP-FLV; the first request may come before the node knows of the stream. */
async function watch(node: TestNode, name: string): Promise<FlvViewer> {
  const viewer = await vi.waitFor(() => FlvViewer.open(`${node.server.httpUrl}/live/${name}.flv`), WAIT);
  viewers.push(viewer);
  await flows(viewer);
  return viewer;
}

/** Waits until more comes. */
async function flows(viewer: FlvViewer): Promise<void> {
  const before = viewer.bytes;
  await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(before + 20_000), WAIT);
}

const text = async (node: TestNode, path: string): Promise<string> => {
  const response = await fetch(`${node.server.httpUrl}/live/${path}`);
  expect(response.status).toBe(200);
  return response.text();
};
const digest = async (node: TestNode, path: string): Promise<string> => {
  const response = await fetch(`${node.server.httpUrl}/live/${path}`);
  expect(response.status).toBe(200);
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex');
};
/** From which node another one pulled the stream last. */
const upstreamOf = (node: TestNode, name: string): unknown =>
  node.server.log.findLast(({ code, stream }) => code === 'cluster.pull' && stream === `live/${name}`)?.['upstream'];
/** What the API says of a stream. */
interface StreamAnswer {
  readonly bitrateBps?: number;
  readonly places?: readonly { readonly node: string; readonly latency?: { readonly p50Ms: number } }[];
}

const segmentsOf = (playlist: string): readonly string[] => playlist.match(/^\d+\.m4s$/gm) ?? [];

/** Waits until these nodes list two segments or more, all of them from number `from` on, and compares the newest ones byte by byte. */
async function areAlike(nodes: readonly TestNode[], name: string, from = 0): Promise<void> {
  const names = await vi.waitFor(async () => {
    const playlists = await Promise.all(nodes.map((node) => text(node, `${name}/source/media.m3u8`)));
    const listed = playlists.map(segmentsOf);
    for (const segments of listed) {
      expect(segments.length).toBeGreaterThanOrEqual(2);
      expect(Number.parseInt(segments[0] ?? '', 10)).toBeGreaterThanOrEqual(from);
    }
    const newest = listed[0]?.findLast((segment) => listed.every((segments) => segments.includes(segment)));
    expect(newest).toBeDefined();
    return [newest ?? '', `${newest?.split('.')[0]}.0.m4s`, /init-[^"]*/.exec(playlists[0] ?? '')?.[0] ?? ''];
  }, WAIT);
  for (const file of names) {
    const digests = await Promise.all(nodes.map((node) => digest(node, `${name}/source/${file}`)));
    expect(new Set(digests).size, file).toBe(1);
  }
}

interface Media {
  readonly text: string;
  readonly sequence: number;
  readonly discontinuity: number;
  /** Number and part of what comes next. */
  readonly next: readonly [sequence: number, part: number];
}

/** The media playlist of the source; as soon as it has this part, where one is given. */
async function mediaOf(node: TestNode, name: string, having?: readonly [sequence: number, part: number]): Promise<Media> {
  const query = having === undefined ? '' : `?_HLS_msn=${having[0]}&_HLS_part=${having[1]}`;
  const playlist = await text(node, `${name}/source/media.m3u8${query}`);
  const numberOf = (tag: RegExp): number => Number(tag.exec(playlist)?.[1]);
  const [, sequence, part] = /PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
  return {
    text: playlist,
    sequence: numberOf(/#EXT-X-MEDIA-SEQUENCE:(\d+)/),
    discontinuity: numberOf(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/),
    next: [Number(sequence), Number(part)],
  };
}

/** What nodes say at one moment: all of them have come to the same part, and to no other segment while they were asked. */
async function momentOf(nodes: readonly TestNode[], name: string): Promise<{ media: readonly string[]; multivariant: readonly string[] }> {
  return vi.waitFor(async () => {
    const { next } = await mediaOf(nodes[0] as TestNode, name);
    const medias = await Promise.all(nodes.map((node) => mediaOf(node, name, next)));
    expect(new Set(medias.map((media) => media.next.join())).size).toBe(1);
    const multivariant = await Promise.all(nodes.map((node) => text(node, `${name}/index.m3u8`)));
    const after = await Promise.all(nodes.map((node) => mediaOf(node, name)));
    expect(new Set([...medias, ...after].map((media) => media.next[0])).size).toBe(1);
    return { media: medias.map((media) => media.text), multivariant };
  }, WINDOW_WAIT);
}

/** The greatest number of a segment that any of these nodes lists, as soon as all of them list one. */
async function newestOf(nodes: readonly TestNode[], name: string): Promise<number> {
  return vi.waitFor(async () => {
    const listed = await Promise.all(nodes.map(async (node) => segmentsOf(await text(node, `${name}/source/media.m3u8`))));
    const newest = listed.map((segments) => Number.parseInt(segments.at(-1) ?? '', 10));
    expect(newest).not.toContain(Number.NaN);
    return Math.max(...newest);
  }, WAIT);
}

/** Waits until these nodes list a first segment behind number `after`, and compares it byte by byte. */
async function beginAlike(nodes: readonly TestNode[], name: string, after: number): Promise<void> {
  const first = await vi.waitFor(async () => {
    const listed = await Promise.all(nodes.map(async (node) => segmentsOf(await text(node, `${name}/source/media.m3u8`))));
    const numbers = listed.map(([segment = '']) => Number.parseInt(segment, 10));
    expect(Math.min(...numbers)).toBeGreaterThan(after);
    expect(new Set(numbers).size).toBe(1);
    return listed[0]?.[0] ?? '';
  }, WAIT);
  const digests = await Promise.all(nodes.map((node) => digest(node, `${name}/source/${first}`)));
  expect(new Set(digests).size, first).toBe(1);
}

describe('a stream published on one node', () => {
  it(
    'is watched on every other, and pulled into each region once',
    async () => {
      await publishTo(origin, 'show');
      await Promise.all([near, ...far].map((node) => watch(node, 'show')));
      expect(upstreamOf(near, 'show')).toBe(origin.id);
      await vi.waitFor(() => {
        const upstreams = far.map((node) => upstreamOf(node, 'show'));
        expect(upstreams.filter((upstream) => upstream === origin.id)).toHaveLength(1);
        const regional = far[upstreams.indexOf(origin.id)];
        expect(upstreams.filter((upstream) => upstream === regional?.id)).toHaveLength(2);
      }, WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'is told of by all of them, also by those that do not have it, and is ended from any',
    async () => {
      const publisher = await publishTo(origin, 'told');
      await Promise.all([near, far[0] as TestNode].map((node) => watch(node, 'told')));
      const told = {
        path: 'live/told',
        origin: { node: origin.id, region: 'eu', epoch: expect.any(Number), isAlive: true },
        publisher: { protocol: 'rtmp', address: '127.0.0.1' },
        viewers: { total: 2, byProtocol: { flv: 2 } },
      };
      for (const node of [cluster.manager, origin, near, second]) {
        await vi.waitFor(async () => {
          const stream = (await cluster.ask(node, 'streams/live/told')) as StreamAnswer;
          expect(stream).toMatchObject(told);
          expect(stream.bitrateBps).toBeGreaterThan(0);
          expect(stream.places?.map(({ node: id }) => id)).toEqual(expect.arrayContaining([origin.id, near.id, far[0]?.id]));
          expect(stream.places?.find(({ node: id }) => id === near.id)?.latency?.p50Ms).toBeGreaterThanOrEqual(0);
          const { items } = (await cluster.ask(node, 'streams?search=told')) as { items: readonly StreamAnswer[] };
          expect(items).toEqual([expect.objectContaining({ path: told.path, viewers: told.viewers, bitrateBps: expect.any(Number) })]);
        }, WAIT);
      }
      const { httpUrl, adminKey } = cluster.manager.server;
      const headers = { authorization: `Bearer ${adminKey}` };
      const ended = await fetch(`${httpUrl}/api/v1/streams/live/told`, { method: 'DELETE', headers });
      expect(ended.status).toBe(204);
      await publisher.ended;
      await vi.waitFor(async () => expect((await fetch(`${httpUrl}/api/v1/streams/live/told`, { headers })).status).toBe(404), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'is byte-identical in LL-HLS on all of them, so that each request may go to another one',
    async () => {
      await publishTo(origin, 'same');
      await areAlike([near, ...far], 'same');
    },
    PATIENCE_MS,
  );

  it(
    'is the same in LL-HLS on an edge that is asked for the first time as on those that were asked long before, from its first answer on',
    async () => {
      await publishTo(origin, 'late');
      const [one, two, late] = far as readonly [TestNode, TestNode, TestNode];
      await vi.waitFor(async () => {
        for (const node of [one, two]) expect(segmentsOf(await text(node, 'late/source/media.m3u8')).length).toBeGreaterThanOrEqual(4);
      }, WINDOW_WAIT);
      const before = await mediaOf(one, 'late');
      const first = await mediaOf(late, 'late');
      const after = await mediaOf(one, 'late');
      expect([first.sequence >= before.sequence, first.sequence <= after.sequence], `${before.text}${first.text}`).toEqual([true, true]);
      const { media, multivariant } = await momentOf([one, two, late], 'late');
      expect(new Set(media).size, media.join()).toBe(1);
      expect(new Set(multivariant).size, multivariant.join()).toBe(1);
      const listed = new Set(
        [...(media[0]?.matchAll(/^(\d+\.m4s)$|(?:MAP|DURATION=[\d.]+,?).*URI="([^"]+)"/gm) ?? [])].map(([, a, b]) => a ?? b ?? ''),
      );
      expect(listed.size).toBeGreaterThan(10);
      for (const file of listed) {
        const digests = await Promise.all([late, one, two].map((node) => digest(node, `late/source/${file}`)));
        expect(new Set(digests).size, file).toBe(1);
      }
    },
    WINDOWS_PATIENCE_MS,
  );

  it(
    'never goes back for a player of LL-HLS that asks another edge each time, one of which nobody asked before',
    async () => {
      await publishTo(origin, 'turns');
      const edges = [far[0], far[1], near] as readonly TestNode[];
      await vi.waitFor(async () => {
        for (const node of edges.slice(0, 2))
          expect(segmentsOf(await text(node, 'turns/source/media.m3u8')).length).toBeGreaterThanOrEqual(4);
      }, WINDOW_WAIT);
      let last = await mediaOf(edges[0] as TestNode, 'turns');
      for (let turn = 1; turn <= 18; turn++) {
        const media = await mediaOf(edges[turn % 3] as TestNode, 'turns', last.next);
        const grew = [media.sequence - last.sequence, media.discontinuity - last.discontinuity];
        expect(Math.min(...grew), `${last.text}${media.text}`).toBeGreaterThanOrEqual(0);
        // An edge that began anew would list the last segments only.
        expect(media.sequence, `${last.text}${media.text}`).toBeLessThanOrEqual(Math.max(last.sequence, media.next[0] - 10));
        last = media;
      }
    },
    WINDOWS_PATIENCE_MS,
  );

  it(
    'goes on at its viewers when the node that brings it into their region is killed',
    async () => {
      const spare = await cluster.join({ roles: ['edge'], region: 'ap' });
      const other = await cluster.join({ roles: ['edge'], region: 'ap' });
      await publishTo(origin, 'regional');
      await watch(spare, 'regional');
      const viewer = await watch(other, 'regional');
      expect([upstreamOf(spare, 'regional'), upstreamOf(other, 'regional')]).toEqual([origin.id, spare.id]);
      viewer.takeGapMs();
      await spare.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(spare), 1);
      await vi.waitFor(() => expect(upstreamOf(other, 'regional')).toBe(origin.id), WAIT);
      await flows(viewer);
      console.log(`gap at a viewer after the regional origin was killed: ${Math.round(viewer.takeGapMs())} ms`);
      expect(viewer.hasEnded).toBe(false);
    },
    PATIENCE_MS,
  );

  it(
    'is refused to a second publisher that does not stand by, and one that does takes over when the first one is killed with its node',
    async () => {
      const doomed = await cluster.join({ roles: ['origin'], region: 'eu' });
      await publishTo(doomed, 'hot');
      const edges = [near, ...far.slice(0, 2)];
      const [viewer] = await Promise.all(edges.map((edge) => watch(edge, 'hot')));
      const refused = await cluster.join({ roles: ['origin'], region: 'eu' });
      const rejected = await publish({ url: `${refused.server.rtmpUrl}/live/hot`, videoCodec: 'h264' }).catch((error: Error) => error);
      // It may have been accepted for the moment that it takes to ask.
      if (!(rejected instanceof Error)) await rejected.ended;
      await publishTo(second, 'hot');
      await vi.waitFor(
        () => expect(second.server.log.some(({ code, stream }) => code === 'cluster.standby' && stream === 'live/hot')).toBe(true),
        WAIT,
      );
      if (viewer === undefined) throw new Error('nobody watches');
      await flows(viewer);
      const before = await newestOf(edges, 'hot');
      viewer.takeGapMs();
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      await vi.waitFor(() => expect(upstreamOf(near, 'hot')).toBe(second.id), WAIT);
      await flows(viewer);
      console.log(`gap at a viewer after the origin was killed, with a hot standby: ${Math.round(viewer.takeGapMs())} ms`);
      expect(viewer.hasEnded).toBe(false);
      await beginAlike(edges, 'hot', before);
    },
    PATIENCE_MS,
  );

  it(
    'goes on at its viewers when its origin is killed and the publisher comes back to another node, and is byte-identical again on three edges',
    async () => {
      const doomed = await cluster.join({ roles: ['origin'], region: 'eu' });
      await publishTo(doomed, 'back');
      const viewer = await watch(near, 'back');
      const others = await Promise.all([watch(far[0] as TestNode, 'back'), watch(far[1] as TestNode, 'back')]);
      const edges = [near, ...far.slice(0, 2)];
      await areAlike(edges, 'back');
      const before = segmentsOf(await text(near, 'back/source/media.m3u8'));
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      const began = performance.now();
      await publishTo(second, 'back');
      await vi.waitFor(() => expect(upstreamOf(near, 'back')).toBe(second.id), WAIT);
      await flows(viewer);
      console.log(`from the publisher's return to the viewer: ${Math.round(performance.now() - began)} ms`);
      expect(viewer.hasEnded).toBe(false);
      // The numbers go on, whatever node has the stream.
      await areAlike(edges, 'back', Number.parseInt(before.at(-1) ?? '', 10));
      await Promise.all(others.map(flows));
      expect(others.some(({ hasEnded }) => hasEnded)).toBe(false);
    },
    PATIENCE_MS,
  );
});

describe('a node', () => {
  it(
    'that is killed counts as stale for the others, and is itself again when it comes back',
    async () => {
      const nodes = await cluster.nodesBy(near);
      expect(nodes.filter(({ stale }) => !stale).length).toBeGreaterThanOrEqual(7);
      expect(nodes.find(({ id }) => id === cluster.manager.id)?.roles).toEqual(['manager']);
      await vi.waitFor(async () => expect((await cluster.nodesBy(near)).some(({ stale }) => stale)).toBe(true), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'is followed by another one for clients who want no stream in particular, and is one of the region that they name',
    async () => {
      const turns = async (query: string): Promise<readonly string[]> => {
        const answers = await Promise.all(far.map(() => fetch(`${cluster.manager.server.httpUrl}/cluster${query}`)));
        return Promise.all(answers.map(async (answer) => (await answer.text()).trim()));
      };
      // Nodes that are full for the moment have no turn.
      await vi.waitFor(async () => expect(new Set(await turns('')).size).toBe(far.length), WAIT);
      const inRegion = far.map(({ server }) => `127.0.0.1:${server.httpPort}`).sort();
      await vi.waitFor(async () => expect([...(await turns('?region=us'))].sort()).toEqual(inRegion), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'tells clients which edge to go to, and why',
    async () => {
      const ask = (query: string): Promise<Response> => fetch(`${cluster.manager.server.httpUrl}/cluster?${query}`);
      const ports = new Set([near, ...far].map(({ server }) => `127.0.0.1:${server.httpPort}`));
      const { node, choice, nodes } = (await (await ask('stream=live/show&region=us&explain=1')).json()) as {
        node: string;
        choice: string;
        nodes: { node: string; refusal?: string }[];
      };
      expect(nodes.find(({ node: id }) => id === origin.id)?.refusal).toBe('role');
      expect(choice).toBe('score');
      // Also on a machine that is full.
      expect([near, ...far].map(({ id }) => id)).toContain(node);
      expect(ports).toContain((await (await ask('stream=live/show&region=us')).text()).trim());
      expect((await ask('stream=nonsense')).status).toBe(400);
    },
    PATIENCE_MS,
  );
});
