import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { monotonicMs, streamRef } from '../../core/mod.ts';
import type { VideoTrack } from '../../media/mod.ts';
import { sourceFrame, videoTrack } from '../../media/source-frames.fixture.ts';
import { TestCa } from './relay-certificates.fixture.ts';
import { TestPublisher } from './relay-feed.fixture.ts';
import { HlsFiles, RelayNode } from './relay-node.fixture.ts';
import type { RelayServerOptions } from './relay-server.ts';

const show = streamRef('live', 'show');
const PATIENCE = { timeout: 10_000, interval: 10 };

let ca: TestCa;
beforeAll(async () => {
  ca = await TestCa.make();
});

let nodes: RelayNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  nodes = [];
});

async function node(name: string, options: Partial<RelayServerOptions> = {}, authority = ca): Promise<RelayNode> {
  const made = new RelayNode(name, await authority.issue(name), options);
  await made.server.listen();
  nodes.push(made);
  return made;
}

/** A publisher's node, one in the middle, one at the edge; the middle's `port` may be given. */
async function chain() {
  const [a, b, c] = [await node('a'), await node('b'), await node('c')];
  const publisher = new TestPublisher(a.hub, show);
  publisher.feed(1);
  a.hls = new HlsFiles(publisher.publication.stream);
  b.pull(show, a.upstream);
  await vi.waitFor(() => expect(b.hls).toBeDefined(), PATIENCE);
  c.pull(show, b.upstream);
  await vi.waitFor(() => expect(c.hls).toBeDefined(), PATIENCE);
  return { a, b, c, publisher };
}

/** Waits until the playlists are equal, and compares all files that both have. */
async function expectSame(...[first, ...others]: RelayNode[]): Promise<void> {
  for (const other of others) {
    await vi.waitFor(() => expect(other.hls?.playlist).toBe(first?.hls?.playlist), PATIENCE);
    expectSameFiles(first, other);
  }
}

function expectSameFiles(first: RelayNode | undefined, other: RelayNode): void {
  const names = [...(other.hls?.files.keys() ?? [])].filter((name) => first?.hls?.files.has(name));
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) expect(other.hls?.files.get(name) === first?.hls?.files.get(name), name).toBe(true);
}

