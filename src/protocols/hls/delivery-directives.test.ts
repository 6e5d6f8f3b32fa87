import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { isReached, isTooFarAhead, parseDeliveryDirectives } from './delivery-directives.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
/** Segments up to 9 are complete, the last with 4 parts; 2 parts of segment 10 are there. */
const EDGE = { openSequence: 10, openParts: 2, lastParts: 4 };

describe('parseDeliveryDirectives', () => {
  it.each([
    ['', { skip: false }],
    ['token=abc', { skip: false }],
    ['_HLS_msn=10', { msn: 10, skip: false }],
    ['_HLS_msn=10&_HLS_part=2', { msn: 10, part: 2, skip: false }],
    ['_HLS_part=2&x=1&_HLS_msn=10&_HLS_skip=YES', { msn: 10, part: 2, skip: true }],
    ['_HLS_skip=v2', { skip: true }],
    ['_HLS_skip=maybe', { skip: false }],
  ])('reads %j', (query, directives) => {
    expect(parseDeliveryDirectives(query)).toEqual(directives);
  });

  it.each([
    ['_HLS_part=2', 'hls.part-without-msn'],
    ['_HLS_msn=', 'hls.bad-directive'],
    ['_HLS_msn=-1', 'hls.bad-directive'],
    ['_HLS_msn=1.5', 'hls.bad-directive'],
    ['_HLS_msn=0x10', 'hls.bad-directive'],
    ['_HLS_msn=9999999999999', 'hls.bad-directive'],
    ['_HLS_msn=1&_HLS_part=a', 'hls.bad-directive'],
    [`_HLS_msn=1&${'x'.repeat(2100)}`, 'hls.query-too-long'],
  ])('refuses %j with %s', (query, code) => {
    expect(() => parseDeliveryDirectives(query)).toThrow(expect.objectContaining({ code }));
  });

  it('throws nothing but ProtocolError, whatever comes', () => {
    const directive = fc.constantFrom('_HLS_msn=', '_HLS_part=', '_HLS_skip=', '&', '=');
    const query = fc.array(fc.oneof(directive, fc.string(), fc.integer().map(String))).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(query, (text) => {
        try {
          const { msn, part } = parseDeliveryDirectives(text);
          for (const value of [msn, part]) if (value !== undefined) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      RUNS,
    );
  });
});

describe('isReached', () => {
  it.each([
    [9, undefined, true],
    [10, undefined, false],
    [10, 1, true],
    [10, 2, false],
    [9, 3, true],
    [3, 99, true],
    [11, 0, false],
  ])('msn %s part %s: %s', (msn, part, reached) => {
    expect(isReached(EDGE, msn, part)).toBe(reached);
  });

  it('takes a part past the end of a segment for part 0 of the next', () => {
    expect(isReached(EDGE, 9, 4)).toBe(true);
    expect(isReached({ ...EDGE, openParts: 0 }, 9, 4)).toBe(false);
  });
});

describe('isTooFarAhead', () => {
  it.each([
    [11, undefined, false],
    [12, undefined, true],
    [10, 7, false],
    [10, 8, true],
    [11, 0, false],
    [12, 0, true],
  ])('msn %s part %s: %s', (msn, part, refused) => {
    expect(isTooFarAhead(EDGE, msn, part, 500)).toBe(refused);
  });

  it('allows three parts ahead where parts are a second or longer', () => {
    expect(isTooFarAhead(EDGE, 10, 4, 1000)).toBe(false);
    expect(isTooFarAhead(EDGE, 10, 5, 1000)).toBe(true);
  });
});
