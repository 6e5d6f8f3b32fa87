import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from './utf8.ts';

describe('UTF-8', () => {
  it.each([
    ['nothing', ''],
    ['what is in ASCII', '{"v":1}'],
    ['more bytes than letters', 'ü€😀'],
    ['long texts', 'ü€😀'.repeat(3_000)],
    ['texts about as long as what is kept for short ones', '€'.repeat(1_300)],
    ['texts a little longer', '€'.repeat(1_301)],
  ])('takes %s there and back', (_what, text) => {
    expect(utf8Decode(utf8Encode(text))).toBe(text);
    expect(Buffer.from(text).equals(utf8Encode(text))).toBe(true);
  });

  it('gives bytes that stay as they are', () => {
    const texts = Array.from({ length: 2_000 }, (_, at) => 'ü€😀'.repeat(at % 50) + at);
    const encoded = texts.map(utf8Encode);
    expect(encoded.map(utf8Decode)).toEqual(texts);
  });
});
