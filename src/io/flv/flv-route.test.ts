import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AccessGate, AdmittedSessions } from '../../access/mod.ts';
import { durationMs, monotonicMs, sizeBytes, streamRef, wallMs } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Hub, Publication } from '../../hub/mod.ts';
import { feed } from '../../media/source-frames.fixture.ts';
import { until } from '../broadcast.fixture.ts';
import { systemClock } from '../clock.ts';
import { openGate } from '../open-gate.fixture.ts';
import { FlvRoute } from './mod.ts';

let hub: Hub;
let route: FlvRoute;
let admitted: AdmittedSessions;
let server: Server;
let http2Server: Http2Server;
let publication: Publication;
let port: number;
const sockets = new Set<Socket>();

beforeEach(async () => {
  const ignore = (): void => undefined;
  hub = makeHub();
  publication = hub.publish(
    streamRef('live', 'show'),
    { protocol: 'rtmp', address: '127.0.0.1', agent: '' },
    { evicted: ignore },
    'reject',
    monotonicMs(0),
    wallMs(0),
  ) as Publication;
  feed(publication, { fromMs: 0, untilMs: 1_000 });
  route = routeBehind(openGate);
  server = createServer((incoming, response) => {
    if (!route.handle(incoming, response, incoming.url ?? '', '')) response.writeHead(418).end();
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!route.upgrade(incoming, socket, head)) socket.destroy();
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  http2Server = createHttp2Server((incoming, response) => {
    if (!route.handle(incoming, response, incoming.url, '')) response.writeHead(418).end();
  });
  http2Server.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(http2Server, 'listening')]);
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  await route.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  http2Server.close();
});

function routeBehind(access: AccessGate): FlvRoute {
  admitted = new AdmittedSessions(() => false);
  return new FlvRoute({
    log: pino({ level: 'silent' }),
    clock: systemClock,
    access,
    admitted,
    find: (path) => hub.stream(path),
    broadcast: { batchMs: durationMs(5), sendQueueBytesMax: sizeBytes(1_000_000), stalledMsMax: durationMs(10_000) },
    gopCacheBytesMax: sizeBytes(1_000_000),
    viewersMax: 3,
  });
}

/** Lets everybody in by the same key, later than at once. */
const laterByKey: AccessGate = {
  admit: ({ letInBy }, decided) => {
    letInBy?.('key.a');
    setImmediate(() => decided('allowed'));
  },
  isOpen: () => false,
  asksForPage: () => false,
};

async function ask(method: string, path: string): Promise<{ answer: IncomingMessage; body: string }> {
  const [answer] = (await once(request({ port, method, path, agent: false }).end(), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { answer, body: Buffer.concat(chunks).toString() };
}

/** Plays by a plain socket and collects what comes. */
function play(text = 'GET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\n'): { socket: Socket; bytes: () => Buffer; isEnded: () => boolean } {
  const socket = connect(port, '127.0.0.1');
  let bytes: Buffer = Buffer.alloc(0);
  let isEnded = false;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isEnded = true;
  });
  socket.write(text);
  return { socket, bytes: () => bytes, isEnded: () => isEnded };
}

const bodyOf = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);

/** Types of the tags of an FLV file; fails on anything that is not a whole number of tags. */
function tagTypes(file: Buffer): number[] {
  expect(file.toString('latin1', 0, 3)).toBe('FLV');
  const types: number[] = [];
  let at = 13;
  while (at < file.length) {
    types.push(file[at] ?? 0);
    const length = 11 + file.readUIntBE(at + 1, 3);
    expect(file.readUInt32BE(at + length)).toBe(length);
    at += length + 4;
  }
  expect(at).toBe(file.length);
  return types;
}

