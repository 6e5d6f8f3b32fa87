import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SharedReply, SharedResponse } from '../shared-route.ts';
import { HttpServer } from './http-server.ts';

// Answers of a size that leaves from files, to clients that read, read slowly, ask for much at once, and go away.

const OPTIONS = {
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

function shared(sizeBytes: number): SharedResponse {
  const body = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => (index * 131 + (index >> 8)) & 0xff));
  const headers = ['Content-Type', 'video/mp4', 'Content-Length', String(sizeBytes)];
  return { status: 200, headers, chunks: [body.subarray(0, 1000), body.subarray(1000)], sizeBytes };
}

const PART = shared(58_629);
const SEGMENT = shared(250_000);
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

let server: HttpServer;
let port: number;
let held: SharedReply[];

async function start(keepAliveTimeoutMs: number): Promise<void> {
  server = new HttpServer({ ...OPTIONS, keepAliveTimeoutMs }, pino({ level: 'silent' }));
  held = [];
  server.addSharedRoute(({ path }, reply) => {
    if (path === '/part') reply.send(PART);
    else if (path === '/segment') reply.send(SEGMENT);
    else if (path === '/held') held.push(reply);
    else return false;
    return true;
  });
  port = await server.listen();
}

beforeEach(() => start(10_000));
afterEach(() => server.close(0));

/** Reads answers, checks their lengths and keeps their bodies' hashes. */
class Client {
  readonly socket: Socket = connect(port, '127.0.0.1');
  readonly bodies: string[] = [];
  isClosed = false;
  private rest: Buffer = Buffer.alloc(0);

  constructor() {
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    this.socket.on('data', (bytes: Buffer) => this.read(bytes));
  }

  private read(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (;;) {
      const end = this.rest.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      const head = this.rest.toString('latin1', 0, end);
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      const length = Number(/Content-Length: (\d+)/.exec(head)?.[1]);
      if (this.rest.length < end + length) return;
      this.bodies.push(hash(this.rest.subarray(end, end + length)));
      this.rest = this.rest.subarray(end + length);
    }
  }

  has(bodies: readonly string[]): Promise<void> {
    return expect.poll(() => this.bodies, { interval: 5, timeout: 20_000 }).toEqual(bodies) as Promise<void>;
  }
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bodyOf = ({ chunks }: SharedResponse): string => hash(Buffer.concat(chunks));
const [part, segment] = [bodyOf(PART), bodyOf(SEGMENT)];

it('gives everybody the same bytes, one after the other and pipelined', async () => {
  const clients = Array.from({ length: 20 }, () => new Client());
  for (const { socket } of clients) socket.write(GET('/part').repeat(5) + GET('/segment') + GET('/part'));
  for (const client of clients) await client.has([part, part, part, part, part, segment, part]);
  for (const { socket } of clients) socket.write(GET('/segment'));
  for (const client of clients) await client.has([part, part, part, part, part, segment, part, segment]);
  for (const { socket } of clients) socket.destroy();
});

it('goes on where a slow reader left off, in order and without a gap', async () => {
  const client = new Client();
  client.socket.pause();
  client.socket.write((GET('/segment') + GET('/part')).repeat(60));
  // The kernel takes no more, so the rest of an answer waits in Node.
  const asked = async (): Promise<number> => {
    const before = server.stats().requestsTotal;
    await new Promise((resolve) => setImmediate(resolve));
    return server.stats().requestsTotal - before;
  };
  await expect.poll(() => server.stats().requestsTotal, { interval: 5 }).toBeGreaterThan(1);
  for (let quiet = 0; quiet < 20; quiet++) if ((await asked()) > 0) quiet = 0;
  expect(server.stats().requestsTotal).toBeLessThan(120);
  client.socket.resume();
  await client.has(Array.from({ length: 60 }, () => [segment, part]).flat());
  client.socket.destroy();
});

it('survives peers that go away in the middle, and gives all descriptors back', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const steady = new Client();
  let count = 0;
  for (let round = 0; round < 30; round++) {
    const client = new Client();
    client.socket.write(GET('/segment').repeat(20));
    client.socket.once('data', () => (round % 2 === 0 ? client.socket.resetAndDestroy() : client.socket.destroy()));
    await expect.poll(() => client.isClosed, { interval: 2 }).toBe(true);
    steady.socket.write(GET('/part'));
    count++;
  }
  await steady.has(Array.from({ length: count }, () => part));
  steady.socket.destroy();
  await server.close(0);
  await expect.poll(() => readdirSync('/proc/self/fd').length, { interval: 5 }).toBeLessThan(before);
});

it('lets a connection wait for its next request from the answer on, however long its request was held', async () => {
  await server.close(0);
  await start(80);
  const client = new Client();
  const other = new Client();
  client.socket.write(GET('/part') + GET('/part') + GET('/held'));
  await expect.poll(() => held.length, { interval: 2 }).toBe(1);
  // Another's time-out tells that the time has passed.
  other.socket.write(GET('/part'));
  await expect.poll(() => other.isClosed, { interval: 2 }).toBe(true);
  expect(client.isClosed).toBe(false);
  held[0]?.send(PART);
  await client.has([part, part, part]);
  await expect.poll(() => client.isClosed, { interval: 2 }).toBe(true);
});
