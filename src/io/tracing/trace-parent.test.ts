import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTraceParent } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const HEX = fc.constantFrom(...'0123456789abcdef-');

describe('traceparent', () => {
  it('names the caller’s span, and whether it is kept', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1 });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-02`)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 0 });
  });

  it('may have more behind it from version 01 on', () => {
    expect(parseTraceParent(`01-${TRACE}-${SPAN}-01-more`)).toMatchObject({ traceId: TRACE });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01-more`)).toBeUndefined();
  });

  it.each([
    undefined,
    '',
    'hello',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(600)}`,
  ])('is ignored when it is none: %s', (header) => expect(parseTraceParent(header)).toBeUndefined());

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: HEX, minLength: 50, maxLength: 60 })), (text) => {
        const parsed = parseTraceParent(text);
        if (parsed !== undefined) expect(text).toContain(`${parsed.traceId}-${parsed.spanId}`);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
