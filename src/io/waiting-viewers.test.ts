import { once } from 'node:events';
import { createServer, get, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { durationMs, monotonicMs, type StreamRef, sizeBytes, streamRef, wallMs } from '../core/mod.ts';
import { makeHub } from '../hub/hub.fixture.ts';
import type { Hub, Publication } from '../hub/mod.ts';
import { feed } from '../media/source-frames.fixture.ts';
import { WhipEndpoint } from '../protocols/whip/mod.ts';
import { MemorySessions } from '../protocols/whip/whip-sessions.fixture.ts';
import { systemClock } from './clock.ts';
import { FlvRoute } from './flv/mod.ts';
import { HLS_DEFAULTS, HlsRoute } from './hls/mod.ts';
import { openGate } from './open-gate.fixture.ts';
import { StreamDoor } from './stream-door.ts';
import { WHIP_ROUTE_DEFAULTS, WhipRoute } from './webrtc/mod.ts';

const SDP = { 'content-type': 'application/sdp' };
const log = pino({ level: 'silent' });

/** How the first viewer of a stream asks for it, and what tells that the stream came, is missing, did not come. */
const OUTPUTS = [
  [
    'HTTP-FLV',
    {
      path: '/live/show.flv',
      method: 'GET',
      came: 200,
      missing: 'flv.stream-not-found',
      late: 'flv.source-not-started',
      closing: 'flv.closing',
    },
  ],
  [
    'HLS',
    {
      path: '/live/show/index.m3u8',
      method: 'GET',
      came: 200,
      missing: 'hls.not-found',
      late: 'hls.source-not-started',
      closing: 'hls.closing',
    },
  ],
  [
    'WHEP',
    { path: '/live/show/whep', method: 'POST', came: 201, missing: '', late: 'whip.source-not-started', closing: 'whip.unavailable' },
  ],
] as const;

let hub: Hub;
let door: StreamDoor;
let supplied: string[];
let hls: HlsRoute;
let flv: FlvRoute;
let whip: WhipRoute;
let endpoint: WhipEndpoint;
let server: Server;
let port: number;

function setUp(waitMsMax: number): void {
  const streamStarted = ({ path }: StreamRef): void => {
    const stream = hub.stream(path);
    if (stream !== undefined) hls.streamStarted(stream);
    door.streamChanged(path);
  };
  hub = makeHub({}, { streamStarted });
  supplied = [];
  door = new StreamDoor({ find: (path) => hub.stream(path), waitMsMax, waitersMax: 100 });
  door.add({
    supply: ({ path, name }: StreamRef) => {
      supplied.push(path);
      return name === 'show';
    },
  });
  const { find, bring } = door;
  const broadcast = { batchMs: durationMs(5), sendQueueBytesMax: sizeBytes(1_000_000), stalledMsMax: durationMs(10_000) };
  hls = new HlsRoute({ ...HLS_DEFAULTS, log, clock: systemClock, access: openGate, find, bring });
  flv = new FlvRoute({
    log,
    clock: systemClock,
    access: openGate,
    find,
    bring,
    broadcast,
    gopCacheBytesMax: sizeBytes(1_000_000),
    viewersMax: 10,
  });
  endpoint = new WhipEndpoint(new MemorySessions(), { randomBytes: (length) => new Uint8Array(length) }, { nodeId: 'n1', iceServers: [] });
  whip = new WhipRoute({ ...WHIP_ROUTE_DEFAULTS, log, access: openGate, endpoint, door });
}

beforeEach(async () => {
  setUp(10_000);
  server = createServer((incoming, response) => {
    const { url = '' } = incoming;
    for (const route of [hls.route, flv.handle, whip.handle]) if (route(incoming, response, url, '')) return;
    response.writeHead(418).end();
  });
  server.on(
    'upgrade',
    (incoming: IncomingMessage, socket: Socket, head: Buffer) => flv.upgrade(incoming, socket, head) || socket.destroy(),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  await Promise.all([hls.close(), flv.close()]);
  door.close();
  server.closeAllConnections();
  server.close();
});

function publishShow(): Publication {
  const publisher = { protocol: 'pull', address: '', agent: '' } as const;
  const source = { evicted: () => undefined };
  return hub.publish(streamRef('live', 'show'), publisher, source, 'reject', monotonicMs(0), wallMs(0)) as Publication;
}

const awaited = (): Promise<void> => expect.poll(() => door.isAwaited('live/show'), { interval: 5 }).toBe(true) as Promise<void>;
const nobody = (): Promise<void> => expect.poll(() => door.waitingCount, { interval: 5 }).toBe(0) as Promise<void>;

function ask(path: string, method: string): { answered: Promise<IncomingMessage>; leave: () => void } {
  const outgoing = request({ port, path, method, headers: method === 'POST' ? SDP : {}, agent: false });
  outgoing.on('error', () => undefined).end(method === 'POST' ? 'v=0\r\n' : undefined);
  const answered = once(outgoing, 'response').then(([answer]) => answer as IncomingMessage);
  answered.catch(() => undefined);
  return { answered, leave: () => outgoing.destroy() };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe.each(OUTPUTS)('a viewer by %s', (_, { path, method, came, missing, late, closing }) => {
  it('waits for a stream that somebody brings, until it has tracks', async () => {
    const { answered } = ask(path, method);
    await awaited();
    const publication = publishShow();
    feed(publication, { fromMs: 0, untilMs: 5_000 });
    const answer = await answered;
    expect(answer.statusCode).toBe(came);
    expect(supplied).toEqual(['live/show']);
    answer.destroy();
  });

  it('learns that it did not come in time', async () => {
    setUp(20);
    const answer = await ask(path, method).answered;
    expect(answer.statusCode).toBe(404);
    expect(await textOf(answer)).toContain(late);
  });

  it('costs nothing once it has gone', async () => {
    const { leave } = ask(path, method);
    await awaited();
    leave();
    await nobody();
  });

  it('is answered at once when the server stops', async () => {
    const { answered } = ask(path, method);
    await awaited();
    await Promise.all([hls.close(), flv.close()]);
    whip.close();
    door.close();
    const answer = await answered;
    expect(answer.statusCode).toBe(503);
    expect(await textOf(answer)).toContain(closing);
  });

  it('does not wait for what nobody brings', async () => {
    const answer = await ask(path.replace('show', 'other'), method).answered;
    expect(await textOf(answer)).toContain(missing);
    expect({ waiting: door.waitingCount, supplied }).toEqual({ waiting: 0, supplied: ['live/other'] });
  });
});

it('a viewer by WHEP waits for the tracks of a stream that has only just begun, which is not brought once more for it', async () => {
  const publication = publishShow();
  const { answered } = ask('/live/show/whep', 'POST');
  await awaited();
  feed(publication, { fromMs: 0, untilMs: 2_000 });
  expect((await answered).statusCode).toBe(201);
  expect((await ask('/live/show/whep', 'POST').answered).statusCode).toBe(201);
  expect(supplied).toEqual([]);
});

it('a viewer by WHEP is answered by the endpoint when no tracks come in time', async () => {
  setUp(20);
  publishShow();
  expect((await ask('/live/show/whep', 'POST').answered).statusCode).toBe(201);
  expect(endpoint.stats().refusedByCode.get('whip.source-not-started')).toBeUndefined();
  expect(door.waitingCount).toBe(0);
});

it('who waited in vain is counted among those refused, by whatever protocol', async () => {
  setUp(20);
  for (const [, { path, method }] of OUTPUTS) (await ask(path, method).answered).resume();
  expect(flv.stats().refusedByCode.get('flv.source-not-started')).toBe(1);
  expect(endpoint.stats().refusedByCode.get('whip.source-not-started')).toBe(1);
});

it('a viewer by WebSocket waits, too, and may go', async () => {
  const gone = new WebSocket(`ws://127.0.0.1:${port}/live/show.flv`);
  gone.on('error', () => undefined);
  await awaited();
  gone.terminate();
  await nobody();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live/show.flv`);
  await awaited();
  feed(publishShow(), { fromMs: 0, untilMs: 2_000 });
  const [first] = (await once(socket, 'message')) as [Buffer];
  expect(first.subarray(0, 3).toString('latin1')).toBe('FLV');
  socket.terminate();
});

it('many viewers by HLS wait at one place at the door, and asking for a file of it starts nothing', async () => {
  const answers = [1, 2, 3].map(() => new Promise<IncomingMessage>((resolve) => get({ port, path: '/live/show/index.m3u8' }, resolve)));
  await expect.poll(() => hls.stats().waiting, { interval: 5 }).toBe(3);
  expect(door.waitingCount).toBe(1);
  feed(publishShow(), { fromMs: 0, untilMs: 5_000 });
  for (const answer of await Promise.all(answers)) expect(answer.statusCode).toBe(200);
  const file = await ask('/live/other/source/1.m4s', 'GET').answered;
  expect(file.statusCode).toBe(404);
  expect(supplied).toEqual(['live/show']);
});

it('a viewer by HLS has a stream brought again that is over, though its playlists are still there to be played out', async () => {
  const publication = publishShow();
  feed(publication, { fromMs: 0, untilMs: 5_000 });
  expect((await ask('/live/show/index.m3u8', 'GET').answered).statusCode).toBe(200);
  publication.finish(monotonicMs(5_000));
  const over = await ask('/live/show/source/media.m3u8', 'GET').answered;
  expect(await textOf(over)).toContain('#EXT-X-ENDLIST');
  expect(supplied).toEqual([]);
  const { answered } = ask('/live/show/index.m3u8', 'GET');
  await awaited();
  feed(publishShow(), { fromMs: 0, untilMs: 5_000 });
  expect((await answered).statusCode).toBe(200);
  expect(await textOf(await ask('/live/show/source/media.m3u8', 'GET').answered)).not.toContain('#EXT-X-ENDLIST');
});
