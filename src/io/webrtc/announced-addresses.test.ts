import { networkInterfaces } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { announcedAddresses } from './announced-addresses.ts';

const address = (ip: string, internal = false) => {
  const family = ip.includes(':') ? ('IPv6' as const) : ('IPv4' as const);
  return { address: ip, internal, family, netmask: '', mac: '', cidr: null, ...(family === 'IPv6' ? { scopeid: 0 } : {}) };
};

vi.mock('node:os', () => ({ networkInterfaces: vi.fn() }));

function machine(...ips: readonly string[]): void {
  const interfaces = { lo: [address('127.0.0.1', true), address('::1', true)], eth0: ips.map((ip) => address(ip)) };
  vi.mocked(networkInterfaces).mockReturnValue(interfaces as ReturnType<typeof networkInterfaces>);
}

describe('announcedAddresses', () => {
  it('are those of the machine: IPv4 first, no loopback, none that needs a zone', () => {
    machine('fe80::1', '2001:db8::1', '192.0.2.1', 'febf::2', '198.51.100.1');
    for (const host of ['*', '::'])
      expect(announcedAddresses([], host, '203.0.113.9')).toEqual(['192.0.2.1', '198.51.100.1', '2001:db8::1']);
  });

  it('are of IPv4 alone where only that is listened on', () => {
    machine('2001:db8::1', '192.0.2.1');
    expect(announcedAddresses([], '0.0.0.0', '203.0.113.9')).toEqual(['192.0.2.1']);
  });

  it('begin with loopback for a client on this machine', () => {
    machine('192.0.2.1');
    expect(announcedAddresses([], '*', '127.0.0.1')).toEqual(['127.0.0.1', '192.0.2.1']);
    expect(announcedAddresses([], '*', '::1')).toEqual(['127.0.0.1', '192.0.2.1']);
  });

  it('are the configured ones instead, each once, and loopback behind them for a client on this machine', () => {
    machine('192.0.2.1');
    const configured = ['203.0.113.1', '203.0.113.1', '2001:db8::7'];
    expect(announcedAddresses(configured, '*', '198.51.100.7')).toEqual(['203.0.113.1', '2001:db8::7']);
    expect(announcedAddresses(configured, '*', '127.0.0.1')).toEqual(['203.0.113.1', '2001:db8::7', '127.0.0.1']);
  });

  it('are the one that is listened on', () => {
    machine('192.0.2.1', '198.51.100.1');
    expect(announcedAddresses([], '198.51.100.1', '203.0.113.9')).toEqual(['198.51.100.1']);
  });

  it('are loopback on a machine without network', () => {
    machine();
    expect(announcedAddresses([], '*', '203.0.113.9')).toEqual(['127.0.0.1']);
  });

  it('are no more than sixteen', () => {
    machine(...Array.from({ length: 40 }, (_, index) => `192.0.2.${index + 1}`));
    expect(announcedAddresses([], '*', '127.0.0.1')).toHaveLength(16);
  });
});
