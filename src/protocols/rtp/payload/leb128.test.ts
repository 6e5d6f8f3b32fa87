import { expect, it } from 'vitest';
import { leb128Size, readLeb128, writeLeb128 } from './leb128.ts';

it.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 32 - 1])('writes %i so that it is read again', (value) => {
  const bytes = new Uint8Array(10);
  const end = writeLeb128(bytes, 1, value);
  expect(end - 1).toBe(leb128Size(value));
  expect(readLeb128(bytes, 1)).toEqual({ value, end });
});

it('reads what is longer than it must be, and refuses what is cut or too large', () => {
  expect(readLeb128(Uint8Array.of(0x83, 0x80, 0x00), 0)).toEqual({ value: 3, end: 3 });
  expect(readLeb128(Uint8Array.of(0x80, 0x80), 0)).toBeUndefined();
  expect(readLeb128(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f), 0)).toBeUndefined();
  expect(readLeb128(new Uint8Array(9).fill(0x80), 0)).toBeUndefined();
});
