import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { fuzz } from '../../media/codecs/mutations.fixture.ts';
import { hex } from '../../media/codecs/samples.fixture.ts';
import { AmfDate, AmfEcmaArray, type AmfValue, amfObject } from './amf-value.ts';
import { decodeAmf0 } from './amf0-decode.ts';
import { encodeAmf0 } from './amf0-encode.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
};
const amf3 = (text: string): AmfValue => decodeAmf0(hex(`11${text}`))[0];

const sampleValues: AmfValue[] = [
  'connect',
  1,
  amfObject({ app: 'live', tcUrl: 'rtmp://localhost/live', nested: amfObject({ list: [1, 'two', null], on: true }) }),
  new AmfEcmaArray([
    ['width', 1280],
    ['none', undefined],
  ]),
  new AmfDate(1_700_000_000_000),
];

describe('AMF0', () => {
  it('gives back every value that was written', () => {
    expect(decodeAmf0(encodeAmf0(...sampleValues))).toEqual(sampleValues);
    expect(decodeAmf0(encodeAmf0('x'.repeat(70_000)), { stringBytesMax: 70_000 })).toEqual(['x'.repeat(70_000)]);
  });

  it('writes the bytes of the specification', () => {
    expect(encodeAmf0('a', 1, true, null, undefined)).toEqual(hex('02000161 003ff0000000000000 0101 05 06'));
    expect(encodeAmf0(amfObject({ a: false }))).toEqual(hex('03 000161 0100 000009'));
    expect(encodeAmf0(new AmfEcmaArray([['a', false]]))).toEqual(hex('08 00000001 000161 0100 000009'));
  });

  it('reads typed objects, long strings, XML and unsupported', () => {
    const values = decodeAmf0(hex('10 000143 000161 0101 000009 0c 00000001 78 0f 00000001 79 0d'));
    expect(values).toEqual([new Map([['a', true]]), 'x', 'y', undefined]);
  });

  it('reads an ECMA array whose count is wrong', () => {
    expect(decodeAmf0(hex('08 00000000 000161 0101 000009'))).toEqual([new AmfEcmaArray([['a', true]])]);
  });

  it('shares a referenced object, and refuses a cycle and a reference to nothing', () => {
    const [first, second] = decodeAmf0(hex('03 000161 0101 000009 07 0000'));
    expect(second).toBe(first);
    expect(codeOf(() => decodeAmf0(hex('03 000161 07 0000 000009')))).toBe('amf.reference-cycle');
    expect(codeOf(() => decodeAmf0(hex('07 0005')))).toBe('amf.bad-reference');
  });

  it('takes names such as __proto__ as names only', () => {
    const [value] = decodeAmf0(encodeAmf0(new Map<string, AmfValue>([['__proto__', new Map([['polluted', true]])]])));
    expect((value as Map<string, AmfValue>).get('__proto__')).toEqual(new Map([['polluted', true]]));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('stops at its limits', () => {
    const deep = hex(`${'0a00000001'.repeat(20)}05`);
    expect(codeOf(() => decodeAmf0(deep))).toBe('amf.too-deep');
    expect(decodeAmf0(deep, { depthMax: 20 })).toHaveLength(1);
    expect(codeOf(() => decodeAmf0(encodeAmf0('12345'), { stringBytesMax: 4 }))).toBe('amf.string-too-long');
    expect(codeOf(() => decodeAmf0(encodeAmf0([1, 2, 3, 4]), { elementsMax: 4 }))).toBe('amf.too-many-elements');
    expect(codeOf(() => decodeAmf0(hex('0a ffffffff 05')))).toBe('core.truncated');
    expect(codeOf(() => decodeAmf0(hex('04')))).toBe('amf.unknown-marker');
  });

  it('survives mutated bytes', () => {
    fuzz([encodeAmf0(...sampleValues), hex('11 0a 0b 01 03 61 09 05 01 04 01 06 00 01')], decodeAmf0);
  });

  it('gives back any object of plain values', () => {
    const leaf = fc.oneof(
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.string({ unit: 'grapheme' }),
      fc.constant(null),
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), leaf)), (entries) => {
        const value: AmfValue = new Map<string, AmfValue>(entries);
        expect(decodeAmf0(encodeAmf0(value))).toEqual([value]);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});

describe('AMF3 inside AMF0', () => {
  it('reads simple values', () => {
    expect(['00', '01', '02', '03', '047f', '04ffffffff', '048100', '053ff0000000000000', '06056869'].map(amf3)).toEqual([
      undefined,
      null,
      false,
      true,
      127,
      -1,
      128,
      1,
      'hi',
    ]);
    expect(amf3('08 01 4278bcfe56800000')).toEqual(new AmfDate(1_700_000_000_000));
    expect(amf3('0c 05 0102')).toEqual(Uint8Array.of(1, 2));
    expect(amf3('07 03 78')).toBe('x');
  });

  it('reads arrays, objects with sealed and dynamic names, and references to strings, traits and objects', () => {
    expect(amf3('09 05 01 0401 0402')).toEqual([1, 2]);
    expect(amf3('09 03 0361 0403 01 0401')).toEqual(
      new Map([
        ['a', 3],
        ['0', 1],
      ]),
    );
    // Two objects of one class with sealed name "a", the second by traits reference; then the first again.
    expect(amf3('09 07 01 0a 13 03 43 03 61 0401 0a 01 0402 0a 02')).toEqual([
      new Map([['a', 1]]),
      new Map([['a', 2]]),
      new Map([['a', 1]]),
    ]);
    expect(amf3('0a 0b 01 03 61 06 00 03 62 0401 01')).toEqual(
      new Map<string, AmfValue>([
        ['a', 'a'],
        ['b', 1],
      ]),
    );
  });

  it('reads vectors and dictionaries', () => {
    expect(amf3('0d 05 00 ffffffff 00000002')).toEqual([-1, 2]);
    expect(amf3('0e 03 00 ffffffff')).toEqual([4_294_967_295]);
    expect(amf3('0f 03 00 3ff0000000000000')).toEqual([1]);
    expect(amf3('10 03 00 01 0401')).toEqual([1]);
    expect(amf3('11 03 00 0603 61 0401')).toEqual(new Map([['a', 1]]));
  });

  it('refuses cycles, bad references, classes that write themselves and unknown markers', () => {
    expect(codeOf(() => amf3('09 03 01 09 00'))).toBe('amf.reference-cycle');
    expect(codeOf(() => amf3('09 08'))).toBe('amf.bad-reference');
    expect(codeOf(() => amf3('06 02'))).toBe('amf.bad-reference');
    expect(codeOf(() => amf3('0a 07 03 43'))).toBe('amf.externalizable-unsupported');
    expect(codeOf(() => amf3('11 03 00 09 01 01 01'))).toBe('amf.dictionary-key');
    expect(codeOf(() => amf3('12'))).toBe('amf.unknown-marker');
    expect(codeOf(() => amf3(`${'09 03 01'.repeat(20)} 01`))).toBe('amf.too-deep');
    expect(codeOf(() => amf3('09 ffffffff 01'))).toBe('core.truncated');
  });
});
