import fc from 'fast-check';
import { ProtocolError } from '../../core/mod.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** Random bytes, or one of `samples` with some bytes overwritten, cut short or prolonged. */
function hostile(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat({ max: 127 }), value: fc.nat({ max: 255 }) });
  const mutated = fc
    .record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(change, { maxLength: 6 }),
      length: fc.option(fc.nat({ max: 160 })),
      tail: fc.uint8Array({ maxLength: 16 }),
    })
    .map(({ sample, changes, length, tail }) => {
      const cut = sample.slice(0, length ?? sample.length);
      for (const { at, value } of changes) if (cut.length > 0) cut[at % cut.length] = value;
      return Uint8Array.from([...cut, ...tail]);
    });
  return fc.oneof({ weight: 4, arbitrary: mutated }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) });
}

/** Feeds hostile bytes to `parse`: nothing but a ProtocolError may come out. */
export function fuzz(samples: readonly Uint8Array[], parse: (bytes: Uint8Array) => unknown): void {
  fc.assert(
    fc.property(hostile(samples), (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
    { numRuns },
  );
}
