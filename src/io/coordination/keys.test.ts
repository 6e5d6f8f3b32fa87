import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isName } from '../../core/mod.ts';
import { fromTokens, isKey, isPrefix, matches, parsePattern, toTokens } from './keys.ts';

const runs = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const part = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/).filter(isName);
const key = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));

describe('keys', () => {
  it('are parts of names', () => {
    for (const good of ['nodes/a', 'streams/live/show.1', '_x', 'a/b/c/d/e/f/g/h']) expect(isKey(good)).toBe(true);
    for (const bad of ['', '/', 'a/', '/a', 'a//b', 'a b', 'a..b', '.a', 'a/*', 'a>b', 'ü', 'a/b/c/d/e/f/g/h/i', `${'a'.repeat(65)}`]) {
      expect(isKey(bad)).toBe(false);
    }
    expect(isKey(Array.from({ length: 5 }, () => 'a'.repeat(60)).join('/'))).toBe(false);
  });

  it('have prefixes that end in a slash', () => {
    expect(['', 'a/', 'a/b/'].map(isPrefix)).toEqual([true, true, true]);
    expect(['a', '/', 'a//', '*/'].map(isPrefix)).toEqual([false, false, false, false]);
  });

  it('go to tokens of NATS and back', () => {
    expect(toTokens('streams/live/show.1')).toBe('streams.live.show=1');
    fc.assert(
      fc.property(key, (text) => {
        const tokens = toTokens(text);
        expect(tokens).toMatch(/^[\w=-]+(\.[\w=-]+)*$/);
        expect(fromTokens(tokens)).toBe(text);
      }),
      runs,
    );
  });
});

describe('patterns', () => {
  it('match one more part, or one or more', () => {
    const one = parsePattern('heartbeat/*');
    const more = parsePattern('heartbeat/**');
    const exact = parsePattern('heartbeat/eu');
    const of = (subject: string): boolean[] => [exact, one, more].map((pattern) => matches(pattern, subject));
    expect(of('heartbeat')).toEqual([false, false, false]);
    expect(of('heartbeat/eu')).toEqual([true, true, true]);
    expect(of('heartbeat/eu/a')).toEqual([false, false, true]);
    expect(of('heartbeats/eu')).toEqual([false, false, false]);
  });

  it('are refused when they are none', () => {
    for (const bad of ['', '*', '**', '/*', 'a/*/b', 'a b/*', 'a/***']) expect(() => parsePattern(bad)).toThrow('bad subject pattern');
  });
});
