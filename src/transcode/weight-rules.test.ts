import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../core/mod.ts';
import { decodeWeights, encodeWeights, type TranscodingWeights } from './weight-rules.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const weights: TranscodingWeights = {
  v: 1,
  rules: [{ app: 'live', stream: 'show-*', rung: '*', viewersMin: 10, weight: 2.5 }],
  pins: [
    { stream: 'live/show-1', rung: '720p', node: 'n1' },
    { stream: 'live/show-2', rung: undefined, node: undefined },
  ],
};

describe('weights of transcoding', () => {
  it('come back as they were written', () => {
    expect(decodeWeights(encodeWeights(weights))).toEqual(weights);
  });

  it('leave out what cannot be read, and take any name where none is said', () => {
    const text = '{"v":1,"rules":[{"weight":3},{"app":"a/b","weight":1},{"weight":-1},7,null],"pins":[{"stream":"x"},{}]}';
    expect(decodeWeights(utf8Encode(text))).toEqual({
      v: 1,
      rules: [{ app: '*', stream: '*', rung: '*', viewersMin: 0, weight: 3 }],
      pins: [],
    });
    expect(decodeWeights(utf8Encode('{"v":2}'))).toBeUndefined();
  });

  it('are read from anything without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.jsonValue().map((value) => utf8Encode(JSON.stringify({ v: 1, rules: value, pins: value }))),
        ),
        (bytes) => {
          const read = decodeWeights(bytes);
          if (read !== undefined) expect(decodeWeights(encodeWeights(read))).toEqual(read);
        },
      ),
      { numRuns },
    );
  });
});
