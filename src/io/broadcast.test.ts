import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, sizeBytes, wallMs } from '../core/mod.ts';
import { emptyStream, MemorySocket, NumberedPackager, SocketPairs, UnitReader, until } from './broadcast.fixture.ts';
import { Broadcaster, type BroadcastOptions } from './broadcast.ts';
import type { Framing } from './viewer-socket.ts';

const KIB = 1024;
let pairs: SocketPairs;
beforeEach(async () => {
  pairs = new SocketPairs();
  await pairs.open();
});
afterEach(() => pairs.close());

function makeBroadcaster(overrides: Partial<BroadcastOptions> = {}) {
  const options = { batchMs: durationMs(5), sendQueueBytesMax: sizeBytes(256 * KIB), stalledMsMax: durationMs(10_000), ...overrides };
  const clock = { now: 0, monotonic: () => monotonicMs(clock.now), wall: () => wallMs(0) };
  const stream = emptyStream();
  let packager: NumberedPackager | undefined;
  let idle = 0;
  const stalled: string[] = [];
  const broadcaster = new Broadcaster(
    stream,
    'flv',
    (out) => {
      packager = new NumberedPackager(out);
      return packager;
    },
    options,
    clock,
    { delivered: () => undefined, idle: () => idle++, stalled: (remote) => stalled.push(remote) },
  );
  return { broadcaster, stream, clock, packager: packager as NumberedPackager, idles: () => idle, stalled };
}

