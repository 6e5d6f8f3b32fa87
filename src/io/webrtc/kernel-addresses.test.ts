import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, flowOf, frame, newGroup, Peer, receiverReport, until } from './kernel.fixture.ts';
import { Kernel } from './kernel.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function peer(options: ConstructorParameters<typeof Peer>[0] = {}): Peer {
  const made = new Peer(options);
  open.push(made.kernel);
  return made;
}

/** A binding request without attributes. */
const stun = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

// Linux tells to which address a datagram came; all of 127.0.0.0/8 is its loopback's.
describe.runIf(process.platform === 'linux')('a socket for all addresses', () => {
  test.each([
    ['0.0.0.0', '127.0.0.1', '127.0.0.2'],
    ['::', '127.0.0.1', '127.0.0.2'],
    ['::', '127.0.0.3', '127.0.0.1'],
    ['::', '::1', '::1'],
  ])('%s answers %s from %s, to which it was sent', async (ip, from, to) => {
    let answers = 0;
    const nobody = (): void => undefined;
    const kernel = new Kernel(
      {
        stun: (socket, source, bytes) => {
          if (kernel.sendDatagram(socket, source, bytes)) answers++;
        },
        ...{ rtp: nobody, rtcp: nobody, connected: nobody, closed: nobody, datagram: nobody, drained: nobody },
      },
      { sessionsMax: 1, segmentationOffload: 'off' },
    );
    open.push(kernel);
    const { port } = kernel.bind(ip, 0);
    const client = createSocket(from.includes(':') ? 'udp6' : 'udp4');
    open.push(client);
    client.bind(0, from);
    await once(client, 'listening');
    client.send(stun, port, to);
    const [bytes, source] = (await once(client, 'message')) as [Uint8Array, { address: string; port: number }];
    expect(Uint8Array.from(bytes)).toEqual(stun);
    expect([source.address, source.port, answers]).toEqual([to, port, 1]);
  });

  test.each(['0.0.0.0', '::'])('%s sends a session, handshake, media in segments and RTCP, from where its peer sends to', async (ip) => {
    const server = peer({ ip });
    // A peer that knows no other address of the server's takes nothing that comes from one.
    const asked = { ip: '127.0.0.7', port: server.address.port };
    const client = peer();
    const ids = await connect(Object.assign(server, { address: asked }), client);
    const group = newGroup(server);
    server.kernel.addFlow(flowOf(ids.server, group));
    frame(server, group, [1000, 1000, 1000, 700], 1, 5000, true);
    server.kernel.pump(group);
    expect(server.kernel.sendRtcp(ids.server, receiverReport)).toBe(true);
    await until(() => client.rtp.length === 4 && client.rtcp.length === 1);
    expect(client.kernel.stats().unknownSource).toBe(0);
    expect(server.kernel.stats().sendErrors).toBe(0);
  });
});
