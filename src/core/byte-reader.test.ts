import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ProtocolError } from './errors.ts';

describe('ByteReader', () => {
  it('reads back every field that ByteWriter wrote', () => {
    fc.assert(
      fc.property(fc.nat(0xff), fc.nat(0xffff), fc.nat(0xffffff), fc.nat(0xffffffff), fc.maxSafeNat(), fc.double(), (a, b, c, d, e, f) => {
        const bytes = new ByteWriter(1).u8(a).u16(b).u24(c).u32(d).u64(e).f64(f).u32le(d).zeros(2).put(Uint8Array.of(7)).finish();
        const reader = new ByteReader(bytes);
        expect([reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u64(), reader.f64(), reader.u32le()]).toEqual([
          a,
          b,
          c,
          d,
          e,
          f,
          d,
        ]);
        expect([...reader.rest()]).toEqual([0, 0, 7]);
      }),
    );
  });

  it('reads signed fields', () => {
    const reader = new ByteReader(Uint8Array.of(0xff, 0xff, 0xfe, 0xff, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xfc));
    expect([reader.i8(), reader.i16(), reader.i24(), reader.i32()]).toEqual([-1, -2, -3, -4]);
  });

  it('says how much was missing when the bytes end early, and stays where it was', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2));
    expect(() => reader.u32()).toThrow(new ProtocolError('core.truncated', 'needed 4 bytes at offset 0, but only 2 are left'));
    expect(() => reader.slice(-1)).toThrow(ProtocolError);
    expect(reader.u16()).toBe(0x0102);
  });

  it('refuses 64-bit values that a number cannot hold', () => {
    expect(() => new ByteReader(new Uint8Array(8).fill(0xff)).u64()).toThrow(/above 2\^53/);
  });

  it('shares memory in slices', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const reader = new ByteReader(bytes);
    reader.skip(1);
    bytes[1] = 9;
    expect([...reader.slice(1)]).toEqual([9]);
    expect([reader.offset, reader.remaining]).toEqual([2, 1]);
  });
});
