import { connect, type Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedReply, SharedResponse } from '../shared-route.ts';
import { HttpServer, type HttpServerOptions } from './http-server.ts';

const OPTIONS: HttpServerOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: { certFile: '', keyFile: '', hstsMaxAgeS: 0 },
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
  headersBytesMax: 4096,
  connectionsMax: 100,
  connectionsPerAddressMax: 100,
};

const shared = (body: Buffer, status = 200): SharedResponse => ({
  status,
  headers: ['Content-Type', 'video/mp4', 'Content-Length', String(body.length), 'Access-Control-Allow-Origin', '*'],
  chunks: [body.subarray(0, 1), body.subarray(1)],
  sizeBytes: body.length,
});
const PART = shared(Buffer.from('part'));
const LARGE = shared(Buffer.alloc(8 << 20, 'x'));

let server: HttpServer;
let port: number;
let held: { readonly reply: SharedReply; readonly agent: string }[];

async function start(more: Partial<HttpServerOptions> = {}): Promise<void> {
  server = new HttpServer({ ...OPTIONS, ...more }, pino({ level: 'silent' }));
  held = [];
  server.addSharedRoute(({ path, query, userAgent, remote }, reply) => {
    if (path === '/part') reply.send(PART);
    else if (path === '/large') reply.send(LARGE);
    else if (path === '/echo') reply.send(shared(Buffer.from(`${query}|${userAgent}|${remote}`), 404));
    else if (path === '/held') held.push({ reply, agent: userAgent });
    else if (path === '/bug') throw new Error('bug');
    else return false;
    return true;
  });
  // What comes here was handed over.
  server.addMediaRoute((request, response, path) => {
    request.resume();
    const body = `node ${request.method} ${path} ${request.headers.range ?? '-'}`;
    (response as { end(text: string): void }).end(body);
    return true;
  });
  port = await server.listen();
}

beforeEach(() => start());
afterEach(() => server.close(0));

/** A client that collects what comes. */
class Client {
  readonly socket: Socket = connect(port, '127.0.0.1');
  text = '';
  isClosed = false;