async function join(broadcaster: Broadcaster): Promise<{ reader: UnitReader; client: Socket; server: Socket }> {
  const { server, client } = await pairs.pair();
  const reader = new UnitReader();
  client.on('data', (bytes: Buffer) => reader.receive(bytes));
  client.on('end', () => {
    reader.isEnded = true;
  });
  broadcaster.add(server, 'raw', '192.0.2.1');
  return { reader, client, server };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('Broadcaster', () => {
  it('gives a new viewer the GOP at once and every further unit once, over real sockets', async () => {
    const { broadcaster, packager, stream } = makeBroadcaster();
    const first = await join(broadcaster);
    for (let n = 0; n < 5; n++) packager.emit(n === 0, 1_000);
    const second = await join(broadcaster);
    for (let n = 0; n < 5; n++) packager.emit(n === 2, 1_000);
    await until(() => second.reader.numbers.length === 10 && first.reader.numbers.length === 10);
    expect(first.reader.numbers).toEqual(range(0, 10));
    expect(second.reader.numbers).toEqual(range(0, 10));
    expect(stream.viewers.get('flv')).toBe(2);
    expect(broadcaster.stats()).toMatchObject({ viewers: 2, bytesOut: 20_000, skips: 0 });
  });

  it('loses and repeats nothing while many viewers come and go in the middle of batches and slices', async () => {
    const { broadcaster, packager } = makeBroadcaster();
    const viewers: { socket: MemorySocket; from: number; until: number | undefined }[] = [];
    let gopStart = 0;
    let random = 12_345;
    const chance = (): number => {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      return random / 2 ** 31;
    };
    for (let turn = 0; turn < 400; turn++) {
      for (let count = 0; count < 10 && viewers.length < 2_000; count++) {
        const socket = new MemorySocket();
        broadcaster.add(socket, 'raw', '192.0.2.1');
        viewers.push({ socket, from: gopStart, until: undefined });
      }
      const startsGop = turn % 30 === 0;
      if (startsGop) gopStart = packager.next;
      packager.emit(startsGop);
      const leaving = viewers[Math.floor(chance() * viewers.length)];
      if (leaving !== undefined && leaving.until === undefined && chance() < 0.3) {
        leaving.socket.leave();
        leaving.until = leaving.socket.written.length;
      }
      if (chance() < 0.4) await new Promise((resolve) => setImmediate(resolve));
    }
    broadcaster.close();
    for (const { socket, from, until: left } of viewers) {
      const numbers = socket.units();
      if (left === undefined) expect(numbers).toEqual(range(from, packager.next));
      else expect(socket.written.length).toBe(left);
      expect(numbers).toEqual(range(from, from + numbers.length));
    }
  });

  it('shares one buffer among all viewers of a batch', async () => {
    const { broadcaster, packager } = makeBroadcaster();
    const sockets = range(0, 600).map(() => new MemorySocket());
    for (const socket of sockets) broadcaster.add(socket, 'raw', '192.0.2.1');
    packager.emit(true);
    packager.emit(false);
    await until(() => sockets.every((socket) => socket.written.length === 1));
    expect(new Set(sockets.map((socket) => socket.written[0])).size).toBe(1);
    broadcaster.close();
  });

  it.each<[Framing, number]>([
    ['websocket', 1],
    ['websocket', 60],
  ])('frames batches as %s messages for %i viewers', async (framing, count) => {
    const { broadcaster, packager } = makeBroadcaster();
    packager.emit(true, 100);
    const sockets = range(0, count).map(() => new MemorySocket());
    for (const socket of sockets) broadcaster.add(socket, framing, '192.0.2.1');
    for (const size of [50, 200, 70_000, 50]) packager.emit(false, size);
    const late = new MemorySocket();
    broadcaster.add(late, framing, '192.0.2.1');
    packager.emit(false, 300);
    broadcaster.close();
    for (const socket of [...sockets, late]) {
      const { messages, closeCode } = readWebSocketFrames(Buffer.concat(socket.written));
      const reader = new UnitReader();
      for (const message of messages) reader.receive(message);
      expect(reader.numbers).toEqual(range(0, 6));
      expect(closeCode).toBe(1001);
    }
  });

  it.each<Framing>(['raw', 'websocket'])('gives many %s viewers the same bytes, those that read late, too', async (framing) => {
    const { broadcaster, packager } = makeBroadcaster({ sendQueueBytesMax: sizeBytes(64 * 1024 * KIB) });
    const viewers: { server: Socket; client: Socket; chunks: Buffer[] }[] = [];
    for (let count = 0; count < 60; count++) {
      const { server, client } = await pairs.pair();
      const chunks: Buffer[] = [];
      client.on('data', (bytes: Buffer) => chunks.push(bytes));
      broadcaster.add(server, framing, '192.0.2.1');
      viewers.push({ server, client, chunks });
    }
    const late = viewers.slice(0, 3);
    for (const { client } of late) client.pause();
    packager.emit(true, 16 * KIB);
    // Until the kernel takes no more of those who do not read, and then for a while.
    for (let more = 20; more > 0; more -= late.every(({ server }) => server.writableLength > 0) ? 1 : 0) {
      packager.emit(false, 200 * KIB);
      await new Promise((resolve) => setTimeout(resolve, 6));
    }
    const [slow] = late;
    slow?.client.destroy();
    for (const { client } of late.slice(1)) client.resume();
    await until(() => late.slice(1).every(({ server }) => server.writableLength === 0));
    for (let n = 0; n < 5; n++) packager.emit(false, 20 * KIB);
    broadcaster.close();
    await Promise.all(viewers.slice(1).map(async ({ client }) => client.readableEnded || (await once(client, 'end'))));
    const [first, ...others] = viewers.slice(1).map(({ chunks }) => Buffer.concat(chunks));
    for (const other of others) expect(other.equals(first as Buffer)).toBe(true);
    const reader = new UnitReader();
    const media = first as Buffer;
    for (const bytes of framing === 'raw' ? [media] : readWebSocketFrames(media).messages) reader.receive(bytes);
    expect(reader.numbers).toEqual(range(0, packager.next));
    expect(broadcaster.stats()).toMatchObject({ skips: 0 });
  });

  it('skips a viewer that does not read to a keyframe, within its cap, and then goes on without a gap', async () => {
    const { broadcaster, packager } = makeBroadcaster();
    const slow = await join(broadcaster);
    const quick = await join(broadcaster);
    slow.client.pause();
    packager.emit(true, 16 * KIB);
    while (broadcaster.stats().skips === 0) {
      packager.emit(packager.next % 50 === 0, 16 * KIB);
      await until(() => quick.reader.numbers.length === packager.next);
    }
    for (let n = 0; n < 200; n++) packager.emit(packager.next % 50 === 0, 16 * KIB);
    expect(slow.server.writableLength).toBeLessThanOrEqual(512 * KIB);
    slow.client.resume();
    await until(() => slow.server.writableLength === 0);
    const skippedFrom = packager.next;
    for (let n = 0; n < 100; n++) packager.emit(packager.next % 50 === 0, 1 * KIB);
    await until(() => slow.reader.numbers.at(-1) === packager.next - 1 && quick.reader.numbers.length === packager.next);
    const { numbers, keyframes } = slow.reader;
    const gap = numbers.findIndex((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
    expect(keyframes[gap]).toBe(true);
    expect(numbers[gap]).toBeGreaterThanOrEqual(skippedFrom);
    expect(numbers.slice(gap)).toEqual(range(numbers[gap] ?? 0, packager.next));
    expect(quick.reader.numbers).toEqual(range(0, packager.next));
    expect(broadcaster.stats().stalledViewers).toBe(0);
  });

  it('disconnects a viewer that goes on not reading', async () => {
    const { broadcaster, packager, clock, stalled } = makeBroadcaster();
    const slow = await join(broadcaster);
    const quick = await join(broadcaster);
    slow.client.pause();
    while (!slow.server.destroyed) {
      clock.now += 40;
      packager.emit(packager.next % 50 === 0, 16 * KIB);
      expect(slow.server.writableLength).toBeLessThanOrEqual(512 * KIB);
      await until(() => quick.reader.numbers.length === packager.next);
    }
    await until(() => broadcaster.viewers === 1);
    expect(broadcaster.stats()).toMatchObject({ viewers: 1, stalledViewers: 1, skips: 1 });
    expect(stalled).toEqual(['192.0.2.1']);
  });

  it('takes a preamble above the cap as no reason to skip', () => {
    const { broadcaster, packager } = makeBroadcaster();
    packager.emit(true, 400 * KIB);
    const socket = new MemorySocket();
    broadcaster.add(socket, 'raw', '192.0.2.1');
    socket.writableLength = 400 * KIB;
    packager.emit(false);
    expect(socket.units()).toEqual([0, 1]);
    socket.writableLength = 0;
    packager.emit(false);
    socket.writableLength = 400 * KIB;
    packager.emit(false);
    expect(socket.units()).toEqual([0, 1, 2]);
    expect(broadcaster.stats().skips).toBe(1);
  });

  it('does not disconnect a viewer that has drained and only waits for a keyframe', () => {
    const { broadcaster, packager, clock } = makeBroadcaster();
    const socket = new MemorySocket();
    broadcaster.add(socket, 'raw', '192.0.2.1');
    packager.emit(true);
    socket.writableLength = 300 * KIB;
    packager.emit(false);
    socket.writableLength = 0;
    for (let n = 0; n < 10; n++) {
      clock.now += 5_000;
      packager.emit(false);
    }
    packager.emit(true);
    expect(socket.isDestroyed).toBe(false);
    expect(socket.units()).toEqual([0, 12]);
  });

  it.each<Framing>(['raw', 'websocket'])(
    'gives a %s viewer that comes back the headers where they changed meanwhile, and others not',
    (framing) => {
      const { broadcaster, packager } = makeBroadcaster();
      const [slow, quick] = [new MemorySocket(), new MemorySocket()];
      for (const socket of [slow, quick]) broadcaster.add(socket, framing, '192.0.2.1');
      packager.headersInForce = Buffer.from('first');
      packager.emit(true);
      const skipAGop = (headers: Uint8Array): string => {
        slow.written.length = 0;
        slow.writableLength = 300 * KIB;
        packager.emit(false);
        packager.headersInForce = headers;
        packager.emit(true);
        slow.writableLength = 0;
        packager.emit(true);
        return Buffer.concat(slow.written).toString('latin1');
      };
      expect(skipAGop(packager.headersInForce)).not.toContain('first');
      const header = framing === 'websocket' ? '\x82\x06' : '';
      expect(skipAGop(Buffer.from('second')).startsWith(`${header}second`)).toBe(true);
      expect(Buffer.concat(quick.written).toString('latin1')).not.toContain('second');
      broadcaster.close();
    },
  );

  it('ends its viewers with the stream, after all that was pending', async () => {
    const { broadcaster, packager, stream, idles } = makeBroadcaster();
    const viewers = [await join(broadcaster), await join(broadcaster), await join(broadcaster)];
    packager.emit(true);
    packager.ended();
    await until(() => viewers.every(({ reader }) => reader.isEnded));
    for (const { reader } of viewers) expect(reader.numbers).toEqual([0]);
    expect(stream.viewers.has('flv')).toBe(false);
    expect(stream.sinks.size).toBe(0);
    expect(idles()).toBe(1);
  });

  it('leaves the stream when its last viewer leaves', async () => {
    const { broadcaster, stream, idles } = makeBroadcaster();
    const { client } = await join(broadcaster);
    client.destroy();
    await until(() => idles() === 1);
    expect(stream.sinks.size).toBe(0);
    const late = new MemorySocket();
    broadcaster.add(late, 'raw', '192.0.2.1');
    expect(late.isEnded).toBe(true);
  });
});

function readWebSocketFrames(bytes: Buffer): { messages: Buffer[]; closeCode: number | undefined } {
  const messages: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const payload = bytes.subarray(at, at + length);
    at += length;
    if (first === 0x88) return { messages, closeCode: payload.readUInt16BE(0) };
    expect(first).toBe(0x82);
    messages.push(payload);
  }
  return { messages, closeCode: undefined };
}
