import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { announcedAddresses } from './announced-addresses.ts';

const address = (ip: string, internal = false): NetworkInterfaceInfo => {
  const about = { address: ip, internal, netmask: '', mac: '', cidr: null };
  return ip.includes(':') ? { ...about, family: 'IPv6', scopeid: 0 } : { ...about, family: 'IPv4' };
};

/** What a machine of these addresses announces. */
function machine(...ips: readonly string[]): (configured: readonly string[], host: string, clientAddress: string) => readonly string[] {
  const interfaces = { lo: [address('127.0.0.1', true), address('::1', true)], eth0: ips.map((ip) => address(ip)) };
  return (configured, host, clientAddress) => announcedAddresses(configured, host, clientAddress, () => interfaces);
}

describe('announcedAddresses', () => {
  it('are those of the machine: IPv4 first, no loopback, none that needs a zone', () => {
    const announced = machine('fe80::1', '2001:db8::1', '192.0.2.1', 'febf::2', '198.51.100.1');
    for (const host of ['*', '::']) expect(announced([], host, '203.0.113.9')).toEqual(['192.0.2.1', '198.51.100.1', '2001:db8::1']);
  });

  it('are of IPv4 alone where only that is listened on', () => {
    const announced = machine('2001:db8::1', '192.0.2.1');
    expect(announced([], '0.0.0.0', '203.0.113.9')).toEqual(['192.0.2.1']);
  });

  it('begin with loopback for a client on this machine', () => {
    const announced = machine('192.0.2.1');
    expect(announced([], '*', '127.0.0.1')).toEqual(['127.0.0.1', '192.0.2.1']);
    expect(announced([], '*', '::1')).toEqual(['127.0.0.1', '192.0.2.1']);
  });

  it('are the configured ones instead, each once, and loopback behind them for a client on this machine', () => {
    const announced = machine('192.0.2.1');
    const configured = ['203.0.113.1', '203.0.113.1', '2001:db8::7'];
    expect(announced(configured, '*', '198.51.100.7')).toEqual(['203.0.113.1', '2001:db8::7']);
    expect(announced(configured, '*', '127.0.0.1')).toEqual(['203.0.113.1', '2001:db8::7', '127.0.0.1']);
  });

  it('are the one that is listened on', () => {
    const announced = machine('192.0.2.1', '198.51.100.1');
    expect(announced([], '198.51.100.1', '203.0.113.9')).toEqual(['198.51.100.1']);
  });

  it('are loopback on a machine without network', () => {
    const announced = machine();
    expect(announced([], '*', '203.0.113.9')).toEqual(['127.0.0.1']);
  });

  it('are no more than sixteen', () => {
    const announced = machine(...Array.from({ length: 40 }, (_, index) => `192.0.2.${index + 1}`));
    expect(announced([], '*', '127.0.0.1')).toHaveLength(16);
  });
});
