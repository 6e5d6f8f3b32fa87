import { createServer, type Server } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { IceTcpServer } from './ice-tcp-server.ts';
import { Peer } from './kernel.fixture.ts';
import { openWebrtcPort } from './webrtc-port.ts';

const HOST = '127.0.0.1';
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

function iceTcp(): IceTcpServer {
  const nothing = () => undefined;
  const tcp = new IceTcpServer(
    { stun: nothing, packet: nothing, closed: nothing },
    { host: HOST, connectionsMax: 1, connectionsPerAddressMax: 1 },
  );
  open.push(tcp);
  return tcp;
}

function kernel(): Peer['kernel'] {
  const peer = new Peer();
  open.push(peer.kernel);
  return peer.kernel;
}

/** A number whose UDP is free and whose TCP is not. */
async function takenByTcp(): Promise<number> {
  const server: Server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a number that TCP cannot have is not kept for UDP either', async () => {
  const port = await takenByTcp();
  const udp = kernel();
  await expect(openWebrtcPort(udp, iceTcp(), HOST, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(udp.bind(HOST, port).port).toBe(port);
});

test('any number: one whose TCP is taken is let go for another', async () => {
  const port = await takenByTcp();
  const udp = kernel();
  const bind = udp.bind.bind(udp);
  const spy = vi.spyOn(udp, 'bind').mockImplementationOnce((ip) => bind(ip, port));
  const opened = await openWebrtcPort(udp, iceTcp(), HOST, 0);
  expect(opened.port).not.toBe(port);
  expect(bind(HOST, port).port).toBe(port);
  expect(spy).toHaveBeenCalledTimes(2);
  expect(() => bind(HOST, opened.port)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
});

test('any number: after ten it gives up', async () => {
  const port = await takenByTcp();
  const udp = kernel();
  const bind = udp.bind.bind(udp);
  const spy = vi.spyOn(udp, 'bind').mockImplementation((ip) => bind(ip, port));
  await expect(openWebrtcPort(udp, iceTcp(), HOST, 0)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(spy).toHaveBeenCalledTimes(10);
});
