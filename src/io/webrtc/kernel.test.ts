import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, flowOf, frame, newGroup, numbersOf, Peer, receiverReport, throughProxy, until } from './kernel.fixture.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function peer(options: ConstructorParameters<typeof Peer>[0] = {}): Peer {
  const made = new Peer(options);
  open.push(made.kernel);
  return made;
}

describe('two kernels', () => {
  test('shake hands, send a frame to a flow, and RTCP back', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    expect(server.connected.get(ids.server)).toBe('AEAD_AES_128_GCM');
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(ids.server, group, { timestampOffset: 0xffffffff }));
    expect(frame(server, group, [1000, 1000, 700], 1, 5000, true)).toBe(0);
    expect({ ...server.kernel.pump(group) }).toEqual({ behind: 0, isBlocked: false });
    await until(() => client.rtp.length === 3);
    expect(
      client.rtp.map(({ marker, payloadType, sequenceNumber, timestamp, ssrc, payload }) => [
        marker,
        payloadType,
        sequenceNumber,
        timestamp,
        ssrc,
        payload.length,
        payload[0],
      ]),
    ).toEqual([
      [false, 96, 1000, 4999, 0x1111, 1000, 1],
      [false, 96, 1001, 4999, 0x1111, 1000, 2],
      [true, 96, 1002, 4999, 0x1111, 700, 3],
    ]);
    expect(client.kernel.sendRtcp(ids.client, receiverReport)).toBe(true);
    expect(server.kernel.sendRtcp(ids.server, receiverReport)).toBe(true);
    await until(() => server.rtcp.length === 1 && client.rtcp.length === 1);
    expect(server.rtcp[0]).toEqual(receiverReport);
    expect(client.rtcp[0]).toEqual(receiverReport);
  });

  test('a publishing client sends its own packets, each sequence number once', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const packet = Uint8Array.of(0x80, 0x60, 0xff, 0xff, 0, 0, 0, 9, 0, 0, 0, 5, 1, 2, 3);
    expect(client.kernel.sendRtp(ids.client, packet)).toBe(true);
    expect(client.kernel.sendRtp(ids.client, packet)).toBe(false);
    packet[2] = packet[3] = 0;
    expect(client.kernel.sendRtp(ids.client, packet)).toBe(true);
    await until(() => server.rtp.length === 2);
    expect(numbersOf(server)).toEqual([0xffff, 0]);
    expect([...(server.rtp[1]?.payload ?? [])]).toEqual([1, 2, 3]);
    expect(server.kernel.receiverCounts(ids.server)).toMatchObject([
      { ssrc: 5, payloadType: 96, packets: 2, highestSequenceNumber: 0x10000, lost: 0 },
    ]);
  });
});

