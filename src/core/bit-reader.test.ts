import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader } from './bit-reader.ts';
import { ProtocolError } from './errors.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('BitReader', () => {
  it('reads fields across byte borders, unsigned up to 32 bits', () => {
    const reader = new BitReader(Uint8Array.of(0xa5, 0xff, 0xff, 0xff, 0xff, 0x80));
    expect(reader.bits(4)).toBe(0xa);
    expect(reader.bits(4)).toBe(0x5);
    expect(reader.bits(32)).toBe(0xffffffff);
    expect(reader.flag()).toBe(true);
    expect(reader.remainingBits).toBe(7);
    reader.align();
    expect(reader.remainingBits).toBe(0);
  });

  it('reads the Exp-Golomb codes of H.264 table 9-2 and 9-3', () => {
    // 1, 010, 011, 00100, 00101 and padding
    const bytes = Uint8Array.of(0b10100110, 0b01000010, 0b10000000);
    const unsigned = new BitReader(bytes);
    expect([unsigned.ue(), unsigned.ue(), unsigned.ue(), unsigned.ue(), unsigned.ue()]).toEqual([0, 1, 2, 3, 4]);
    const signed = new BitReader(bytes);
    expect([signed.se(), signed.se(), signed.se(), signed.se(), signed.se()]).toEqual([0, 1, -1, 2, -2]);
  });

  it('reads the largest Exp-Golomb number and refuses longer ones', () => {
    expect(new BitReader(Uint8Array.of(0, 0, 0, 1, 255, 255, 255, 255)).ue()).toBe(2 ** 32 - 2);
    expect(() => new BitReader(new Uint8Array(16)).ue()).toThrow(expect.objectContaining({ code: 'core.bad-exp-golomb' }));
  });

  it('refuses to read past the end', () => {
    const reader = new BitReader(Uint8Array.of(0xff));
    reader.skip(6);
    expect(() => reader.bits(3)).toThrow(expect.objectContaining({ code: 'core.truncated' }));
    expect(reader.bits(2)).toBe(3);
  });

  it('agrees with a reading bit by bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.integer({ min: 0, max: 32 }), { maxLength: 20 }), (bytes, lengths) => {
        const reader = new BitReader(bytes);
        const text = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
        let at = 0;
        for (const length of lengths) {
          if (at + length > text.length) {
            expect(() => reader.bits(length)).toThrow(ProtocolError);
            return;
          }
          expect(reader.bits(length)).toBe(length === 0 ? 0 : Number.parseInt(text.slice(at, at + length), 2));
          at += length;
        }
      }),
      { numRuns },
    );
  });
});
