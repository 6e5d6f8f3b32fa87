import { SluiceError } from '../core/mod.ts';

/** An IP address as its 4 or 16 bytes. */
export type IpAddress = readonly number[];

/** All addresses that begin with the same bits. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly bits: number;
}

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
/** IPv6 forms that stand for an IPv4 address in their last four bytes: mapped (RFC 4291 section 2.5.5.2) and NAT64 (RFC 6052 section 2.1). */
const EMBEDDING: readonly IpAddress[] = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
  [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
];

/**
 * Reads `192.0.2.1` or `2001:db8::1`, nothing else: no brackets, zones, octal or shortened numbers. An IPv6 address that stands for an IPv4 one is
 * returned as that. Undefined for all other texts.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const address = parseIpv6(text);
  if (address === undefined) return undefined;
  const isEmbedding = EMBEDDING.some((prefix) => prefix.every((byte, index) => byte === address[index]));
  return isEmbedding ? address.slice(-IPV4_BYTES) : address;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; throws `access.bad-network`. */
export function parseIpNetwork(text: string): IpNetwork {
  const [base = '', length, ...rest] = text.split('/');
  const address = base.includes(':') ? parseIpv6(base) : parseIpv4(base);
  const bits = length === undefined ? (address?.length ?? 0) * 8 : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (address === undefined || rest.length > 0 || !(bits <= address.length * 8)) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw new SluiceError('access.bad-network', `${shown} is no network: write it as 10.0.0.0/8, fd00::/8 or a single address`);
  }
  return { address, bits };
}

export function isInNetwork(address: IpAddress, network: IpNetwork): boolean {
  if (address.length !== network.address.length) return false;
  return network.address.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, network.bits - index * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split('.');
  if (parts.length !== IPV4_BYTES || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groupBytes(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === IPV6_BYTES ? head : undefined;
  // "::" stands for at least one group (RFC 5952 section 4.2.2).
  if (tail === undefined || head.length + tail.length > (IPV6_GROUPS - 1) * 2) return undefined;
  return [...head, ...Array.from({ length: IPV6_BYTES - head.length - tail.length }, () => 0), ...tail];
}

function groupBytes(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const ipv4 = isLast && index === groups.length - 1 && group.includes('.') ? parseIpv4(group) : undefined;
    if (ipv4 !== undefined) bytes.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes;
}
