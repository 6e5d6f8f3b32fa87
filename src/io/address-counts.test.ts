import { describe, expect, it } from 'vitest';
import { AddressCounts } from './address-counts.ts';

describe('AddressCounts', () => {
  it('lets an address have as many as it may, whatever the others have', () => {
    const counts = new AddressCounts(2);
    expect(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map((address) => counts.add(address))).toEqual([true, true, false, true]);
    counts.remove('192.0.2.1');
    expect([counts.add('192.0.2.1'), counts.add('192.0.2.1')]).toEqual([true, false]);
  });

  it.each(['127.0.0.1', '127.8.9.10', '::1'])('never refuses %s', (address) => {
    const counts = new AddressCounts(1);
    expect([counts.add(address), counts.add(address), counts.add(address)]).toEqual([true, true, true]);
    counts.remove(address);
  });
});
