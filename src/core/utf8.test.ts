import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from './utf8.ts';

describe('UTF-8', () => {
  it.each([
    ['nothing', ''],
    ['what is in ASCII', '{"v":1}'],
    ['more bytes than letters', 'ü€😀'],
    ['long texts', 'ü€😀'.repeat(3_000)],
    ['texts about as long as what is kept for short ones', '€'.repeat(5_461)],
    ['texts a little longer', '€'.repeat(5_462)],
  ])('takes %s there and back', (_what, text) => {
    expect(utf8Decode(utf8Encode(text))).toBe(text);
    expect(Buffer.from(text).equals(utf8Encode(text))).toBe(true);
  });

  it('gives bytes that stay as they are', () => {
    const first = utf8Encode('first');
    utf8Encode('other');
    expect(utf8Decode(first)).toBe('first');
  });
});