describe('a chain of nodes', () => {
  it('makes byte-identical HLS on all of them, also over a publisher that drops and comes back', async () => {
    const { a, b, c, publisher } = await chain();
    publisher.feed(4.3);
    await expectSame(a, b, c);
    expect(c.hub.stream(show.path)?.startedWallMs).toBe(publisher.publication.stream.startedWallMs);
    expect(c.hub.stream(show.path)?.publisher).toEqual({ protocol: 'relay', address: 'b', agent: 'test encoder' });
    publisher.drop();
    await vi.waitFor(() => expect(c.hub.stream(show.path)?.state).toBe('held'), PATIENCE);
    await expectSame(a, b, c);
    publisher.comeBack();
    publisher.feed(5);
    await expectSame(a, b, c);
    expect(c.hls?.playlist).toContain('#EXT-X-DISCONTINUITY\n');
    publisher.publication.finish(monotonicMs(0));
    await vi.waitFor(() => expect(c.events).toContain('ended'), PATIENCE);
    await expectSame(a, b, c);
    expect(c.hls?.playlist).toContain('#EXT-X-ENDLIST');
    expect([b, c].map(({ server }) => server.stats().subscriptions)).toEqual([0, 0]);
  });

  it('goes on after a killed connection without losing or repeating a frame', async () => {
    const { a, b, c, publisher } = await chain();
    publisher.feed(4);
    await expectSame(a, b, c);
    for (const upstream of [a, b]) for (const socket of sockets(upstream)) socket.destroy();
    publisher.feed(2.1);
    await vi.waitFor(() => expect([...b.events, ...c.events].filter((event) => event === 'resumed')).toHaveLength(2), PATIENCE);
    await expectSame(a, b, c);
    publisher.feed(4);
    await expectSame(a, b, c);
    expect(c.hls?.playlist.split('\n').filter((line) => line.endsWith('.m4s')).length).toBeGreaterThan(3);
    const frames = (node: RelayNode) => node.hub.stream(show.path)?.stats().framesIn;
    expect(frames(c)).toBe(frames(a));
  });

  it('goes on from another node', async () => {
    const { a, b, c, publisher } = await chain();
    const other = await node('other');
    other.pull(show, a.upstream);
    await vi.waitFor(() => expect(other.hls).toBeDefined(), PATIENCE);
    publisher.feed(5);
    await expectSame(a, c);
    c.pull(show, other.upstream);
    publisher.feed(1);
    await b.close();
    await vi.waitFor(() => expect(c.events).toContain('resumed'), PATIENCE);
    publisher.feed(5);
    await expectSame(a, other, c);
    expect(c.events).toEqual(['accepted', 'resumed']);
    expect(c.hub.stream(show.path)?.stats().framesIn).toBe(a.hub.stream(show.path)?.stats().framesIn);
  });

  it('lists no segment that it has only in part when the holder cannot go back that far', async () => {
    const { a, b, c, publisher } = await chain();
    publisher.feed(4.5);
    await expectSame(a, b, c);
    c.stopPulling();
    // Longer than the cache of the others.
    publisher.feed(9);
    await expectSame(a, b);
    const known = c.hls?.playlist;
    c.pull(show, b.upstream);
    await vi.waitFor(() => expect(c.hls?.playlist).not.toBe(known), PATIENCE);
    publisher.feed(0.7);
    await expectSame(a, b);
    const segments = (playlist = '') => playlist.split('\n').filter((line) => line.endsWith('.m4s') && !line.startsWith('#'));
    await vi.waitFor(() => expect(segments(c.hls?.playlist).at(-1)).toBe(segments(a.hls?.playlist).at(-1)), PATIENCE);
    expectSameFiles(a, c);
    publisher.feed(10);
    await expectSame(a, b, c);
  });

  it("tells of a publisher's layers alike, whenever a node learns of them", async () => {
    const { a, b, c, publisher } = await chain();
    const small: VideoTrack = { ...videoTrack, width: 640, height: 360 };
    const layer = publisher.publication.rendition('h', monotonicMs(publisher.atMs));
    const feed = (untilMs: number, bytes: number): void => {
      for (; publisher.atMs < untilMs; publisher.feed(0.04)) {
        const ms = publisher.atMs;
        layer?.write(sourceFrame(small, ms, ms % 2_000 === 0, bytes), monotonicMs(ms));
      }
    };
    const described = ({ hub }: RelayNode) => hub.stream(show.path)?.renditions.get('h')?.described;
    feed(6_000, 2_000);
    const first = described(a);
    expect(first?.bitrateBps).toBeGreaterThan(25 * 2_000 * 8);
    for (const early of [b, c]) await vi.waitFor(() => expect(described(early)).toEqual(first), PATIENCE);
    // The rate of the last seconds is another one, but not by far.
    feed(12_000, 2_200);
    const late = await node('late');
    late.pull(show, b.upstream);
    await vi.waitFor(() => expect(described(late)).toEqual(first), PATIENCE);
    feed(16_000, 4_000);
    expect(described(a)?.bitrateBps).toBeGreaterThan(25 * 4_000 * 8);
    for (const other of [b, c, late]) await vi.waitFor(() => expect(described(other)).toEqual(described(a)), PATIENCE);
  });

  it('relays only the renditions that somebody watches', async () => {
    const { a, b, c, publisher } = await chain();
    const expected = { codec: 'h264', codecString: 'avc1.4d401e', width: 640, height: 360, bitrateBps: 600_000 } as const;
    const watched: boolean[] = [];
    const input = a.hub.rendition(
      show.path,
      { name: '360p', kind: 'video', expected },
      { watched: (is) => void watched.push(is) },
      monotonicMs(0),
    );
    await vi.waitFor(() => expect(c.hub.stream(show.path)?.renditions.get('360p')?.expected).toEqual(expected), PATIENCE);
    expect([a, b].map(({ server }) => server.stats().subscriptions)).toEqual([1, 1]);
    let received = 0;
    const nothing = (): void => undefined;
    const sink = { tracks: nothing, frame: () => void received++, paused: nothing, ended: nothing };
    const leave = c.hub.stream(show.path)?.renditions.get('360p')?.attach(sink);
    await vi.waitFor(() => expect(watched).toEqual([true]), PATIENCE);
    expect([a, b].map(({ server }) => server.stats().subscriptions)).toEqual([2, 2]);
    const files = new HlsFiles(publisher.publication.stream, '360p');
    const edgeFiles = new HlsFiles(c.hub.stream(show.path) ?? publisher.publication.stream, '360p');
    // What goes in is both pictures, the smaller ones with the times of the timeline.
    const passOn = publisher.publication.stream.attach({
      tracks: nothing,
      paused: nothing,
      ended: nothing,
      frame: (frame) => {
        if (frame.track.kind === 'video') input?.write({ ...frame, track: { ...frame.track, width: 640, height: 360 } }, monotonicMs(0));
      },
    });
    publisher.feed(9);
    await vi.waitFor(() => expect(edgeFiles.playlist).toBe(files.playlist), PATIENCE);
    expect(files.playlist).toContain('.m4s');
    expect(received).toBeGreaterThan(200);
    passOn();
    leave?.();
    c.hub.stream(show.path)?.renditions.get('360p')?.attach(edgeFiles.packager)();
    input?.end();
    await vi.waitFor(() => expect(c.hub.stream(show.path)?.renditions.size).toBe(0), PATIENCE);
  });

  it('passes a wish for a keyframe on to the publisher, and tells how long a hop takes', async () => {
    const { b, c, publisher } = await chain();
    publisher.feed(1);
    c.hub.stream(show.path)?.requestKeyframe();
    await vi.waitFor(() => expect(c.client.stats().hops[0]?.rttMs).toBeDefined(), PATIENCE);
    publisher.feed(1);
    await vi.waitFor(() => expect(c.client.stats().hops[0]?.p99Ms).toBeGreaterThan(0), PATIENCE);
    expect(c.client.stats()).toMatchObject({ connections: 1, pulls: 1, hops: [{ node: 'b' }] });
    expect(b.server.stats()).toMatchObject({ connections: 1, subscriptions: 1, feeds: 1 });
  });
});

