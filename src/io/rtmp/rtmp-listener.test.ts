import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import pino from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccessDecision } from '../../access/mod.ts';
import { encodeAmf0 } from '../../containers/mod.ts';
import { durationMs, sizeBytes } from '../../core/mod.ts';
import { makeHub, noting } from '../../hub/hub.fixture.ts';
import type { LiveStream } from '../../hub/mod.ts';
import { ChunkStreamId, defaultRtmpClientOptions, MessageType, RtmpClientSession, type RtmpCloseReason } from '../../protocols/rtmp/mod.ts';
import { systemClock } from '../clock.ts';
import { localhostCertificate } from './localhost-certificate.fixture.ts';
import { nodeRtmpCrypto } from './node-crypto.ts';
import { RtmpListener, type RtmpListenerOptions } from './rtmp-listener.ts';

// An H.264 Baseline configuration, and frames of one slice behind its 4-byte length.
const SPS = Buffer.from('6742c00adb7bfc0440000003004000000300c3c48ba8', 'hex');
const PPS = Buffer.from('68ce0fc8', 'hex');
const sequenceHeader = (): Uint8Array =>
  Uint8Array.from([0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, SPS.length, ...SPS, 1, 0, PPS.length, ...PPS]);
const frame = (isKeyframe: boolean, length = 100): Uint8Array =>
  Uint8Array.from([
    isKeyframe ? 0x17 : 0x27,
    1,
    0,
    0,
    0,
    0,
    0,
    length >> 8,
    length & 255,
    isKeyframe ? 0x65 : 0x41,
    ...new Uint8Array(length - 1),
  ]);

class Peer {
  readonly socket: Socket;
  readonly session: RtmpClientSession;
  readonly media: [kind: string, timestamp: number, body: Uint8Array][] = [];
  isStarted = false;
  isSocketClosed = false;
  reason: RtmpCloseReason | undefined;

  constructor(port: number, intent: 'publish' | 'play', streamKey: string, isTls: boolean) {
    this.socket = isTls
      ? connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: localhostCertificate.cert })
      : connect(port, '127.0.0.1');
    this.session = new RtmpClientSession(
      {
        send: (bytes) => this.socket.write(bytes),
        started: () => {
          this.isStarted = true;
        },
        media: (kind, timestamp, body) => this.media.push([kind, timestamp, body]),
        closed: (reason) => {
          this.reason = reason;
        },
      },
      { intent, app: 'live', tcUrl: `rtmp://127.0.0.1:${port}/live`, streamKey },
      defaultRtmpClientOptions,
      nodeRtmpCrypto,
      systemClock.monotonic(),
    );
    this.socket.on(isTls ? 'secureConnect' : 'connect', () => this.session.start());
    this.socket.on('data', (bytes) => this.session.receive(bytes, systemClock.monotonic()));
    this.socket.on('close', () => {
      this.isSocketClosed = true;
    });
    this.socket.on('error', () => undefined);
  }

  video(): [number, Uint8Array][] {
    return this.media.filter(([kind]) => kind === 'video').map(([, timestamp, body]) => [timestamp, body]);
  }

  async started(): Promise<this> {
    await vi.waitFor(() => expect(this.isStarted).toBe(true));
    return this;
  }
}

const open: { listener: RtmpListener; peers: Peer[] }[] = [];
afterEach(async () => {
  for (const { listener, peers } of open.splice(0)) {
    for (const peer of peers) peer.socket.destroy();
    await listener.close();
  }
});

