import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SocketPairs, until } from './broadcast.fixture.ts';
import { descriptorOf, SharedFile } from './shared-file.ts';
import { loadNative } from './webrtc/native-kernel.ts';

let pairs: SocketPairs;
beforeEach(async () => {
  pairs = new SocketPairs();
  await pairs.open();
});
afterEach(() => pairs.close());

const hasFiles = process.platform === 'linux' && typeof loadNative() !== 'string';
const pattern = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 131 + (index >> 8)) & 0xff));

describe('descriptorOf', () => {
  it('gives that of an idle TCP socket', async () => {
    const { server } = await pairs.pair();
    expect(descriptorOf(server)).toBeGreaterThan(2);
  });

  it('gives none while Node has bytes to write, and again when it has none', async () => {
    const { server, client } = await pairs.pair();
    client.pause();
    while (!server.writableNeedDrain) server.write(Buffer.alloc(1 << 20));
    expect(descriptorOf(server)).toBe(-1);
    client.resume();
    await until(() => server.writableLength === 0);
    expect(descriptorOf(server)).toBeGreaterThan(2);
    server.cork();
    server.write('x');
    expect(descriptorOf(server)).toBe(-1);
  });

  it('gives none of a socket that was ended or destroyed', async () => {
    const { server, client } = await pairs.pair();
    server.end();
    client.destroy();
    expect([descriptorOf(server), descriptorOf(client)]).toEqual([-1, -1]);
  });

  it('gives none of what is encrypted, not connected, or no TCP socket', async () => {
    const { server } = await pairs.pair();
    expect(descriptorOf(new TLSSocket(server, { isServer: true }))).toBe(-1);
    expect(descriptorOf(new Socket())).toBe(-1);
    expect(descriptorOf(new Duplex())).toBe(-1);
    const path = join(tmpdir(), `sluice-descriptor-${process.pid}`);
    const listener = createServer().listen(path);
    await once(listener, 'listening');
    const local = connect(path);
    await once(local, 'connect');
    expect(descriptorOf(local)).toBe(-1);
    local.destroy();
    listener.close();
  });
});

describe.skipIf(!hasFiles)('SharedFile', () => {
  it('sends its bytes to many, and says how many each took', async () => {
    const body = pattern(100_000);
    const file = SharedFile.make([body.subarray(0, 10), body.subarray(10)]) as SharedFile;
    const both = [await pairs.pair(), await pairs.pair()];
    const received = both.map(({ client }) => {
      const chunks: Buffer[] = [];
      client.on('data', (chunk: Buffer) => chunks.push(chunk));
      return chunks;
    });
    const descriptors = Int32Array.from([...both.map(({ server }) => descriptorOf(server)), -1]);
    file.sendToAll(descriptors, 2, 90_000);
    expect([...descriptors]).toEqual([10_000, 10_000, -1]);
    expect(file.send(descriptorOf(both[0]?.server as Socket))).toBe(100_000);
    file.close();
    await until(() => Buffer.concat(received[0] ?? []).length === 110_000 && Buffer.concat(received[1] ?? []).length === 10_000);
    expect(Buffer.concat(received[0] ?? [])).toEqual(Buffer.concat([body.subarray(90_000), body]));
    expect(Buffer.concat(received[1] ?? [])).toEqual(body.subarray(90_000));
  });

  it('takes nothing once it is closed', async () => {
    const { server } = await pairs.pair();
    const file = SharedFile.make([pattern(10)]) as SharedFile;
    file.close();
    file.close();
    const descriptors = Int32Array.of(descriptorOf(server));
    expect(file.send(descriptorOf(server))).toBe(0);
    file.sendToAll(descriptors, 1, 0);
    expect(descriptors[0]).toBe(0);
  });

  it('has a limit of files and of bytes, and gives them back', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (const sizeBytes of [100, 10 << 20]) {
      const files: SharedFile[] = [];
      for (;;) {
        const file = SharedFile.make([Buffer.alloc(sizeBytes)]);
        if (file === undefined) break;
        files.push(file);
      }
      expect(files.length).toBe(sizeBytes === 100 ? 256 : 6);
      for (const file of files) file.close();
      expect(readdirSync('/proc/self/fd').length).toBe(before);
    }
  });
});
