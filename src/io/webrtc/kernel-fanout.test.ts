import { afterEach, describe, expect, test } from 'vitest';
import { connect, flowOf, frame, newGroup, numbersOf, Peer, until } from './kernel.fixture.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function peer(options: ConstructorParameters<typeof Peer>[0] = {}): Peer {
  const made = new Peer(options);
  open.push(made.kernel);
  return made;
}

describe('fan-out', () => {
  test.each(['auto', 'off'] as const)(
    'reaches many viewers, each with its own numbers (segmentation offload %s)',
    async (segmentationOffload) => {
      const server = peer({ segmentationOffload });
      const client = peer();
      // All viewers behind one socket would be one source: each gets its own.
      const viewers = await Promise.all(Array.from({ length: 20 }, () => connectNewSocket(server, client)));
      const group = newGroup(server);
      for (const [i, { session }] of viewers.entries()) {
        server.kernel.addFlow(flowOf(session, group, { ssrc: 100 + i, firstSequenceNumber: i * 10, timestampOffset: i }));
      }
      // Runs of equal size with a shorter end, then a longer one: segments must not mix them.
      const sizes = [...Array.from({ length: 90 }, () => 1100), 300, 1200, 1200, 20];
      frame(server, group, sizes, 0, 90_000, true);
      expect(server.kernel.pump(group).behind).toBe(0);
      await until(() => client.rtp.length === viewers.length * sizes.length);
      for (const [i, { clientSession }] of viewers.entries()) {
        const own = client.rtp.filter((packet) => packet.session === clientSession);
        expect(own.map((packet) => packet.sequenceNumber)).toEqual(sizes.map((_, at) => i * 10 + at));
        expect(own.map((packet) => packet.payload.length)).toEqual(sizes);
        expect(own.every((packet) => packet.timestamp === 90_000 + i && packet.ssrc === 100 + i)).toBe(true);
        expect(own.map((packet) => packet.payload[0])).toEqual(sizes.map((_, at) => at & 255));
      }
      if (segmentationOffload === 'off') expect(server.kernel.segmentationOffload).toBe(false);
    },
  );

  test('a history takes memory as it is filled, not before', () => {
    const { kernel } = peer();
    const before = process.memoryUsage.rss();
    const bytesMax = 256 * 1024 * 1024;
    kernel.addGroup({ packetsMax: 100, bytesMax });
    expect(process.memoryUsage.rss() - before).toBeLessThan(bytesMax / 4);
  });

  test('keeps to each pace and says who is behind', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = newGroup(server);
    const flow = server.kernel.addFlow(flowOf(ids.server, group, { pacePackets: 4 }));
    frame(
      server,
      group,
      Array.from({ length: 10 }, () => 500),
      1,
    );
    expect([1, 2, 3, 4].map(() => server.kernel.pump(group).behind)).toEqual([1, 1, 0, 0]);
    await until(() => client.rtp.length === 10);
    server.kernel.setPace(flow, 0);
    frame(server, group, [10], 1);
    expect(server.kernel.pump(group).behind).toBe(1);
    expect(server.kernel.flowStats(flow)).toMatchObject({ packets: 10, octets: 5000, nextSequenceNumber: 1010, cursorIndex: 10 });
  });

  test('a flow that the history has left behind goes on at the latest keyframe, without a gap in its numbers', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = server.kernel.addGroup({ packetsMax: 16, bytesMax: 100_000 });
    const flow = server.kernel.addFlow(flowOf(ids.server, group, { pacePackets: 2 }));
    frame(server, group, [10, 10, 10, 10], 0, 0, true);
    server.kernel.pump(group);
    for (let i = 1; i < 10; i++) frame(server, group, [10, 10, 10, 10], 10 * i, i, i === 8);
    expect(server.kernel.groupStats(group)).toMatchObject({ headIndex: 40, keyframeIndex: 32, tailIndex: 24, bytes: 160, flows: 1 });
    server.kernel.setPace(flow, 100);
    server.kernel.pump(group);
    await until(() => client.rtp.length === 10);
    expect(numbersOf(client)).toEqual(Array.from({ length: 10 }, (_, i) => 1000 + i));
    expect(client.rtp[2]?.payload[0]).toBe(80);
    expect(server.kernel.flowStats(flow).skipped).toBe(30);
  });

  test('switching to another group goes on with the numbers; a paused flow resumes at the head', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const [low, high] = [newGroup(server), newGroup(server)];
    const flow = server.kernel.addFlow(flowOf(ids.server, low));
    frame(server, low, [10, 10], 1, 100);
    server.kernel.pump(low);
    frame(server, high, [20], 50, 7000, true);
    frame(server, high, [20], 51, 7100);
    server.kernel.switchFlow(flow, high, server.kernel.groupStats(high).keyframeIndex, 0xffffffff);
    server.kernel.pump(high);
    server.kernel.pauseFlow(flow, true);
    frame(server, high, [20], 52, 7200);
    expect(server.kernel.pump(high).behind).toBe(0);
    server.kernel.pauseFlow(flow, false);
    frame(server, high, [20], 53, 7300);
    server.kernel.pump(high);
    server.kernel.removeGroup(low);
    server.kernel.removeGroup(high);
    expect(server.kernel.pump(high)).toEqual({ behind: 0, isBlocked: false });
    await until(() => client.rtp.length === 5);
    expect(client.rtp.map(({ sequenceNumber, timestamp, payload }) => [sequenceNumber, timestamp, payload[0]])).toEqual([
      [1000, 100, 1],
      [1001, 100, 2],
      [1002, 6999, 50],
      [1003, 7099, 51],
      [1004, 7299, 53],
    ]);
  });

  test('a paused flow resumes at the keyframe that came meanwhile: its viewer could not see a gap', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = newGroup(server);
    const flow = server.kernel.addFlow(flowOf(ids.server, group));
    frame(server, group, [10], 1, 100, true);
    server.kernel.pump(group);
    server.kernel.pauseFlow(flow, true);
    frame(server, group, [10], 2, 200);
    frame(server, group, [10], 3, 300, true);
    frame(server, group, [10], 4, 400);
    server.kernel.pauseFlow(flow, false);
    server.kernel.pump(group);
    await until(() => client.rtp.length === 3);
    expect(client.rtp.map(({ sequenceNumber, payload }) => [sequenceNumber, payload[0]])).toEqual([
      [1000, 1],
      [1001, 3],
      [1002, 4],
    ]);
  });

  test('header extensions say what they should', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = newGroup(server);
    const extensions = {
      transportCc: 1,
      absSendTime: 2,
      absCaptureTime: 3,
      playoutDelay: { id: 4, minMs: 0, maxMs: 400 },
      mid: { id: 5, value: 'video' },
    };
    server.kernel.addFlow(flowOf(ids.server, group, { extensions }));
    frame(server, group, [100], 1, 0, true, Date.UTC(2026, 0, 1) + 500);
    frame(server, group, [100], 2);
    const beforeUs = Number(process.hrtime.bigint() / 1000n);
    server.kernel.pump(group);
    await until(() => client.rtp.length === 2);
    const [first, second] = client.rtp.map((packet) => packet.extensions);
    const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
    expect([text(first?.get(1)), text(second?.get(1))]).toEqual(['0000', '0001']);
    const sendTime = Number.parseInt(text(first?.get(2)), 16) / 2 ** 18;
    const expected = (beforeUs / 1e6) % 64;
    // Modulo 64 s, and rounded down to 2^-18 s.
    expect((sendTime - expected + 64 + 2 ** -17) % 64).toBeLessThan(1);
    // 2026-01-01T00:00:00.5Z in NTP time: 2,208,988,800 s from 1900 to 1970.
    const capture = (Date.UTC(2026, 0, 1) / 1000 + 2_208_988_800).toString(16).padStart(8, '0');
    expect(text(first?.get(3))).toBe(`${capture}80000000`);
    expect(second?.has(3)).toBe(false);
    expect(text(first?.get(4))).toBe('000028');
    expect(Buffer.from(first?.get(5) ?? []).toString()).toBe('video');
    expect(client.rtp.map((packet) => packet.payload.length)).toEqual([100, 100]);

    const [sentUs, sizes] = [new Float64Array(3), new Uint16Array(3)];
    server.kernel.sentPackets(ids.server, 0xffff, 3, sentUs, sizes);
    expect(sentUs[0]).toBeNaN();
    expect((sentUs[2] ?? 0) - beforeUs).toBeGreaterThanOrEqual(0);
    expect((sentUs[2] ?? 0) - beforeUs).toBeLessThan(1e6);
    expect([...sizes]).toEqual([0, sizes[1], sizes[1]]);
    expect(sizes[1]).toBeGreaterThan(100 + 12 + 16);
  });

  test('retransmits by RTX what is asked for, from groups that it followed before as well', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const [first, second] = [newGroup(server), newGroup(server)];
    const flow = server.kernel.addFlow(flowOf(ids.server, first, { rtx: { ssrc: 0x2222, payloadType: 97 } }));
    const plain = server.kernel.addFlow(flowOf(ids.server, first, { ssrc: 0x3333 }));
    frame(server, first, [50, 50, 50], 1, 400);
    server.kernel.pump(first);
    server.kernel.switchFlow(flow, second, 0, 5);
    frame(server, second, [60], 9, 800);
    server.kernel.pump(second);
    await until(() => client.rtp.length === 7);
    client.rtp.length = 0;
    // The last three: not yet sent, long past, and what is there is sent once more.
    const asked = Uint16Array.of(1001, 1003, 1004, 40_000, 1001);
    expect(server.kernel.retransmit(flow, asked, asked.length)).toBe(3);
    expect(server.kernel.retransmit(plain, asked, asked.length)).toBe(0);
    await until(() => client.rtp.length === 3);
    const seen = client.rtp.map(({ ssrc, payloadType, timestamp, payload }) => [
      ssrc,
      payloadType,
      timestamp,
      (payload[0] ?? 0) * 256 + (payload[1] ?? 0),
      payload[2],
      payload.length,
    ]);
    expect(seen).toEqual([
      [0x2222, 97, 400, 1001, 2, 52],
      [0x2222, 97, 805, 1003, 9, 62],
      [0x2222, 97, 400, 1001, 2, 52],
    ]);
    const numbers = numbersOf(client);
    expect(numbers).toEqual([0, 1, 2].map((i) => (numbers[0] ?? 0) + i));
    expect(server.kernel.flowStats(flow)).toMatchObject({ packets: 4, retransmitted: 3 });
  });

  test('numbers roll over and the receiver follows', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(ids.server, group, { firstSequenceNumber: 32_000, fromIndex: 0 }));
    for (let sent = 0; sent < 70_000; sent += 500) {
      frame(
        server,
        group,
        Array.from({ length: 500 }, () => 20),
        0,
        sent,
      );
      server.kernel.pump(group);
      await until(() => client.rtp.length === sent + 500);
    }
    expect(numbersOf(client).every((number, i) => number === ((32_000 + i) & 0xffff))).toBe(true);
    expect(client.kernel.receiverCounts(ids.client)).toMatchObject([
      { packets: 70_000, lost: 0, highestSequenceNumber: 32_000 + 69_999, frames: 140 },
    ]);
  });

  test('an SSRC used before goes on where it was: no index is encrypted twice', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const group = newGroup(server);
    const flow = server.kernel.addFlow(flowOf(ids.server, group));
    expect(() => server.kernel.addFlow(flowOf(ids.server, group))).toThrow(expect.objectContaining({ code: 'webrtc.ssrc-in-use' }));
    frame(server, group, [10, 10], 1);
    server.kernel.pump(group);
    server.kernel.removeFlow(flow);
    server.kernel.addFlow(flowOf(ids.server, group, { fromIndex: 1 }));
    server.kernel.pump(group);
    await until(() => client.rtp.length === 3);
    expect(numbersOf(client)).toEqual([1000, 1001, 1002]);
  });

  test('counts without delivering', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client, 'counts');
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(ids.server, group));
    for (let i = 0; i < 3; i++) frame(server, group, [100, 100], 0, i * 3000);
    server.kernel.pump(group);
    await until(() => client.kernel.receiverCounts(ids.client)[0]?.packets === 6);
    expect(client.rtp).toEqual([]);
    expect(client.kernel.receiverCounts(ids.client)).toMatchObject([
      { ssrc: 0x1111, payloadType: 96, packets: 6, frames: 3, lost: 0, duplicates: 0, freezes: 0 },
    ]);
  });

  test('a frame that does not fit is refused, and the history stays as it was', () => {
    const server = peer();
    const group = server.kernel.addGroup({ packetsMax: 8, bytesMax: 4096 });
    const bad = expect.objectContaining({ code: 'webrtc.bad-frame' });
    expect(() => frame(server, group, [1401], 0)).toThrow(bad);
    expect(() => frame(server, group, [10, 0], 0)).toThrow(bad);
    expect(() => frame(server, group, [], 0)).toThrow(bad);
    expect(() => frame(server, group, [1, 1, 1, 1, 1], 0)).toThrow(bad);
    expect(() => frame(server, group, [1300, 1300], 0)).toThrow(bad);
    expect(() => server.kernel.append(group, new Uint8Array(5), Uint16Array.of(6), 1, 0, false, true, Number.NaN)).toThrow(bad);
    expect(() => server.kernel.append(group, new Uint8Array(5), Uint16Array.of(5), 2, 0, false, true, Number.NaN)).toThrow(bad);
    expect(server.kernel.groupStats(group)).toMatchObject({ headIndex: 0, keyframeIndex: -1, tailIndex: 0, bytes: 0, flows: 0 });
  });
});

/** A session over a socket of its own on the client's side. */
async function connectNewSocket(server: Peer, client: Peer): Promise<{ session: number; clientSession: number }> {
  const bound = client.kernel.bind('127.0.0.1', 0);
  const session = server.addSession(client, 'server');
  const value = Uint8Array.from(server.kernel.fingerprint.split(':'), (byte) => Number.parseInt(byte, 16));
  const clientSession = client.kernel.addSession({
    socket: bound.socket,
    role: 'client',
    peerFingerprint: { algorithm: 'sha-256', value },
    deliver: 'packets',
  });
  server.kernel.selectDestination(session, { ip: '127.0.0.1', port: bound.port });
  client.kernel.selectDestination(clientSession, server.address);
  client.kernel.startDtls(clientSession);
  await until(() => server.connected.has(session) && client.connected.has(clientSession), [server, client]);
  return { session, clientSession };
}