async function setUp(overrides: Partial<RtmpListenerOptions> = {}) {
  const events: string[] = [];
  const lines: { code: string; detail?: string }[] = [];
  const hub = makeHub(
    {},
    {
      ...noting(events),
      renditionsChanged: () => undefined,
      sinkFailed: (ref, error) => void events.push(`failed ${ref.path} ${String(error)}`),
    },
  );
  const listener = new RtmpListener({
    host: '127.0.0.1',
    port: 0,
    portKey: 'rtmp.port',
    portVariable: 'SLUICE_RTMP_PORT',
    connectionsMax: 100,
    connectionsPerAddressMax: 50,
    broadcast: { batchMs: durationMs(50), sendQueueBytesMax: sizeBytes(2_000_000), stalledMsMax: durationMs(10_000) },
    gopCacheBytesMax: sizeBytes(1_000_000),
    secondPublisher: () => 'reject',
    hub,
    access: {
      admit: ({ credential: { key, token } }, decided) => {
        if (token !== undefined) queueMicrotask(() => decided(token === 'late' ? 'allowed' : { refused: 'token-expired' }));
        else if (key === 'guess') decided({ refused: 'too-many-attempts' });
        else decided(key === 'bad' ? { refused: 'key-wrong' } : 'allowed');
      },
      isOpen: () => false,
      asksForPage: () => false,
    },
    clock: systemClock,
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    ...overrides,
  });
  await listener.listen();
  const peers: Peer[] = [];
  open.push({ listener, peers });
  const peer = (intent: 'publish' | 'play', streamKey = 'show'): Peer => {
    const made = new Peer(listener.port, intent, streamKey, overrides.tls !== undefined);
    peers.push(made);
    return made;
  };
  return { hub, listener, events, lines, peer };
}

function publishFrames(publisher: Peer, from: number, count: number): void {
  for (let index = from; index < from + count; index++) publisher.session.media('video', index * 40, frame(index % 25 === 0));
}

