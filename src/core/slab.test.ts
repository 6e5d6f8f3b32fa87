import { expect, test } from 'vitest';
import { Slab } from './slab.ts';

test('pieces are zero, have the length that was asked for, and do not overlap', () => {
  const slab = new Slab();
  const lengths = Array.from({ length: 500 }, (_, index) => (index * 7919) % 20_000);
  const pieces = lengths.map((length, index) => {
    const piece = slab.take(length);
    expect(piece.length).toBe(length);
    expect(piece.every((byte) => byte === 0)).toBe(true);
    return piece.fill(1 + (index % 255));
  });
  for (const [index, piece] of pieces.entries()) expect(piece.every((byte) => byte === 1 + (index % 255))).toBe(true);
});

test('short pieces share a buffer, a long one has its own', () => {
  const slab = new Slab();
  const [first, long, second] = [slab.take(1_000), slab.take(100_000), slab.take(1_000)];
  expect(second.buffer).toBe(first.buffer);
  expect(long.buffer.byteLength).toBe(100_000);
});