describe('a network that is not kind', () => {
  test('a handshake gets through although datagrams are lost', async () => {
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed / 2 ** 32;
    };
    for (let round = 0; round < 4; round++) {
      const server = peer();
      const client = peer();
      const through = await throughProxy(server, client, (proxy) => {
        proxy.passes = () => random() > 0.3;
      });
      open.push(through.proxy);
      await until(() => server.connected.has(through.server) && client.connected.has(through.client), [server, client], 'a handshake');
      expect(through.proxy.seen.every(({ bytes }) => bytes.length <= 1200)).toBe(true);
    }
  });

  test('replayed and altered packets are refused and counted', async () => {
    const server = peer();
    const client = peer();
    const through = await throughProxy(server, client, () => undefined);
    open.push(through.proxy);
    await until(() => server.connected.has(through.server) && client.connected.has(through.client), [server, client]);
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(through.server, group));
    frame(server, group, [10, 10], 1);
    server.kernel.pump(group);
    server.kernel.sendRtcp(through.server, receiverReport);
    await until(() => client.rtp.length === 2 && client.rtcp.length === 1);
    const captured = through.proxy.seen.filter(({ bytes }) => (bytes[0] ?? 0) >= 128);
    for (const { bytes } of captured) through.proxy.send(bytes, false);
    await until(() => client.kernel.stats().replayed === 3);
    for (const { bytes } of captured) {
      const altered = bytes.slice();
      // Far ahead of what was seen, so that it is not taken for a replay.
      altered[2] = 0x10;
      altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 4;
      through.proxy.send(altered, false);
    }
    await until(() => client.kernel.stats().unauthenticated + client.kernel.stats().replayed === 6);
    expect(client.rtp.length).toBe(2);
    expect(client.rtcp.length).toBe(1);
    expect(client.kernel.sessionStats(through.client)).toMatchObject({ dropped: 6 });
    expect(client.kernel.receiverCounts(through.client)).toMatchObject([{ packets: 2, duplicates: 2 }]);
  });

  test.each(['server', 'client'] as const)('a certificate that is not the announced one ends the handshake (%s)', async (who) => {
    const server = peer();
    const client = peer();
    const wrong = peer().kernel.fingerprint;
    const serverSession = server.addSession(client, 'server', 'packets', who === 'server' ? wrong : undefined);
    const clientSession = client.addSession(server, 'client', 'packets', who === 'client' ? wrong : undefined);
    server.kernel.selectDestination(serverSession, client.address);
    client.kernel.selectDestination(clientSession, server.address);
    client.kernel.startDtls(clientSession);
    await until(() => server.closed.has(serverSession) && client.closed.has(clientSession), [server, client]);
    const [own, other] = [server.closed.get(serverSession), client.closed.get(clientSession)];
    expect(who === 'server' ? [own, other] : [other, own]).toEqual(['fingerprint', 'handshake']);
    expect(server.connected.size).toBe(0);
    expect(server.kernel.stats().handshakesFailed).toBe(1);
  });

  test('unknown sources and nonsense are counted and get no answer; STUN goes up', async () => {
    const server = peer();
    const stranger = createSocket('udp4');
    open.push(stranger);
    const answers: Buffer[] = [];
    stranger.on('message', (bytes) => answers.push(bytes));
    const send = (bytes: readonly number[]) => stranger.send(Uint8Array.from(bytes), server.address.port, server.address.ip);
    const binding = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array.from({ length: 12 }, () => 9)];
    send([22, 254, 253, 0, 0]);
    send([0x80, 96, ...Array.from({ length: 30 }, () => 0)]);
    send([0x80, 200, ...Array.from({ length: 30 }, () => 0)]);
    send([200, 1, 2]);
    send(binding.slice(0, 19));
    send(binding.map((byte, i) => (i === 5 ? 0 : byte)));
    send([]);
    send(binding);
    await until(() => server.kernel.stats().received === 8);
    expect(server.kernel.stats()).toMatchObject({ unknownSource: 3, malformed: 4, stun: 1 });
    expect(server.stun).toEqual([{ source: { ip: '127.0.0.1', port: stranger.address().port }, bytes: Uint8Array.from(binding) }]);
    expect(server.kernel.sendDatagram(server.socket, { ip: '127.0.0.1', port: stranger.address().port }, Uint8Array.from(binding))).toBe(
      true,
    );
    await until(() => answers.length > 0);
    expect(answers).toEqual([Buffer.from(binding)]);
  });

  test('goodbye reaches the other side', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    client.kernel.removeSession(ids.client);
    await until(() => server.closed.get(ids.server) === 'close-notify');
    expect(server.kernel.sendRtcp(ids.server, receiverReport)).toBe(false);
    server.kernel.removeSession(ids.server);
    expect(server.kernel.stats().sessions).toBe(0);
    expect(server.kernel.stats().handshakesFailed).toBe(0);
  });

  test('a session keeps as many sources as allowed, the selected one always', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    for (let port = 1; port < 30; port++) server.kernel.allowSource(ids.server, { ip: '127.0.0.1', port });
    client.kernel.sendRtcp(ids.client, receiverReport);
    await until(() => server.rtcp.length === 1);
  });

  test('a source that a connected peer has just been heard from stays its own, whatever another session claims', async () => {
    const server = peer();
    const client = peer();
    const ids = await connect(server, client);
    const other = server.addSession(client, 'client');
    server.kernel.allowSource(other, client.address);
    server.kernel.selectDestination(other, client.address);
    client.kernel.sendRtcp(ids.client, receiverReport);
    await until(() => server.rtcp.length === 1);
    server.kernel.startDtls(other);
    expect(server.kernel.sessionStats(other)).toMatchObject({ packetsReceived: 0, packetsSent: 0 });
    client.kernel.removeSession(ids.client);
    await until(() => server.closed.get(ids.server) === 'close-notify');
    server.kernel.allowSource(other, client.address);
    client.kernel.sendDatagram(client.socket, server.address, Uint8Array.of(0x80, 200, ...new Uint8Array(30)));
    await until(() => server.kernel.sessionStats(other).packetsReceived === 1);
  });

  test('a source that no connected peer has been heard from goes to whoever proved it last', async () => {
    const server = peer();
    const client = peer();
    const stranger = peer();
    const ids = await connect(server, client);
    const claimed = server.addSession(client, 'server');
    const next = server.addSession(client, 'server');
    // Allowed for a connected session, which says nothing from there; allowed for one that is not connected.
    for (const first of [ids.server, claimed]) {
      server.kernel.allowSource(first, stranger.address);
      const before = server.kernel.sessionStats(next).unauthenticated;
      server.kernel.allowSource(next, stranger.address);
      stranger.kernel.sendDatagram(stranger.socket, server.address, Uint8Array.of(0x80, 200, ...new Uint8Array(30)));
      await until(() => server.kernel.sessionStats(next).unauthenticated === before + 1);
    }
  });

  test('the certificate is valid from the day before, for ten years', async () => {
    const server = peer();
    const client = peer();
    const through = await throughProxy(server, client, () => undefined);
    open.push(through.proxy);
    await until(() => client.connected.has(through.client), [server, client]);
    const fromServer = through.proxy.seen.filter(({ isFromClient }) => !isFromClient).map(({ bytes }) => bytes);
    const certificate = fromServer.map(certificateIn).find((found) => found?.fingerprint256 === server.kernel.fingerprint);
    const day = 86_400_000;
    const [from, to] = [certificate?.validFrom, certificate?.validTo].map((date) => (Date.parse(date ?? '') - Date.now()) / day);
    expect(from).toBeCloseTo(-1, 1);
    expect(to).toBeCloseTo(3650, 1);
  });
});