describe('RtmpListener', () => {
  it('asks who may publish and play, and waits for the answer', async () => {
    const { peer, hub } = await setUp();
    const publisher = await peer('publish', 'show?token=late').started();
    publisher.session.media('video', 0, sequenceHeader());
    publishFrames(publisher, 0, 30);
    await vi.waitFor(() => expect(hub.stream('live/show')?.stats().framesIn).toBe(30));
    await peer('play', 'show?token=late').started();
    const refused = [peer('play', 'show?token=old'), peer('publish', 'other?token=old')];
    await vi.waitFor(() => expect(refused.every(({ isSocketClosed }) => isSocketClosed)).toBe(true));
    expect(refused.map(({ isStarted }) => isStarted)).toEqual([false, false]);
    expect(hub.stream('live/other')).toBeUndefined();
  });

  it.each([
    ['read at once', { coalesceReadsFrom: 100 }],
    ['with coalesced reads', { coalesceReadsFrom: 0 }],
    ['over TLS', { tls: localhostCertificate }],
    ['over TLS with coalesced reads', { tls: localhostCertificate, coalesceReadsFrom: 0 }],
  ])('carries a stream from a publisher to viewers, %s', async (_how, options) => {
    const { peer, listener, events, hub } = await setUp(options);
    const publisher = await peer('publish').started();
    publisher.session.media('video', 0, sequenceHeader());
    // More than the second for which the timeline waits for audio; the second keyframe is frame 25.
    publishFrames(publisher, 0, 30);
    await vi.waitFor(() => expect(hub.stream('live/show')?.stats().framesIn).toBe(30));
    const viewer = await peer('play').started();
    publishFrames(publisher, 30, 5);
    await vi.waitFor(() => expect(viewer.video().length).toBe(11));
    const video = viewer.video();
    expect(video[0]?.[1]).toEqual(sequenceHeader());
    expect(video[1]?.[1]).toEqual(frame(true));
    const times = video.slice(1).map(([timestamp]) => timestamp);
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual(Array.from({ length: 10 }, (_, index) => index * 40));
    expect(listener.stats()).toMatchObject({ publishers: 1, viewers: 1, connections: 2 });
    publisher.session.finish();
    await vi.waitFor(() => expect(viewer.reason?.code).toBe('rtmp.stream-ended'));
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });

  it('sends clients to other nodes that belong there, and says where', async () => {
    const { peer, listener, hub } = await setUp({
      places: { elsewhere: (intent, { app }) => (intent === 'publish' ? { tcUrl: `rtmp://o1:1935/${app}` } : {}) },
    });
    const publisher = peer('publish');
    await vi.waitFor(() =>
      expect(publisher.reason?.detail).toBe('NetStream.Publish.Denied: not on this node: publish show at rtmp://o1:1935/live'),
    );
    const viewer = peer('play');
    await vi.waitFor(() => expect(viewer.reason?.detail).toContain('NetStream.Play.Failed: no node of the cluster can take this now'));
    expect(hub.stream('live/show')).toBeUndefined();
    expect([...listener.stats().closedByCode.keys()]).toEqual(['rtmp.other-node', 'rtmp.no-node']);
  });

  it('asks nobody to move who cannot', async () => {
    const { peer, listener, hub } = await setUp();
    await peer('publish').started();
    expect(listener.movePublishers({ elsewhere: () => ({ tcUrl: 'rtmp://o2:1935/live' }) })).toBe(0);
    expect(hub.stream('live/show')?.state).toBe('live');
  });

  it('holds the stream of a publisher that goes without goodbye, and keeps its viewers', async () => {
    const { peer, events, hub } = await setUp();
    const publisher = await peer('publish').started();
    publisher.session.media('video', 0, sequenceHeader());
    publishFrames(publisher, 0, 40);
    const viewer = await peer('play').started();
    await vi.waitFor(() => expect(viewer.video().length).toBeGreaterThan(10));
    const before = viewer.video().length;
    publisher.socket.destroy();
    await vi.waitFor(() => expect(hub.stream('live/show')?.state).toBe('held'));
    const again = await peer('publish').started();
    again.session.media('video', 0, sequenceHeader());
    publishFrames(again, 0, 40);
    await vi.waitFor(() => expect(viewer.video().length).toBeGreaterThanOrEqual(before + 40));
    expect(events).toEqual(['started live/show', 'held live/show', 'resumed live/show']);
  });

  it('refuses a wrong key, one key too many, a second publisher and a stream that is not live, each with a status and a log line', async () => {
    const { peer, lines } = await setUp();
    await peer('publish').started();
    const cases = [
      [peer('publish', 'other?key=bad'), 'NetStream.Publish.Denied', 'rtmp.key-wrong'],
      [peer('publish', 'other?key=guess'), 'NetStream.Publish.Denied', 'rtmp.too-many-attempts'],
      [peer('publish'), 'NetStream.Publish.BadName', 'rtmp.stream-taken'],
      [peer('play', 'nothing'), 'NetStream.Play.StreamNotFound', 'rtmp.stream-not-found'],
    ] as const;
    for (const [refused, status, code] of cases) {
      await vi.waitFor(() => expect(refused.isSocketClosed).toBe(true));
      expect(refused.reason?.detail).toContain(status);
      expect(lines.filter((line) => line.code === code).length).toBe(1);
    }
    expect(JSON.stringify(lines)).not.toMatch(/key=(bad|guess)/);
  });

  it('lets a viewer wait for a stream that somebody brings, who may go meanwhile', async () => {
    const asked: { path: string; answer: (stream: LiveStream | undefined) => void; gone: AbortSignal | undefined }[] = [];
    const bring: RtmpListenerOptions['bring'] = (ref, gone) => new Promise((answer) => asked.push({ path: ref.path, answer, gone }));
    const { hub, peer, lines } = await setUp({ bring });
    const [viewer, late, leaver] = [peer('play'), peer('play', 'late'), peer('play', 'left')];
    await vi.waitFor(() => expect(asked.map(({ path }) => path).toSorted()).toEqual(['live/late', 'live/left', 'live/show']));
    const of = (path: string) => asked.find((each) => each.path === path);
    await peer('publish').started();
    of('live/show')?.answer(hub.stream('live/show'));
    await viewer.started();
    of('live/late')?.answer(undefined);
    await vi.waitFor(() => expect(late.isSocketClosed).toBe(true));
    expect(lines.filter((line) => line.code === 'rtmp.source-not-started')).toHaveLength(1);
    leaver.socket.destroy();
    await vi.waitFor(() => expect(of('live/left')?.gone?.aborted).toBe(true));
    of('live/left')?.answer(hub.stream('live/show'));
  });

  it('lets another publisher take over where the app says so', async () => {
    const { peer } = await setUp({ secondPublisher: () => 'takeover' });
    const first = await peer('publish').started();
    await peer('publish').started();
    await vi.waitFor(() => expect(first.isSocketClosed).toBe(true));
    expect(first.reason?.code).toBe('rtmp.stream-ended');
  });

  it('ends publishers and viewers politely when it closes', async () => {
    const { peer, listener } = await setUp();
    const publisher = await peer('publish').started();
    const viewer = await peer('play').started();
    await listener.close();
    await vi.waitFor(() => expect([publisher.isSocketClosed, viewer.isSocketClosed]).toEqual([true, true]));
    expect([publisher.reason?.code, viewer.reason?.code]).toEqual(['rtmp.stream-ended', 'rtmp.stream-ended']);
  });

  it('closes whoever does not speak TLS on a listener that does', async () => {
    const { listener } = await setUp({ tls: localhostCertificate });
    const plain = connect(listener.port, '127.0.0.1').on('error', () => undefined);
    plain.end('GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(listener.stats().closedByCode.get('rtmp.tls-handshake')).toBe(1));
    expect(listener.stats().connectionsTotal).toBe(0);
    plain.destroy();
  });

  it('goes on counting when a stream is over', async () => {
    const { peer, listener, hub } = await setUp();
    const counts: number[] = [];
    for (const round of [1, 2]) {
      const publisher = await peer('publish').started();
      publisher.session.media('video', 0, sequenceHeader());
      publishFrames(publisher, 0, 40);
      const viewer = await peer('play').started();
      await vi.waitFor(() => expect(viewer.video().length).toBeGreaterThan(10));
      publisher.session.finish();
      await vi.waitFor(() => expect([viewer.isSocketClosed, hub.stream('live/show')]).toEqual([true, undefined]));
      counts.push(listener.stats().broadcasts.reduce((sum, { bytesOut }) => sum + bytesOut, 0));
      expect(counts).toHaveLength(round);
    }
    expect(counts[0]).toBeGreaterThan(1_000);
    expect(counts[1]).toBeGreaterThan((counts[0] ?? 0) + 1_000);
  });

  it('does not count loopback, limits connections in all, turns garbage away and times silence out', async () => {
    const { peer, listener } = await setUp({
      connectionsMax: 2,
      connectionsPerAddressMax: 1,
      session: { setupTimeoutMs: durationMs(300) },
    });
    const silent = connect(listener.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    const garbage = connect(listener.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await vi.waitFor(() => expect(listener.stats().connections).toBe(2));
    const third = peer('publish');
    await vi.waitFor(() => expect(third.isSocketClosed).toBe(true));
    garbage.write('GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(listener.stats().connections).toBe(0), 5_000);
    expect([...listener.stats().closedByCode.keys()].sort()).toEqual([
      'rtmp.handshake-timeout',
      'rtmp.handshake-version',
      'rtmp.too-many-connections',
    ]);
    silent.destroy();
  });

  it('names the port that is in use and the key that changes it', async () => {
    const { listener } = await setUp();
    await expect(setUp({ port: listener.port })).rejects.toThrow(/rtmp\.port/);
  });

  it('takes a decision that comes late for what it was asked about, not for what the connection asks since', async () => {
    const pending = new Map<string, (decision: AccessDecision) => void>();
    const { hub, peer } = await setUp({
      access: { admit: ({ ref }, decided) => void pending.set(ref.name, decided), isOpen: () => false, asksForPage: () => false },
    });
    const { session } = peer('publish', 'first');
    await vi.waitFor(() => expect(pending.has('first')).toBe(true));
    session['command']('deleteStream', 0, null, 1);
    session['link'].send(ChunkStreamId.status, MessageType.commandAmf0, 0, 1, encodeAmf0('publish', 5, null, 'second', 'live'));
    await vi.waitFor(() => expect(pending.has('second')).toBe(true));
    pending.get('first')?.('allowed');
    expect(hub.stream('live/first')).toBeUndefined();
    pending.get('second')?.('allowed');
    expect(hub.stream('live/second')).toBeDefined();
  });
});
