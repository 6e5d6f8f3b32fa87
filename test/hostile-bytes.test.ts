import { randomBytes } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ServerProcess } from './fixtures/server-process.ts';

const CONNECTIONS = 300;
const WAIT = { timeout: 30_000, interval: 100 };

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ demo: true, environment: { SLUICE_RTMP_HANDSHAKE_TIMEOUT_MS: '1000' } });
});
afterAll(async () => {
  expect(await server?.close()).toBe(0);
});

/** Sends `bytes` and waits until the server has closed the connection, or for `patienceMs`, after which we close it. */
function throwAt(port: number, bytes: Uint8Array, patienceMs = 500): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}

const handshake = Buffer.concat([Buffer.of(3), Buffer.alloc(1536 * 2)]);
const attacks: Readonly<Record<string, () => Buffer>> = {
  'random bytes': () => randomBytes(5000),
  'a handshake and random chunks': () => Buffer.concat([handshake, randomBytes(5000)]),
  'a message of 16 MB announced': () => Buffer.concat([handshake, Buffer.from('0300000000ffffff0900000000', 'hex'), randomBytes(5000)]),
  'AMF nested without end': () => Buffer.concat([handshake, Buffer.from('03000000000fff1400000000', 'hex'), Buffer.alloc(4095, 0x0a)]),
  'half a request': () => Buffer.from('GET /live/demo.flv HTTP/1.1\r\nHost: x'),
  'a path that climbs': () => Buffer.from('GET /live/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n'),
  'endless headers': () => Buffer.from(`GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(20_000)}`),
};

describe('hostile bytes', () => {
  it('cost the one who sends them the connection, and nobody else anything', async () => {
    const viewer = await vi.waitFor(
      () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          get(`${server.httpUrl}/live/demo.flv`, (response) =>
            response.statusCode === 200 ? resolve(response) : reject(new Error(`status ${response.statusCode}`)),
          ).once('error', reject);
        }),
      WAIT,
    );
    let bytes = 0;
    let hasEnded = false;
    viewer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    viewer.once('close', () => {
      hasEnded = true;
    });
    const makers = Object.values(attacks);
    const round = async (): Promise<void> => {
      for (let sent = 0; sent < CONNECTIONS; sent += 30) {
        const salvo = Array.from({ length: 30 }, (_, index) => {
          const make = makers[(sent + index) % makers.length] as () => Buffer;
          return throwAt(index % 2 === 0 ? server.rtmpPort : server.httpPort, make());
        });
        await Promise.all(salvo);
      }
    };
    await round();
    const settledBytes = server.rssBytes();
    await round();
    expect(server.rssBytes() - settledBytes).toBeLessThan(64 * 1024 * 1024);

    const seen = bytes;
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(seen + 100_000), WAIT);
    expect(hasEnded).toBe(false);
    const closes = server.log.filter((line) => String(line['code']).startsWith('rtmp.') && line['stream'] === undefined);
    expect(closes.length).toBeGreaterThan(0);
    expect(server.log.some((line) => line['level'] === 60)).toBe(false);
    viewer.destroy();
  });
});