/** The first certificate in a datagram; DTLS 1.2 sends them in the clear. */
function certificateIn(datagram: Uint8Array): X509Certificate | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  for (let at = 0; at + 4 <= datagram.length; at++) {
    if (view.getUint16(at) !== 0x3082 || at + 4 + view.getUint16(at + 2) > datagram.length) continue;
    try {
      return new X509Certificate(datagram.subarray(at, at + 4 + view.getUint16(at + 2)));
    } catch {
      // Bytes that only look like one's beginning.
    }
  }
  return undefined;
}

describe('ways to a peer', () => {
  test('over TCP: datagrams go by the listener and come by receiveDatagram', async () => {
    const server = peer();
    const client = peer();
    const ids = { server: server.addSession(client, 'server'), client: client.addSession(server, 'client') };
    const wire: (() => void)[] = [];
    server.onDatagram = (_, bytes) => {
      const copy = bytes.slice();
      wire.push(() => client.kernel.receiveDatagram(ids.client, copy));
    };
    client.onDatagram = (_, bytes) => {
      const copy = bytes.slice();
      wire.push(() => server.kernel.receiveDatagram(ids.server, copy));
    };
    const run = () => {
      for (let deliver = wire.shift(); deliver !== undefined; deliver = wire.shift()) deliver();
    };
    server.kernel.selectTcp(ids.server);
    client.kernel.selectTcp(ids.client);
    client.kernel.startDtls(ids.client);
    run();
    expect(server.connected.has(ids.server) && client.connected.has(ids.client)).toBe(true);
    const group = newGroup(server);
    const flow = server.kernel.addFlow(flowOf(ids.server, group, { rtx: { ssrc: 2, payloadType: 97 }, pacePackets: 2 }));
    frame(server, group, [100, 200, 300], 1);
    expect([server.kernel.pump(group).behind, server.kernel.pump(group).behind]).toEqual([1, 0]);
    expect(server.kernel.retransmit(flow, Uint16Array.of(1001), 1)).toBe(1);
    run();
    expect(client.rtp.map(({ ssrc, payload }) => [ssrc, payload.length])).toEqual([
      [0x1111, 100],
      [0x1111, 200],
      [0x1111, 300],
      [2, 202],
    ]);
    client.kernel.sendRtcp(ids.client, receiverReport);
    server.kernel.removeSession(ids.server);
    run();
    expect(client.closed.get(ids.client)).toBe('close-notify');
  });

  test('a listener may take the session away while it is being served', async () => {
    const server = peer();
    const client = peer();
    const ids = { server: server.addSession(client, 'server'), client: client.addSession(server, 'client') };
    client.kernel.selectTcp(ids.client);
    let sent = 0;
    client.onDatagram = () => {
      if (sent++ === 0) client.kernel.removeSession(ids.client);
    };
    client.kernel.startDtls(ids.client);
    expect(client.kernel.stats().sessions).toBe(0);

    const again = await connect(server, client);
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(again.server, group));
    server.kernel.selectTcp(again.server);
    server.onDatagram = () => server.kernel.close();
    frame(server, group, [1, 2, 3], 0);
    server.kernel.pump(group);
    expect(server.kernel.stats().sessions).toBe(0);
  });

  test('a socket on :: takes IPv4 peers and shows them as such', async () => {
    const server = peer({ ip: '::' });
    const client = peer();
    await connect(server, client);
    const stun = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array.from({ length: 12 }, () => 1));
    client.kernel.sendDatagram(client.socket, server.address, stun);
    await until(() => server.stun.length === 1);
    expect(server.stun[0]?.source).toEqual(client.address);
  });

  test('errors say what was wrong', () => {
    const server = peer({ sessionsMax: 1 });
    const { port } = server.address;
    expect(() => server.kernel.bind('127.0.0.1', port)).toThrow(expect.objectContaining({ code: 'EADDRINUSE', port }));
    expect(() => server.kernel.bind('192.0.2.1', 0)).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    expect(() => server.kernel.bind('localhost', 0)).toThrow(expect.objectContaining({ code: 'webrtc.bad-address' }));
    const session = server.addSession(server, 'server');
    expect(() => server.addSession(server, 'server')).toThrow(expect.objectContaining({ code: 'webrtc.too-many-sessions' }));
    expect(() => server.kernel.selectDestination(session, { ip: '::1', port: 9 })).toThrow(
      expect.objectContaining({ code: 'webrtc.bad-address' }),
    );
    expect(() => server.kernel.selectTcp(999_999)).toThrow(expect.objectContaining({ code: 'webrtc.unknown-session' }));
    const group = newGroup(server);
    expect(() => server.kernel.addFlow(flowOf(session, group, { extensions: { mid: { id: 15, value: 'a' } } }))).toThrow(
      expect.objectContaining({ code: 'webrtc.bad-extension' }),
    );
    server.kernel.unbind(server.socket);
    const again = server.kernel.bind('127.0.0.1', port);
    expect(again.port).toBe(port);
    server.kernel.close();
    server.kernel.close();
    expect(server.kernel.sendRtcp(session, receiverReport)).toBe(false);
  });
});

