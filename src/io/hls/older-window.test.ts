import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type MonotonicMs, monotonicMs, SluiceError, streamRef, wallMs } from '../../core/mod.ts';
import { AUDIO, FrameSource, VIDEO } from '../../gateways/hls-frames.fixture.ts';
import type { Sink } from '../../hub/mod.ts';
import type { Frame } from '../../media/mod.ts';
import { openGate } from '../open-gate.fixture.ts';
import type { NodeAnswer, NodeQuestion } from '../relay/mod.ts';
import { HLS_DEFAULTS, HlsRoute } from './hls-route.ts';
import type { HlsRenditionSource, HlsSource } from './hls-stream.ts';

const PATIENCE = { timeout: 10_000, interval: 10 };
let now: MonotonicMs;
const nodes: TestNode[] = [];

/** Gives the last whole segment to who comes, and what comes from then on. */
class Feed {
  private readonly frames: Frame[] = [];
  private sinks: Sink[] = [];

  attach(sink: Sink): () => void {
    const newest = this.frames.at(-1)?.segment.sequence ?? 0;
    for (const frame of this.frames) if (frame.segment.sequence >= newest - 1) sink.frame(frame);
    this.sinks.push(sink);
    return () => {
      this.sinks = this.sinks.filter((other) => other !== sink);
    };
  }

  feed(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.frames.push(frame);
      for (const sink of this.sinks) sink.frame(frame);
    }
  }
}

/** A rung that is made on demand. */
class Rung extends Feed implements HlsRenditionSource {
  readonly kind = 'video';
  readonly audience = 'everybody';
  readonly viewers = new Map<string, number>();
  readonly expected: HlsRenditionSource['expected'];
  readonly described: HlsRenditionSource['described'];

  constructor(height: number) {
    super();
    const size = { width: (height / 9) * 16, height };
    this.expected = { codec: 'h264', codecString: 'avc1.4d401e', ...size, frameRate: 30, bitrateBps: height * 1_000 };
    this.described = this.expected;
  }
}

/** A node with one stream, which it has from another node or from its publisher; it packages on demand. */
class TestNode extends Feed implements HlsSource {
  readonly ref = streamRef('live', 'show');
  readonly viewers = new Map<string, number>();
  readonly low = new Rung(360);
  readonly renditions = new Map<string, Rung>([
    ['720p', new Rung(720)],
    ['360p', this.low],
  ]);
  readonly tracks = [VIDEO, AUDIO];
  readonly route: HlsRoute;
  readonly asked: string[] = [];
  readonly publisher: HlsSource['publisher'];
  giver: TestNode | undefined;
  /** What becomes of answers of the giver. */
  passing: (answer: NodeAnswer) => NodeAnswer | Promise<NodeAnswer> = (answer) => answer;
  private readonly server: Server;
  constructor(giver?: TestNode) {
    super();
    this.giver = giver;
    this.publisher = { protocol: giver === undefined ? 'rtmp' : 'relay' };
    this.route = new HlsRoute({
      ...HLS_DEFAULTS,
      log: pino({ level: 'silent' }),
      clock: { monotonic: () => now, wall: () => wallMs(0) },
      access: openGate,
      find: () => this,
      givers: {
        giverOf: () => (this.giver === undefined ? undefined : String(nodes.indexOf(this.giver))),
        ask: (_, question) => this.ask(question),
      },
      windowSegments: 4,
    });
    this.server = createServer((request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      if (!this.route.forNodes(request, response, path, query) && !this.route.route(request, response, path, query))
        response.writeHead(418).end();
    });
    nodes.push(this);
  }

