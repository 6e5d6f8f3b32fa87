import { networkInterfaces } from 'node:os';
import { isLoopback } from '../remote-address.ts';

/** A link-local address needs a zone, which no other machine knows. */
const LINK_LOCAL = /^fe[89ab]/i;
const ADDRESSES_MAX = 16;

/**
 * The IP addresses under which a client may reach this server, best first: the configured ones, or else those of this machine's interfaces
 * that belong to what it listens on. Loopback is told only to clients that came by it.
 */
export function announcedAddresses(
  configured: readonly string[],
  host: string,
  clientAddress: string,
  interfaces: typeof networkInterfaces = networkInterfaces,
): readonly string[] {
  const loopback = isLoopback(clientAddress) ? ['127.0.0.1'] : [];
  if (configured.length > 0) return unique([...configured, ...loopback]);
  if (host !== '*' && host !== '0.0.0.0' && host !== '::') return [host];
  const own = Object.values(interfaces()).flatMap((addresses) => addresses ?? []);
  const reachable = own.filter(
    ({ internal, address, family }) => !internal && !LINK_LOCAL.test(address) && (host !== '0.0.0.0' || family === 'IPv4'),
  );
  const ipv4 = reachable.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
  const ipv6 = reachable.filter(({ family }) => family === 'IPv6').map(({ address }) => address);
  // A machine without any network still serves itself.
  const rest = [...ipv4, ...ipv6];
  return unique([...loopback, ...(rest.length > 0 ? rest : ['127.0.0.1'])]).slice(0, ADDRESSES_MAX);
}

const unique = (addresses: readonly string[]): readonly string[] => [...new Set(addresses)];
