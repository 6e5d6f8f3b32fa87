import { type IpAddress, type IpNetwork, isInNetwork, parseIpNetwork } from './ip-network.ts';

/** Why an address is none of the public internet. */
export type AddressKind = 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'reserved';

type Row = readonly [kind: AddressKind, ...networks: string[]];

const kinds = (rows: readonly Row[]): readonly (readonly [AddressKind, IpNetwork])[] =>
  rows.flatMap(([kind, ...networks]) => networks.map((network) => [kind, parseIpNetwork(network)] as const));

/** The IANA registries of special-purpose addresses, and where clouds answer with a machine's secrets. The first that fits counts. */
const SPECIAL = kinds([
  ['metadata', '169.254.169.254', '168.63.129.16', '100.100.100.200', 'fd00:ec2::254'],
  ['loopback', '127.0.0.0/8', '::1'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  [
    'reserved',
    '0.0.0.0/8',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
  ],
  // Teredo, benchmarks, documentation, 6to4: these may stand for an IPv4 address of any kind, or for nothing.
  ['reserved', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
]);
/** All of IPv6 that is given out (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = parseIpNetwork('2000::/3');
const IPV6_BYTES = 16;

/** What kind of address this is; undefined for one of the public internet. */
export function specialKind(address: IpAddress): AddressKind | undefined {
  const special = SPECIAL.find(([, network]) => isInNetwork(address, network));
  if (special !== undefined) return special[0];
  return address.length === IPV6_BYTES && !isInNetwork(address, GLOBAL_UNICAST) ? 'reserved' : undefined;
}
