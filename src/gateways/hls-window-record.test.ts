import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, utf8Decode, utf8Encode } from '../core/mod.ts';
import { type FixtureOptions, FrameSource } from './hls-frames.fixture.ts';
import type { HlsSegment } from './hls-segment.ts';
import { readWindowRecord, writeWindowRecord } from './hls-window-record.ts';
import { HubToHls } from './hub-to-hls.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

function windowOf(options: FixtureOptions): readonly HlsSegment[] {
  const nothing = (): void => undefined;
  const hls = new HubToHls({ added: nothing, removed: nothing, advanced: nothing }, { segmentsMax: 4, bytesMax: 1e8 });
  for (const frame of new FrameSource().add(options)) hls.frame(frame);
  return hls.complete;
}

const window = windowOf({ seconds: 15, frameRate: 24 });
const record = writeWindowRecord(window);
type Segment = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>> & { readonly segments: readonly Segment[] };
const changed = (change: (json: Json) => object): Uint8Array => utf8Encode(JSON.stringify(change(JSON.parse(utf8Decode(record)) as Json)));
/** With something else in the first segment. */
const inFirst =
  (change: object) =>
  ({ segments: [first, ...more], ...json }: Json): object => ({ ...json, segments: [{ ...first, ...change }, ...more] });

describe('the record of a window', () => {
  it('tells all of the segments but their bytes, to the last digit', () => {
    const read = readWindowRecord(record);
    expect(read.map((segment) => segment.record)).toEqual(window.map((segment) => segment.record));
    expect(read.map(({ uri, sizeBytes, durationS }) => ({ uri, sizeBytes, durationS }))).toEqual(
      window.map(({ uri, sizeBytes, durationS }) => ({ uri, sizeBytes, durationS })),
    );
    expect(read[0]?.parts).toEqual(window[0]?.parts.map((part) => ({ ...part, isGap: false })));
    expect(utf8Decode(writeWindowRecord(read))).toBe(utf8Decode(record));
  });

  it('is read by the version before, and by this one with what a later version adds', () => {
    const later = changed((json) => ({
      ...json,
      version: 2,
      more: [1],
      segments: json.segments.map((segment) => ({ ...segment, more: {} })),
    }));
    expect(readWindowRecord(later)).toHaveLength(window.length);
    expect(() => readWindowRecord(changed((json) => ({ ...json, readableFrom: 2 })))).toThrow(/is of version 2: this build reads 1/);
  });

  it.each<[string, (json: Json) => object]>([
    ['no segments', ({ version, readableFrom }) => ({ version, readableFrom })],
    ['too many segments', (json) => ({ ...json, segments: Array.from({ length: 3_000 }, () => json.segments[0]) })],
    ['segments that go back', (json) => ({ ...json, segments: json.segments.toReversed() })],
    ['a number that is none', inFirst({ sequence: 1.5 })],
    ['a duration below nothing', inFirst({ durationS: -1 })],
    ['a time that is no date', inFirst({ startMs: 1e17 })],
    ['a name that leads elsewhere', inFirst({ mapUri: '../../api/v1' })],
    ['parts beyond measure', inFirst({ parts: [{ durationS: 1, sizeBytes: 2 ** 40 }] })],
    ['too many parts', inFirst({ parts: Array.from({ length: 2_000 }, () => ({ durationS: 0, sizeBytes: 0 })) })],
  ])('is refused with %s', (_what, change) => {
    expect(() => readWindowRecord(changed(change))).toThrow(expect.objectContaining({ code: 'hls.bad-window' }));
  });

  it('is refused in words, whatever the bytes', () => {
    const mutated = fc
      .tuple(fc.nat(record.length - 1), fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.nat(record.length))
      .map(([at, bytes, length]) => {
        const copy = record.slice();
        copy.set(bytes.subarray(0, copy.length - at), at);
        return copy.subarray(0, length % 7 === 0 ? length : copy.length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(utf8Encode), mutated), (bytes) => {
        try {
          expect(readWindowRecord(bytes).length).toBeLessThanOrEqual(2_048);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      RUNS,
    );
  });
});
