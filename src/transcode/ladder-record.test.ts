import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLadder, encodeLadder } from './ladder-record.ts';
import type { LadderSettings } from './ladder-templates.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

it('a ladder is read as it was written', () => {
  const ladder: LadderSettings = {
    template: 'custom',
    rungs: [
      { name: '720p', codec: 'h264', height: 720, frameRateMax: 30, bitrateBps: 1, preset: 'fast', encoder: 'auto', channels: 0 },
      { name: 'sound', codec: 'opus', height: 0, frameRateMax: 0, bitrateBps: 0, preset: 'veryfast', encoder: 'auto', channels: 2 },
    ],
    always: true,
    lingerMs: 5,
  };
  expect(decodeLadder(encodeLadder(ladder))).toEqual(ladder);
});

it('any bytes are read as a ladder or refused', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('custom', 'abr', 'h264'));
  const value = fc.record({
    v: fc.constant(1),
    template: field,
    rungs: fc.oneof(field, fc.array(fc.record({ name: field, codec: field }))),
    always: field,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        value.map((made) => new TextEncoder().encode(JSON.stringify(made))),
      ),
      (bytes) => {
        const read = decodeLadder(bytes);
        if (read !== undefined) expect(decodeLadder(encodeLadder(read))).toEqual(read);
      },
    ),
    { numRuns },
  );
});
