import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, streamRef } from '../core/mod.ts';
import { StaticAccess } from './mod.ts';

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const show = streamRef('live', 'show');

function makeAccess() {
  const clock = { now: monotonicMs(0) };
  const apps = [
    { name: 'live', keys: ['secret-1', 'secret-2'], publishFromLoopback: true },
    { name: 'locked', keys: [], publishFromLoopback: false },
  ];
  const attempts = { attemptsMax: 3, refillMs: durationMs(1_000), addressesMax: 2 };
  const access = new StaticAccess(apps, { sha256, now: () => clock.now }, attempts);
  return { access, clock };
}

describe('StaticAccess', () => {
  it('lets any of the keys in and nothing else', () => {
    const { access } = makeAccess();
    expect(access.mayPublish(show, { key: 'secret-1' }, '192.0.2.1')).toBe('allowed');
    expect(access.mayPublish(show, { key: 'secret-2' }, '192.0.2.1')).toBe('allowed');
    expect(access.mayPublish(show, { key: 'secret-' }, '192.0.2.1')).toEqual({ refused: 'key-wrong' });
    expect(access.mayPublish(show, {}, '192.0.2.1')).toEqual({ refused: 'key-missing' });
    expect(access.mayPublish(show, { key: '' }, '192.0.2.1')).toEqual({ refused: 'key-missing' });
    expect(access.mayPublish(show, { key: 'x'.repeat(1_000_000) }, '192.0.2.1')).toEqual({ refused: 'key-wrong' });
  });

  it('asks loopback for no key where the app says so', () => {
    const { access } = makeAccess();
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
      expect(access.mayPublish(show, {}, address)).toBe('allowed');
    for (const address of ['128.0.0.1', '::2', '127.0.0.1.example.com', '']) {
      expect(access.mayPublish(show, {}, address)).toEqual({ refused: 'key-missing' });
    }
    expect(access.mayPublish(show, { key: 'wrong' }, '127.0.0.1')).toEqual({ refused: 'key-wrong' });
    expect(access.mayPublish(streamRef('locked', 'show'), {}, '127.0.0.1')).toEqual({ refused: 'key-missing' });
    expect(access.mayPublish(streamRef('locked', 'show'), { key: 'anything' }, '127.0.0.1')).toEqual({ refused: 'key-wrong' });
  });

  it('refuses apps that are not configured', () => {
    const { access } = makeAccess();
    expect(access.mayPublish(streamRef('other', 'show'), { key: 'secret-1' }, '127.0.0.1')).toEqual({ refused: 'app-unknown' });
    expect(access.mayPublish(streamRef('constructor', 'show'), { key: 'secret-1' }, '127.0.0.1')).toEqual({ refused: 'app-unknown' });
  });

  it('stops listening to an address that guesses, and hears it again later', () => {
    const { access, clock } = makeAccess();
    for (let guess = 0; guess < 3; guess++)
      expect(access.mayPublish(show, { key: `guess-${guess}` }, '192.0.2.1')).toEqual({ refused: 'key-wrong' });
    expect(access.mayPublish(show, { key: 'secret-1' }, '192.0.2.1')).toEqual({ refused: 'too-many-attempts' });
    expect(access.mayPublish(show, { key: 'secret-1' }, '192.0.2.2')).toBe('allowed');
    clock.now = monotonicMs(1_000);
    expect(access.mayPublish(show, { key: 'secret-1' }, '192.0.2.1')).toBe('allowed');
  });

  it('counts guesses from one IPv6 /64 together', () => {
    const { access } = makeAccess();
    for (let guess = 0; guess < 3; guess++) access.mayPublish(show, { key: 'wrong' }, `2001:db8::${guess + 1}`);
    expect(access.mayPublish(show, { key: 'secret-1' }, '2001:db8:0:0:ffff::1')).toEqual({ refused: 'too-many-attempts' });
    expect(access.mayPublish(show, { key: 'secret-1' }, '2001:db8:0:1::1')).toBe('allowed');
  });

  it('remembers a bounded number of addresses', () => {
    const { access } = makeAccess();
    for (let guess = 0; guess < 3; guess++) access.mayPublish(show, { key: 'wrong' }, '192.0.2.1');
    for (const address of ['192.0.2.2', '192.0.2.3']) access.mayPublish(show, { key: 'wrong' }, address);
    expect(access.mayPublish(show, { key: 'secret-1' }, '192.0.2.1')).toBe('allowed');
  });
});
