import { describe, expect, it } from 'vitest';
import { fuzz } from './mutations.fixture.ts';
import {
  annexBToLengthPrefixed,
  joinNalUnits,
  splitAnnexB,
  splitNalUnits,
  toFourByteLengths,
  withoutEmulationPrevention,
} from './nal-units.ts';
import { hex } from './samples.fixture.ts';

describe('splitNalUnits', () => {
  it.each([
    [1, '02 6501 00 01 41'],
    [2, '0002 6501 0000 0001 41'],
    [4, '00000002 6501 00000000 00000001 41'],
  ] as const)('reads lengths of %d bytes and leaves out empty units', (size, text) => {
    expect(splitNalUnits(hex(text), size)).toEqual([hex('6501'), hex('41')]);
  });

  it('refuses a length past the end, stray bytes and too many units', () => {
    const refusal = expect.objectContaining({ code: 'media.bad-nal-units' });
    expect(() => splitNalUnits(hex('00000003 6501'))).toThrow(refusal);
    expect(() => splitNalUnits(hex('00000001 65 0000'))).toThrow(refusal);
    expect(() => splitNalUnits(new Uint8Array(4 * 4_097))).toThrow(refusal);
  });
});

describe('toFourByteLengths', () => {
  it('keeps the same bytes when lengths have 4 bytes, and widens shorter ones', () => {
    const payload = hex('00000001 65');
    expect(toFourByteLengths(payload, 4)).toBe(payload);
    expect(toFourByteLengths(hex('0002 6501 0001 41'), 2)).toEqual(hex('00000002 6501 00000001 41'));
  });
});

describe('annex B', () => {
  it('is split at 3- and 4-byte start codes, without zeros around units', () => {
    expect(splitAnnexB(hex('00000001 0910 000001 6588 0000 00000001 41 01 000001'))).toEqual([hex('0910'), hex('6588'), hex('4101')]);
    expect(splitAnnexB(hex('010203'))).toEqual([]);
    expect(splitAnnexB(hex(''))).toEqual([]);
  });

  it('becomes length-prefixed', () => {
    expect(annexBToLengthPrefixed(hex('000001 6588 00000001 4101'))).toEqual(hex('00000002 6588 00000002 4101'));
  });
});

describe('withoutEmulationPrevention', () => {
  it('drops 03 behind two zeros only', () => {
    expect(withoutEmulationPrevention(hex('67 000003 01 0003 000003 000003'))).toEqual(hex('67 0000 01 0003 0000 0000'));
  });
});

describe('hostile bytes', () => {
  const samples = [hex('00000001 0910 000001 6588'), hex('00000002 6501 00000001 41'), hex('02 6501 01 41')];
  it('never make splitting fail otherwise than by ProtocolError, and joining undoes it', () => {
    for (const size of [1, 2, 4] as const) {
      fuzz(samples, (bytes) => {
        const units = splitNalUnits(bytes, size);
        expect(splitNalUnits(joinNalUnits(units))).toEqual(units);
      });
    }
  });
  it('never make annex B conversion fail', () => fuzz(samples, (bytes) => splitNalUnits(annexBToLengthPrefixed(bytes))));
});
