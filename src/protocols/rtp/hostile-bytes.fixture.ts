import fc from 'fast-check';
import { ProtocolError } from '../../core/mod.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** Random bytes, or one of `samples` with some bytes overwritten, cut short or prolonged. */
function hostile(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat({ max: 63 }), value: fc.nat({ max: 255 }) });
  const mutated = fc
    .record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(change, { maxLength: 4 }),
      length: fc.option(fc.nat({ max: 160 })),
      tail: fc.uint8Array({ maxLength: 8 }),
    })
    .map(({ sample, changes, length, tail }) => {
      const bytes = Uint8Array.from([...sample.subarray(0, length ?? sample.length), ...tail]);
      for (const { at, value } of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
  return fc.oneof({ weight: 4, arbitrary: mutated }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) });
}

/** Feeds up to six hostile byte strings at a time to `parse`: nothing but a ProtocolError may come out. */
export function fuzzAll(samples: readonly Uint8Array[], parse: (all: readonly Uint8Array[]) => unknown): void {
  fc.assert(
    fc.property(fc.array(hostile(samples), { maxLength: 6 }), (all) => {
      try {
        parse(all);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
    { numRuns },
  );
}

/** Feeds hostile bytes to `parse`: nothing but a ProtocolError may come out. */
export function fuzz(samples: readonly Uint8Array[], parse: (bytes: Uint8Array) => unknown): void {
  fuzzAll(samples, (all) => all.forEach(parse));
}
