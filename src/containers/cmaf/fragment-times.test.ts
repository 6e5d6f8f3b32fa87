import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { findBox, readBoxes } from './box-reader.fixture.ts';
import { type FragmentSample, writeFragment } from './fragment.ts';
import { fragmentEndMs, trackTimescales } from './fragment-times.ts';
import { readMovieNote } from './movie-note.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const sample = (dts: number): FragmentSample => ({ dts, pts: dts, isKeyframe: true, payload: new Uint8Array(5) });
const fragment = writeFragment(7, [
  { trackId: 1, kind: 'video', samples: [sample(90_000), sample(93_000)], durations: [3_000, 3_000] },
  { trackId: 2, kind: 'audio', samples: [sample(48_000)], durations: [9_600] },
]);
const moof = findBox(readBoxes(fragment), 'moof').body;

describe('the times of a fragment', () => {
  it('end with its last sample of all tracks', () => {
    expect(fragmentEndMs(moof, [90_000, 48_000])).toBe(1_200);
    expect(fragmentEndMs(moof, [90_000])).toBeCloseTo(1_066.67, 1);
    expect(fragmentEndMs(moof, [])).toBe(0);
  });

  it('of bytes that are none are refused', () => {
    const read = (bytes: Uint8Array): void => {
      for (const parse of [() => fragmentEndMs(bytes, [1, 2]), () => trackTimescales(bytes), () => readMovieNote(bytes)]) {
        try {
          parse();
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(moof.length - 1), fc.nat(255), (bytes, at, value) => {
        read(bytes);
        const spoilt = moof.slice();
        spoilt[at] = value;
        read(spoilt);
        read(moof.subarray(0, at));
      }),
      { numRuns: RUNS },
    );
  });
});
