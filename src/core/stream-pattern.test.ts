import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStreamPattern, matchesPattern } from './stream-pattern.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('patterns of streams', () => {
  it.each([
    ['*', 'show', true],
    ['show', 'show', true],
    ['show', 'show2', false],
    ['show-*', 'show-1', true],
    ['show-*', 'show-', true],
    ['show-*', 'show', false],
    ['*-hd', 'show-hd', true],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'aba', false],
    ['sh.w', 'show', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });

  it('takes names and stars only', () => {
    expect(['*', 'show-*', 'a.b_c'].every(isStreamPattern)).toBe(true);
    expect(['', 'a/b', 'a?', '[a]', 'x'.repeat(65)].some(isStreamPattern)).toBe(false);
  });

  it('agrees with a regular expression', () => {
    const text = fc.stringMatching(/^[ab*]{1,12}$/);
    fc.assert(
      fc.property(text, fc.stringMatching(/^[ab]{0,14}$/), (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
      }),
      { numRuns },
    );
  });
});