test.each(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const)(
  '%s: packets both ways, and goodbye understood after OpenSSL has been let go',
  async (profile) => {
    const server = peer();
    const client = peer({ srtpProfiles: [profile] });
    for (const leaver of ['server', 'client'] as const) {
      server.rtcp.length = client.rtcp.length = client.rtp.length = 0;
      const ids = await connect(server, client);
      expect([server.connected.get(ids.server), client.connected.get(ids.client)]).toEqual([profile, profile]);
      const group = newGroup(server);
      server.kernel.addFlow(flowOf(ids.server, group));
      frame(server, group, [1, 1200, 33], 1);
      server.kernel.pump(group);
      server.kernel.sendRtcp(ids.server, receiverReport);
      client.kernel.sendRtcp(ids.client, receiverReport);
      await until(() => client.rtp.length === 3 && client.rtcp.length === 1 && server.rtcp.length === 1);
      expect(client.rtp.map((packet) => packet.payload.length)).toEqual([1, 1200, 33]);
      const [left, other] = leaver === 'server' ? [server, client] : [client, server];
      left.kernel.removeSession(ids[leaver]);
      const rest = leaver === 'server' ? ids.client : ids.server;
      await until(() => other.closed.get(rest) === 'close-notify');
    }
  },
);

test('a worker may end with kernels open and just closed, and takes nothing else with it', async () => {
  const addon = createRequire(import.meta.url).resolve('../../../dist/native/kernel.node');
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { NativeKernel } = require(workerData);
    const nothing = () => undefined;
    const listener = { stun: nothing, rtp: nothing, rtcp: nothing, connected: nothing, closed: nothing, datagram: nothing, drained: nothing };
    const kernels = [1, 2, 3].map(() => new NativeKernel(listener, 10, true, 8, 'SRTP_AEAD_AES_128_GCM'));
    for (const kernel of kernels.slice(1)) kernel.bind('127.0.0.1', 0, new Float64Array(2));
    setInterval(nothing, 1000);
    parentPort.on('message', nothing);
    parentPort.postMessage('up');
    kernels[2].close();`;
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(code, { eval: true, workerData: addon });
    await once(worker, 'message');
    expect(await worker.terminate()).toBe(1);
  }
});