describe('FlvRoute over HTTP', () => {
  it('plays from the cached GOP on and ends with the stream', async () => {
    const viewer = play();
    await until(() => viewer.bytes().length > 5_000);
    const joinedAt = viewer.bytes().length;
    expect(publication.stream.viewers.get('flv')).toBe(1);
    feed(publication, { fromMs: 1_000, untilMs: 2_000 });
    await until(() => viewer.bytes().length > joinedAt + 5_000);
    publication.finish(monotonicMs(2_000));
    await until(viewer.isEnded);
    const head = viewer.bytes().toString('latin1').split('\r\n\r\n')[0] ?? '';
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'content-type: video/x-flv',
      'cache-control: no-store',
      'access-control-allow-origin: *',
      'connection: close',
    ]);
    const types = tagTypes(bodyOf(viewer.bytes()));
    expect(types.slice(0, 3)).toEqual([18, 9, 8]);
    expect(types.filter((type) => type === 9)).toHaveLength(1 + 50);
    expect(route.stats()).toMatchObject({ viewers: 0, joined: 1, skips: 0 });
    expect(route.stats().bytesOut).toBe(bodyOf(viewer.bytes()).length);
  });

  it('plays over HTTP/2', async () => {
    const session = connectHttp2(`http://127.0.0.1:${(http2Server.address() as AddressInfo).port}`);
    const stream = session.request({ ':path': '/live/show.flv' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'video/x-flv' });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await until(() => chunks.length > 0);
    publication.finish(monotonicMs(1_000));
    await once(stream, 'close');
    expect(tagTypes(Buffer.concat(chunks)).length).toBeGreaterThan(50);
    session.close();
  });

  it('answers HEAD, OPTIONS and other methods', async () => {
    const head = await ask('HEAD', '/live/show.flv');
    expect(head.answer).toMatchObject({ statusCode: 200, headers: { 'content-type': 'video/x-flv' } });
    const options = await ask('OPTIONS', '/live/show.flv');
    expect(options.answer).toMatchObject({ statusCode: 204, headers: { 'access-control-allow-methods': 'GET, HEAD, OPTIONS' } });
    const post = await ask('POST', '/live/show.flv');
    expect(post.answer).toMatchObject({
      statusCode: 405,
      headers: { allow: 'GET, HEAD, OPTIONS', 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(post.body)).toMatchObject({ status: 405, code: 'flv.method-not-allowed' });
  });

  it('says 404 for a stream that is not there and leaves other paths alone', async () => {
    const missing = await ask('GET', '/live/other.flv');
    expect(missing.answer).toMatchObject({
      statusCode: 404,
      headers: { 'content-type': 'application/problem+json', 'access-control-allow-origin': '*' },
    });
    expect(JSON.parse(missing.body)).toMatchObject({ code: 'flv.stream-not-found' });
    for (const path of ['/live/show', '/show.flv', '/live/a/show.flv', '/live/%2e%2e.flv', '/../show.flv', '/live/a..b.flv']) {
      expect((await ask('GET', path)).answer.statusCode).toBe(418);
    }
  });

  it('refuses viewers above its limit and while it closes', async () => {
    const viewers = [play(), play(), play()];
    await until(() => viewers.every((viewer) => viewer.bytes().length > 0));
    expect(JSON.parse((await ask('GET', '/live/show.flv')).body)).toMatchObject({ status: 503, code: 'flv.too-many-viewers' });
    await route.close();
    await until(() => viewers.every((viewer) => viewer.isEnded()));
    expect(JSON.parse((await ask('GET', '/live/show.flv')).body)).toMatchObject({ code: 'flv.closing' });
    expect([...route.stats().refusedByCode]).toEqual([
      ['flv.too-many-viewers', 1],
      ['flv.closing', 1],
    ]);
  });

  it('closes a connection that asks again behind the media', async () => {
    const viewer = play('GET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\nGET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(viewer.isEnded);
    await until(() => route.stats().viewers === 0);
  });

  it('survives viewers that send garbage or vanish', async () => {
    const other = play();
    const noisy = play('GET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\n\u0000\u0001garbage\r\n\r\n');
    await until(noisy.isEnded);
    const vanishing = play();
    await until(() => vanishing.bytes().length > 0);
    vanishing.socket.resetAndDestroy();
    feed(publication, { fromMs: 1_000, untilMs: 2_000 });
    await until(() => route.stats().viewers === 1);
    expect(other.isEnded()).toBe(false);
  });
});

describe('FlvRoute over WebSocket', () => {
  const open = (path = '/live/show.flv'): WebSocket => new WebSocket(`ws://127.0.0.1:${port}${path}`);

  it('plays as binary messages and says goodbye with the stream', async () => {
    const webSocket = open();
    const messages: Buffer[] = [];
    webSocket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(true);
      messages.push(data);
    });
    await until(() => messages.length > 0);
    feed(publication, { fromMs: 1_000, untilMs: 2_000 });
    publication.finish(monotonicMs(2_000));
    const [code] = (await once(webSocket, 'close')) as [number];
    expect(code).toBe(1001);
    expect(tagTypes(Buffer.concat(messages)).filter((type) => type === 9)).toHaveLength(1 + 50);
  });

  it('answers pings', async () => {
    const webSocket = open();
    await once(webSocket, 'open');
    webSocket.ping('hello');
    const [data] = (await once(webSocket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('hello');
    webSocket.terminate();
  });

  it('closes a viewer that sends anything, or too much', async () => {
    const chatty = open();
    await once(chatty, 'open');
    chatty.send('hello');
    expect((await once(chatty, 'close'))[0]).toBe(1003);
    const flooding = open();
    await once(flooding, 'open');
    flooding.on('error', () => undefined);
    flooding.send(Buffer.alloc(10_000));
    await once(flooding, 'close');
    await until(() => route.stats().viewers === 0);
  });

  it('ends with what let it in, over HTTP/1.1, HTTP/2 and WebSocket, and leaves nothing behind', async () => {
    route = routeBehind(laterByKey);
    const join = async (): Promise<(() => boolean)[]> => {
      const plain = play();
      const client = connectHttp2(`http://127.0.0.1:${(http2Server.address() as AddressInfo).port}`);
      const stream = client.request({ ':path': '/live/show.flv' });
      let closed = 0;
      stream.on('error', () => undefined).on('close', () => closed++);
      stream.resume();
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/live/show.flv`);
      webSocket.on('error', () => undefined).on('close', () => closed++);
      await until(() => route.stats().viewers === 3);
      leave = () => {
        plain.socket.destroy();
        stream.close();
        webSocket.terminate();
        client.destroy();
      };
      return [plain.isEnded, () => closed === 2];
    };
    let leave = (): void => undefined;
    const ended = await join();
    expect(admitted.end('key.a')).toBe(3);
    await until(() => ended.every((each) => each()) && route.stats().viewers === 0);
    leave();
    await join();
    leave();
    await until(() => route.stats().viewers === 0);
    await until(() => admitted.end('key.a') === 0);
  });

  it('says 404 on upgrade to a stream that is not there', async () => {
    const webSocket = open('/live/other.flv');
    const [, answer] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(answer.statusCode).toBe(404);
    webSocket.on('error', () => undefined);
    webSocket.terminate();
  });
});
