import type { Socket } from 'node:net';

const MAPPED = '::ffff:';

/** The peer's address as people write it: an IPv4 peer of a dual-stack socket is `192.0.2.1`, not `::ffff:192.0.2.1`. */
export function remoteAddress(socket: Pick<Socket, 'remoteAddress'>): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
}

/** Whether an address as given by {@link remoteAddress} is this machine's own loopback. */
export const isLoopback = (address: string): boolean => address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
