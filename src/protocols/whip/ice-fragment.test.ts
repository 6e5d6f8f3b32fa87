import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { formatIceFragment, parseIceFragment } from './ice-fragment.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const PWD = 'vw5LmwG4y/e6dPP/zAP9Gp5k';
const NONE = { candidates: [], isEndOfCandidates: false, group: '', media: '', mid: '' };

describe('parseIceFragment', () => {
  it.each([
    ['a=end-of-candidates', { ...NONE, isEndOfCandidates: true }],
    [`a=ice-pwd:${PWD}\na=ice-ufrag:ysXw\n`, { ...NONE, ufrag: 'ysXw', pwd: PWD }],
    ['\r\n\r\na=unknown\r\na=x:ü\r\nb=AS:1\r\n', NONE],
    [
      `a=group:BUNDLE 0 1\r\nm=video 9 RTP/AVP 0\r\na=mid:v\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n`,
      {
        ...NONE,
        candidates: ['candidate:1 1 udp 1 192.0.2.1 9 typ host'],
        group: 'a=group:BUNDLE 0 1',
        media: 'm=video 9 RTP/AVP 0',
        mid: 'a=mid:v',
      },
    ],
    [
      `a=ice-ufrag:ysXw\na=ice-pwd:${PWD}\nm=audio 9 X 0\na=ice-ufrag:ysXw\na=ice-pwd:${PWD}`,
      { ...NONE, ufrag: 'ysXw', pwd: PWD, media: 'm=audio 9 X 0' },
    ],
  ])('reads %j', (text, fragment) => {
    expect(parseIceFragment(text)).toEqual(fragment);
  });

  it.each([
    ['hello', /line/],
    ['a=ice-ufrag:ysXw', /both/],
    [`a=ice-pwd:${PWD}`, /both/],
    ['a=ice-ufrag:x', /ice-ufrag/],
    ['a=ice-ufrag:a b c d', /ice-ufrag/],
    ['a=ice-pwd:tooShort', /ice-pwd/],
    ['a=ice-ufrag:aaaa\na=ice-ufrag:bbbb', /different/],
    ['a=candidate:\u0000', /visible/],
    ['m=audio\u00e9', /visible/],
  ])('refuses %j', (text, message) => {
    expect(() => parseIceFragment(text)).toThrow(
      expect.objectContaining({ code: 'whip.bad-fragment', message: expect.stringMatching(message) }),
    );
  });

  it.each([
    ['lines', 'a=x\n'.repeat(2_000), /1000 lines/],
    ['characters in a line', `a=${'x'.repeat(3_000)}`, /at most 2000/],
    ['characters in a ufrag', `a=ice-ufrag:${'x'.repeat(257)}`, /ice-ufrag of 257/],
    ['candidates', 'a=candidate:1\n'.repeat(101), /100 candidates/],
  ])('refuses too many %s', (_, text, message) => {
    expect(() => parseIceFragment(text)).toThrow(message);
  });

  it('throws nothing but ProtocolError, and answers in lines of its own', () => {
    const name = fc.constantFrom(
      'a=ice-ufrag:',
      'a=ice-pwd:',
      'a=candidate:',
      'a=mid:',
      'm=',
      'a=group:',
      'a=',
      '\r\n',
      '\n',
      '\r',
      'abcd',
      PWD,
    );
    const text = fc.array(fc.oneof(name, name, fc.string(), fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));
    const ice = { ufrag: 'srvU', pwd: PWD, candidates: ['candidate:1'], isLite: true, options: ['ice2'] };
    fc.assert(
      fc.property(text, (anything) => {
        try {
          const fragment = parseIceFragment(anything);
          expect(fragment.ufrag === undefined).toBe(fragment.pwd === undefined);
          const answer = formatIceFragment(ice, fragment);
          expect(answer.split('\r\n').length).toBeLessThanOrEqual(10);
          expect(parseIceFragment(answer)).toMatchObject({ ufrag: 'srvU', pwd: PWD, candidates: ['candidate:1'], isEndOfCandidates: true });
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      RUNS,
    );
  });
});

describe('formatIceFragment', () => {
  it('says nothing that the SDP answer did not', () => {
    const ice = { ufrag: 'srvU', pwd: PWD, candidates: [], isLite: false, options: [] };
    expect(formatIceFragment(ice, { ...NONE, media: 'm=video 9 X 0', mid: 'a=mid:7' })).toBe(
      `m=video 9 X 0\r\na=mid:7\r\na=ice-ufrag:srvU\r\na=ice-pwd:${PWD}\r\na=end-of-candidates\r\n`,
    );
  });
});