  listen(): Promise<this> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this)));
  }

  async get(path: string): Promise<{ readonly status: number; readonly bytes: Buffer; readonly text: string }> {
    const response = await fetch(`${this.url}/live/show/${path}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, bytes, text: bytes.toString() };
  }

  async close(): Promise<void> {
    await this.route.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async ask({ method, path, answerBytesMax, gone }: NodeQuestion): Promise<NodeAnswer> {
    this.asked.push(`${method} ${path}`);
    if (this.giver === undefined) throw new SluiceError('relay.node-unreachable', 'nobody gives it');
    const response = await fetch(`${this.giver.url}${path}`, { method, ...(gone === undefined ? {} : { signal: gone }) });
    const body = Buffer.from(await response.arrayBuffer());
    if (body.length > answerBytesMax) throw new SluiceError('relay.node-unreachable', 'too long');
    return this.passing({ status: response.status, headers: {}, body });
  }
}

let source: FrameSource;
let origin: TestNode;

/** A node that gets the stream from `giver`, as far as it has come. */
async function behind(giver: TestNode): Promise<TestNode> {
  const node = await new TestNode(giver).listen();
  node.feed(source.frames);
  return node;
}

const segmentsOf = (playlist: string): readonly string[] => playlist.match(/^\d+\.m4s$/gm) ?? [];

beforeEach(async () => {
  now = monotonicMs(1_000);
  source = new FrameSource();
  origin = await new TestNode().listen();
  // Somebody watches from the beginning.
  origin.feed(source.add({ seconds: 1 }));
  const watched = origin.get('source/media.m3u8');
  await vi.waitFor(() => expect(origin.route.stats().waiting).toBe(1), PATIENCE);
  origin.feed(source.add({ seconds: 18, from: 1 + 1 / 30 }));
  await watched;
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

describe('a node that packages a stream of another one', () => {
  it('gives out the same playlists from its first answer on, and the same files', async () => {
    const edge = await behind(origin);
    for (const path of ['source/media.m3u8', 'index.m3u8', 'source/media.m3u8?_HLS_skip=YES']) {
      expect((await edge.get(path)).text, path).toBe((await origin.get(path)).text);
    }
    const { text } = await edge.get('source/media.m3u8');
    const files = [...segmentsOf(text), ...[...text.matchAll(/(?:MAP|PART):.*URI="([^"]+)"/g)].map(([, name = '']) => name)];
    expect(segmentsOf(text)).toHaveLength(4);
    for (const file of files) {
      const [here, there] = await Promise.all([edge.get(`source/${file}`), origin.get(`source/${file}`)]);
      expect([here.status, here.bytes.equals(there.bytes)], file).toEqual([200, true]);
    }
    // Parts came with their segments, and all of them once.
    const loads = edge.asked.filter((line) => line.endsWith('.m4s'));
    expect(loads.length).toBe(new Set(loads).size);
    expect(loads.length).toBeLessThanOrEqual(4);
    expect(edge.route.stats().sizeBytes).toBe(origin.route.stats().sizeBytes);
  });

  it('has the window of a rung, too, and tells of rungs as all nodes do, whoever watches them and in whatever order they came', async () => {
    origin.low.feed(source.frames.slice(0, 100));
    const watched = origin.get('360p/media.m3u8');
    await vi.waitFor(() => expect(origin.route.stats().waiting).toBe(1), PATIENCE);
    origin.low.feed(source.frames.slice(100));
    await watched;
    const edge = await behind(origin);
    edge.low.feed(source.frames);
    edge.renditions.delete('720p');
    edge.renditions.set('720p', new Rung(720));
    const { text } = await edge.get('index.m3u8');
    expect(text).toContain('AVERAGE-BANDWIDTH=360000,');
    expect(text).toBe((await origin.get('index.m3u8')).text);
    for (const path of ['360p/media.m3u8', 'source/media.m3u8', 'index.m3u8']) {
      expect((await edge.get(path)).text, path).toBe((await origin.get(path)).text);
    }
  });

  it('asks on by a node that did not package the stream either', async () => {
    const regional = await behind(origin);
    const edge = await behind(regional);
    expect((await edge.get('source/media.m3u8')).text).toBe((await origin.get('source/media.m3u8')).text);
    const [oldest = ''] = segmentsOf((await edge.get('source/media.m3u8')).text);
    expect((await edge.get(`source/${oldest}`)).bytes.equals((await origin.get(`source/${oldest}`)).bytes)).toBe(true);
    expect(regional.asked).toContain(`GET /hls/live/show/source/${oldest}`);
  });

  it('has asked its giver to package, and goes on asking while it packages itself', async () => {
    const idle = await new TestNode().listen();
    idle.feed(source.frames);
    const edge = await behind(idle);
    await edge.get('source/media.m3u8');
    expect(idle.route.stats().streams).toBe(1);
    await vi.waitFor(() => {
      now = monotonicMs(now + 200);
      expect(edge.asked).toContain('HEAD /hls/live/show/source/window.json');
    }, PATIENCE);
    const before = edge.asked.length;
    edge.giver = origin;
    await vi.waitFor(() => expect(edge.asked.length).toBe(before + 1), PATIENCE);
  });

  it('asks the node to package that its own stream moves to', async () => {
    await origin.get('source/media.m3u8');
    const next = await new TestNode().listen();
    next.feed(source.frames);
    origin.giver = next;
    await vi.waitFor(() => expect(next.route.stats().streams).toBe(1), PATIENCE);
    expect(origin.asked).toEqual(['HEAD /hls/live/show/source/window.json']);
  });

  it('does not wait longer than a moment, and does not go back then', async () => {
    const edge = await behind(origin);
    let tell: () => void = () => undefined;
    edge.passing = (answer) => new Promise((resolve) => (tell = () => resolve(answer)));
    const playlist = edge.get('source/media.m3u8');
    await vi.waitFor(() => expect(edge.route.stats().waiting).toBe(1), PATIENCE);
    const ticking = setInterval(() => {
      now = monotonicMs(now + 250);
    }, 100);
    const { text } = await playlist;
    clearInterval(ticking);
    expect(segmentsOf(text).length).toBeGreaterThan(0);
    expect(segmentsOf(text).length).toBeLessThan(4);
    tell();
    edge.passing = (answer) => answer;
    edge.feed(source.add({ seconds: 1, from: 19 + 2 / 30 }));
    expect(segmentsOf((await edge.get('source/media.m3u8')).text)[0]).toBe(segmentsOf(text)[0]);
  });

  it.each<[string, (answer: NodeAnswer) => NodeAnswer]>([
    ['garbage', (answer) => ({ ...answer, body: Buffer.from('{"segments":') })],
    ['another status', (answer) => ({ ...answer, status: 404 })],
    [
      'no answer at all',
      () => {
        throw new SluiceError('relay.node-unreachable', 'gone');
      },
    ],
  ])('begins with what it has at once when its giver answers with %s', async (_what, passing) => {
    const edge = await behind(origin);
    edge.passing = passing;
    const { status, text } = await edge.get('source/media.m3u8');
    expect([status, segmentsOf(text).length > 0, segmentsOf(text).length < 4]).toEqual([200, true, true]);
  });

  it('gives out no file that is not what the window told of, and asks again', async () => {
    const edge = await behind(origin);
    const { text } = await edge.get('source/media.m3u8');
    const [oldest = ''] = segmentsOf(text);
    edge.passing = (answer) => ({ ...answer, body: answer.body.subarray(1) });
    expect((await edge.get(`source/${oldest}`)).status).toBe(503);
    edge.passing = (answer) => ({ ...answer, status: 404 });
    const second = segmentsOf(text)[1] ?? '';
    expect((await edge.get(`source/${second}`)).status).toBe(503);
    edge.passing = (answer) => answer;
    expect((await edge.get(`source/${oldest}`)).status).toBe(200);
    expect((await edge.get(`source/${second}`)).status).toBe(404);
    expect((await edge.get('source/1.m4s')).status).toBe(404);
  });

  it('is asked for nothing but its windows and their files', async () => {
    const edge = await behind(origin);
    await edge.get('source/media.m3u8');
    for (const path of ['none/window.json', 'source/1.m4s', 'source/media.m3u8']) {
      expect((await fetch(`${edge.url}/hls/live/show/${path}`)).status, path).toBe(404);
    }
    expect((await fetch(`${edge.url}/hls/live/show`)).status).toBe(418);
    expect(edge.viewers.get('hls')).toBe(1);
  });
});