  constructor() {
    this.socket.setEncoding('latin1').on('error', () => undefined);
    this.socket.on('data', (chunk: string) => {
      this.text += chunk;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(bytes: string): this {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  bodies(): string[] {
    return this.text.split(/HTTP\/1\.1 \d+ [^\r]*\r\n(?:[^\r]+\r\n)*\r\n/).slice(1);
  }

  async has(...bodies: string[]): Promise<void> {
    await expect.poll(() => this.bodies(), { interval: 5 }).toEqual(bodies);
  }

  closed(): Promise<void> {
    return expect.poll(() => this.isClosed, { interval: 5 }).toBe(true) as Promise<void>;
  }
}

const get = (path: string, more = '', method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

describe('a connection without TLS', () => {
  it('is answered with the shared bytes and everything that an answer has to have', async () => {
    const client = new Client().send(get('/part'));
    await client.has('part');
    expect(client.text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nContent-Type: video\/mp4\r\nContent-Length: 4\r\nAccess-Control-Allow-Origin: \*\r\n/,
    );
    expect(client.text).toMatch(
      /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=10\r\n\r\n/,
    );
    client.send(get('/part'));
    await client.has('part', 'part');
    expect(server.stats()).toMatchObject({ requestsTotal: 2, connections: 1, connectionsTotal: 1 });
    client.socket.destroy();
  });

  it('gets the head alone for HEAD, the length of the body in it', async () => {
    const client = new Client().send(get('/part', '', 'HEAD') + get('/part'));
    await client.has('', 'part');
    expect(client.text.match(/Content-Length: 4/g)).toHaveLength(2);
    client.socket.destroy();
  });

  it('tells the route query, agent and address', async () => {
    const client = new Client().send(get('/echo?a=b', 'User-Agent: player\r\n'));
    await client.has('a=b|player|127.0.0.1');
    expect(client.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    client.socket.destroy();
  });

  it('gets answers to pipelined requests in order, those that are held, too', async () => {
    const client = new Client().send(get('/part') + get('/held') + get('/echo') + get('/held') + get('/part'));
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    await client.has('part');
    held[0]?.reply.send(shared(Buffer.from('first')));
    await expect.poll(() => held.length, { interval: 5 }).toBe(2);
    held[1]?.reply.send(shared(Buffer.from('second')));
    await client.has('part', 'first', '||127.0.0.1', 'second', 'part');
    client.socket.destroy();
  });

  it('is answered once for each request', async () => {
    const client = new Client().send(get('/held'));
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    expect([held[0]?.reply.send(PART), held[0]?.reply.send(PART)]).toEqual([4, 0]);
    client.send(get('/echo'));
    await client.has('part', '||127.0.0.1');
    client.socket.destroy();
  });

  it.each([
    ['another path', get('/other'), ['node GET /other -']],
    ['another method', get('/part', '', 'OPTIONS'), ['node OPTIONS /part -']],
    ['a range', get('/part', 'Range: bytes=1-2\r\n'), ['node GET /part bytes=1-2']],
    [
      'a body, whose bytes are not taken for a request',
      `${get('/part', 'Content-Length: 5\r\n')}GET /${get('/part')}`,
      ['node GET /part -', 'node GET /part -'],
    ],
    ['a chunked body', `${get('/part', 'Transfer-Encoding: chunked\r\n')}5\r\nGET /\r\n0\r\n\r\n`, ['node GET /part -']],
    ['what was pipelined behind', get('/part') + get('/other') + get('/part'), ['part', 'node GET /other -', 'node GET /part -']],
  ])('is handed over for good with %s', async (_title, bytes, bodies) => {
    const client = new Client().send(bytes);
    await client.has(...bodies);
    client.send(get('/part'));
    await client.has(...bodies, 'node GET /part -');
    expect(server.stats().requestsTotal).toBe(bodies.length + 1);
    client.socket.destroy();
  });

  it('is handed over with a head that comes in pieces, wherever it is cut', async () => {
    const text = get('/part', 'User-Agent: u\r\n');
    for (let cut = 1; cut < text.length; cut += 7) {
      const client = new Client().send(get('/part') + text.slice(0, cut));
      await client.has('part');
      client.send(text.slice(cut));
      await client.has('part', 'node GET /part -');
      client.socket.destroy();
    }
  });

  it('is closed after a last request', async () => {
    const client = new Client().send(get('/part') + get('/part', 'Connection: close\r\n'));
    await client.closed();
    expect(client.bodies()).toEqual(['part', 'node GET /part -']);
  });

  it.each([
    ['garbage', '\u0003\0garbage\r\n\r\n', 400],
    ['no Host', 'GET /part HTTP/1.1\r\n\r\n', 400],
    ['a head that is too large', get('/part', `A: ${'a'.repeat(5000)}\r\n`), 431],
    ['a body of two lengths', get('/part', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), 400],
  ])('is answered with a refusal for %s behind good requests', async (_title, bytes, status) => {
    const client = new Client().send(get('/part') + bytes);
    await client.closed();
    expect(client.text).toContain(`HTTP/1.1 ${status} `);
    expect(client.bodies()[0]).toBe('part');
  });

  it('holds back further answers while the peer does not read, and loses none', async () => {
    const client = new Client();
    client.socket.pause();
    client.send(get('/large').repeat(20));
    await expect.poll(() => server.stats().requestsTotal, { interval: 5 }).toBeGreaterThan(0);
    expect(server.stats().requestsTotal).toBeLessThan(20);
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: string) => {
      bytes += chunk.length;
    });
    client.socket.resume();
    await expect.poll(() => bytes, { interval: 20, timeout: 20_000 }).toBeGreaterThan(20 * LARGE.sizeBytes);
    client.socket.destroy();
  });

  it('survives a broken route, which costs only that connection', async () => {
    await new Client().send(get('/bug')).closed();
    const client = new Client().send(get('/part'));
    await client.has('part');
    client.socket.destroy();
  });

  it('is known as gone when it closes while its request is held', async () => {
    const client = new Client().send(get('/held'));
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    expect(held[0]?.reply.isGone).toBe(false);
    client.socket.end();
    await expect.poll(() => held[0]?.reply.isGone, { interval: 5 }).toBe(true);
    expect(held[0]?.reply.send(PART)).toBe(0);
  });

  it('may end its side behind its requests', async () => {
    const client = new Client();
    client.socket.end(get('/part') + get('/large'), 'latin1');
    await client.closed();
    expect(client.bodies().map((body) => body.length)).toEqual([4, LARGE.sizeBytes]);
  });
});

describe('time-outs and the end', () => {
  it('closes a connection that asks for nothing, and one that asks for nothing more', async () => {
    await server.close(0);
    await start({ headersTimeoutMs: 100, keepAliveTimeoutMs: 200 });
    const silent = new Client();
    const idle = new Client().send(get('/part'));
    await Promise.all([silent.closed(), idle.closed()]);
    expect([silent.text, idle.bodies()]).toEqual(['', ['part']]);
  });

  it('keeps one whose request is held', async () => {
    await server.close(0);
    await start({ keepAliveTimeoutMs: 50 });
    const client = new Client().send(get('/held'));
    const other = new Client().send(get('/part'));
    await other.closed();
    held[0]?.reply.send(PART);
    await client.has('part');
    await client.closed();
  });

  it('ends idle connections at once and the others behind their answer', async () => {
    const idle = new Client().send(get('/part'));
    const busy = new Client().send(get('/held'));
    await idle.has('part');
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    const closed = server.close(10_000);
    await idle.closed();
    expect(busy.isClosed).toBe(false);
    held[0]?.reply.send(PART);
    await busy.closed();
    expect(busy.bodies()).toEqual(['part']);
    await closed;
  });
});