describe('a connection that is watched', () => {
  it('is there without a stream, tells at once when it breaks, and is made again', async () => {
    const [a, b] = [await node('a'), await node('b')];
    let breaks = 0;
    const { upstream } = a;
    const watch = b.client.watch(upstream, () => breaks++);
    expect(watch.isBroken).toBe(false);
    await vi.waitFor(() => expect(b.client.stats().connections).toBe(1), PATIENCE);
    expect([watch.isBroken, breaks]).toEqual([false, 0]);
    await a.server.close();
    await vi.waitFor(() => expect([watch.isBroken, breaks > 0]).toEqual([true, true]), PATIENCE);
    const again = await node('a', { port: upstream.port });
    await vi.waitFor(() => expect(watch.isBroken).toBe(false), PATIENCE);
    watch.close();
    const before = breaks;
    await again.server.close();
    await vi.waitFor(() => expect(b.client.stats().connections).toBe(0), PATIENCE);
    expect(breaks).toBe(before);
  });
});

describe('what a holder refuses', () => {
  it('refuses unknown streams, old epochs, loops and strangers among the renditions', async () => {
    const { a, b, c, publisher } = await chain();
    const d = await node('d');
    d.pull(streamRef('live', 'nothing'), a.upstream);
    await vi.waitFor(() => expect(d.events).toEqual(['refused unknown']), PATIENCE);
    d.pull(show, a.upstream, 2);
    await vi.waitFor(() => expect(d.events).toContain('refused stale-epoch'), PATIENCE);
    b.pull(show, c.upstream);
    await vi.waitFor(() => expect(b.events).toContain('refused loop'), PATIENCE);
    expect(a.server.stats().refusedByCode).toEqual(
      new Map([
        ['unknown', 1],
        ['stale-epoch', 1],
      ]),
    );
    b.pull(show, a.upstream);
    publisher.feed(3);
    await expectSame(a, b, c);
  });

  it('tells those downstream that a stream comes another way, and refuses those it comes through', async () => {
    const { b, c } = await chain();
    b.server.pathChanged(show.path, 7, ['x']);
    await vi.waitFor(() => expect(c.events).toContain('path 7 x,b'), PATIENCE);
    b.server.pathChanged(show.path, 8, ['c']);
    await vi.waitFor(() => expect(c.events).toContain('refused loop'), PATIENCE);
    expect(b.server.stats().subscriptions).toBe(0);
  });
});

