import { describe, expect, it } from 'vitest';
import { byteRange } from './byte-range.ts';

describe('a range of a file', () => {
  it.each([
    ['bytes=0-9', 100, { first: 0, last: 9 }],
    ['bytes=90-', 100, { first: 90, last: 99 }],
    ['bytes=90-500', 100, { first: 90, last: 99 }],
    ['bytes=-10', 100, { first: 90, last: 99 }],
    ['bytes=-500', 100, { first: 0, last: 99 }],
    ['bytes=99-99', 100, { first: 99, last: 99 }],
  ])('%s of %i bytes is what it says', (header, size, range) => {
    expect(byteRange(header, size)).toEqual(range);
  });

  it.each([
    [undefined, 100],
    ['', 100],
    ['bytes=-', 100],
    ['bytes=5-4', 100],
    ['bytes=0-1,5-6', 100],
    ['items=0-1', 100],
    ['bytes=a-b', 100],
    ['bytes=1e3-', 100],
    ['bytes=0-99999999999999999999', 100],
  ])('%s is answered with the whole file', (header, size) => {
    expect(byteRange(header, size)).toBe('whole');
  });

  it.each([
    ['bytes=100-', 100],
    ['bytes=100-200', 100],
    ['bytes=-0', 100],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ])('%s of %i bytes is in no file', (header, size) => {
    expect(byteRange(header, size)).toBe('none');
  });
});