describe('who is not of the cluster', () => {
  it('does not get past TLS with a certificate of another CA, or none', async () => {
    const a = await node('a');
    const publisher = new TestPublisher(a.hub, show);
    publisher.feed(1);
    const stranger = await node('b', {}, await TestCa.make());
    stranger.pull(show, a.upstream);
    await vi.waitFor(() => expect(stranger.events).toContain('broken'), PATIENCE);
    const socket = connectTls({ port: a.server.port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
    expect(a.server.stats().connectionsTotal).toBe(0);
  });

  it('is not taken for a node that it is not', async () => {
    const a = await node('a');
    const b = await node('b');
    b.pull(show, { ...a.upstream, node: 'c' });
    await vi.waitFor(() => expect(b.events).toContain('broken'), PATIENCE);
    // A node that says in its hello that it is another.
    const liar = new RelayNode('d', await ca.issue('e'));
    await liar.server.listen();
    nodes.push(liar);
    liar.pull(show, a.upstream);
    await vi.waitFor(() => expect(a.server.stats().closedByCode.get('relay.wrong-node')).toBeGreaterThan(0), PATIENCE);
    const pinned = await node('f');
    pinned.pull(show, { ...a.upstream, fingerprint: 'AB:CD' });
    await vi.waitFor(() => expect(pinned.events).toContain('broken'), PATIENCE);
  });

  it('is refused once it was removed', async () => {
    const seen: string[] = [];
    const a = await node('a', { mayConnect: (name, serial) => seen.push(`${name} ${serial}`) < 0 });
    const b = await node('b');
    b.pull(show, a.upstream);
    await vi.waitFor(() => expect(b.events).toContain('broken'), PATIENCE);
    expect(seen[0]).toMatch(/^b [0-9A-F]+$/);
    expect(a.server.stats().closedByCode.get('relay.not-a-member')).toBeGreaterThan(0);
  });

  it('costs one connection when it sends garbage', async () => {
    const { a, b, c, publisher } = await chain();
    const socket = connect(a.server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
    // A member of the cluster that speaks something else.
    const member = connectTls({ port: a.server.port, host: '127.0.0.1', ...(await ca.issue('m')), checkServerIdentity: () => undefined });
    member.write(Buffer.alloc(5_000, 0xff));
    await new Promise((resolve) => member.on('error', resolve).on('close', resolve).resume());
    await vi.waitFor(() => expect(a.server.stats().closedByCode.get('relay.message-too-large')).toBe(1), PATIENCE);
    expect(a.server.stats().closedByCode.get('relay.tls-handshake')).toBe(1);
    publisher.feed(3);
    await expectSame(a, b, c);
  });
});

describe('a peer that does not read', () => {
  it('is kept from frames up to a keyframe, with bounded memory, and told of the gap', async () => {
    const a = await node('a', { subscriptionBytesMax: 2_000_000 });
    const [b, c] = [await node('b'), await node('c')];
    const publisher = new TestPublisher(a.hub, show);
    publisher.feed(1);
    a.hls = new HlsFiles(publisher.publication.stream);
    for (const puller of [b, c]) {
      puller.pull(show, a.upstream);
      await vi.waitFor(() => expect(puller.hls).toBeDefined(), PATIENCE);
    }
    const [slow] = sockets(a);
    slow?.cork();
    let queuedMax = 0;
    for (let second = 0; second < 24; second++) {
      publisher.feed(1, 20_000);
      await new Promise((resolve) => setImmediate(resolve));
      queuedMax = Math.max(queuedMax, a.server.stats().bytesQueued);
      if (second % 8 === 7) await expectSame(a, c);
    }
    expect(queuedMax).toBeGreaterThan(1_000_000);
    expect(queuedMax).toBeLessThan(4_500_000);
    expect(a.server.stats().droppedTotal).toBeGreaterThan(100);
    slow?.uncork();
    await vi.waitFor(() => expect(a.server.stats().bytesQueued).toBe(0), PATIENCE);
    publisher.feed(12);
    await expectSame(a, b, c);
  });
});

/** The sockets that a node accepted. */
function sockets(node: RelayNode): import('node:tls').TLSSocket[] {
  const holders = (node.server as unknown as { holders: Set<{ socket: { socket: import('node:tls').TLSSocket } }> }).holders;
  return [...holders].map(({ socket }) => socket.socket);
}
