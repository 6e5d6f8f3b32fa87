import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, utf8Encode } from '../../core/mod.ts';
import { crc32 } from './crc32.ts';
import { seededCrypto } from './ice-crypto.fixture.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import { hasValidIntegrity, isStun, parseStunMessage, STUN_BINDING } from './stun-message.ts';
import { buildStunMessage, type StunContent } from './stun-writer.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const crypto = seededCrypto(1);
const key = utf8Encode('VOkJxbRl1RmTxUk/WvJxBt');
const transactionId = crypto.randomBytes(12);
const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const bad = expect.objectContaining({ code: 'ice.bad-stun' });

/** RFC 5769 §2.1, §2.2, §2.3: sample request, IPv4 response, IPv6 response. */
const SAMPLE_REQUEST = hex(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36' +
    '000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
);
const SAMPLE_V4_RESPONSE = hex(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c3' +
    '8c7489f92af9ba53f06be7d780280004c07d4c96',
);
const SAMPLE_V6_RESPONSE = hex(
  '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9' +
    '00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c',
);

describe("RFC 5769's vectors", () => {
  it('the request', () => {
    const message = parseStunMessage(SAMPLE_REQUEST);
    expect(message).toMatchObject({
      class: 'request',
      method: STUN_BINDING,
      username: 'evtj:h6vY',
      priority: 0x6e0001ff,
      hasFingerprint: true,
    });
    expect(message.iceControlled).toBe(0x932ff9b151263b36n);
    expect(hasValidIntegrity(message, key, crypto)).toBe(true);
    expect(hasValidIntegrity(message, utf8Encode('another'), crypto)).toBe(false);
  });

  it.each([
    [SAMPLE_V4_RESPONSE, '192.0.2.1'],
    [SAMPLE_V6_RESPONSE, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('a response', (bytes, ip) => {
    const message = parseStunMessage(bytes);
    expect(message).toMatchObject({ class: 'success', mappedAddress: { ip, port: 32853 }, hasFingerprint: true });
    expect(hasValidIntegrity(message, key, crypto)).toBe(true);
  });

  it('CRC-32 of the check string', () => {
    expect(crc32(utf8Encode('123456789'))).toBe(0xcbf43926);
  });
});

describe('the codec', () => {
  const whole: StunContent = {
    class: 'request',
    method: STUN_BINDING,
    transactionId,
    username: 'abcd:efghi',
    priority: 1845501695,
    usesCandidate: true,
    iceControlling: 0xfedcba9876543210n,
    iceControlled: 1n,
    mappedAddress: { ip: '2001:db8::1', port: 9 },
    errorCode: 487,
    unknownAttributes: [0x7777],
  };

  it('reads all that it writes', () => {
    const message = parseStunMessage(buildStunMessage(whole, { key, crypto }));
    const { unknownAttributes: _listed, ...fields } = whole;
    expect(message).toMatchObject({ ...fields, hasFingerprint: true });
    expect(hasValidIntegrity(message, key, crypto)).toBe(true);
  });

  it('ignores what stands between MESSAGE-INTEGRITY and FINGERPRINT, and lists what it does not know', () => {
    const signed = buildStunMessage({ ...whole, errorCode: 400 }, { key, crypto });
    expect(parseStunMessage(signed).errorCode).toBe(400);
    const unsigned = hex(`00010008 2112a442 ${'00'.repeat(12)} 7001 0000 f001 0000`.replaceAll(' ', ''));
    expect(parseStunMessage(unsigned)).toMatchObject({ unknownAttributes: [0x7001], hasFingerprint: false });
  });

  it.each([
    ['empty', new Uint8Array()],
    ['a wrong cookie', SAMPLE_REQUEST.with(4, 0)],
    ['a wrong length', SAMPLE_REQUEST.with(3, 0x5c)],
    ['cut off', SAMPLE_REQUEST.subarray(0, 60)],
    ['a changed byte before FINGERPRINT', SAMPLE_REQUEST.with(30, 0)],
    ['an attribute past the end', hex(`00010004 2112a442 ${'00'.repeat(12)} 0006 0010`.replaceAll(' ', ''))],
    ['far too long', new Uint8Array(2000)],
  ])('refuses what is %s', (_name, bytes) => {
    expect(() => parseStunMessage(bytes)).toThrow(bad);
  });

  it('tells STUN from DTLS and RTP', () => {
    expect(isStun(SAMPLE_REQUEST)).toBe(true);
    expect(isStun(SAMPLE_REQUEST.with(0, 22))).toBe(false);
    expect(isStun(SAMPLE_REQUEST.with(0, 0x80))).toBe(false);
  });

  it('throws nothing but ProtocolError, whatever comes', () => {
    const edits = fc.array(fc.tuple(fc.nat(SAMPLE_REQUEST.length - 1), fc.nat(255)), { maxLength: 6 });
    const mutated = fc.tuple(fc.constantFrom(SAMPLE_REQUEST, SAMPLE_V4_RESPONSE, SAMPLE_V6_RESPONSE), edits).map(([seed, changes]) => {
      // FINGERPRINT would end nearly all of them; without it (its type changed) the rest is looked at.
      const bytes = seed.slice().fill(0xff, -8, -7);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          hasValidIntegrity(parseStunMessage(bytes), key, crypto);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      RUNS,
    );
  });
});

describe('addresses', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['fe80::', 'fe80::'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (text, canonical) => {
    expect(formatIpAddress(parseIpAddress(text))).toBe(canonical);
  });

  it.each(['', '1.2.3', '256.1.1.1', '1:2:3', ':::', '1::2::3', '1:2:3:4:5:6:7:8:9', 'g::', '1.2.3.4:5', 'abc.local', '::1%eth0'])(
    '%j is none',
    (text) => {
      expect(() => parseIpAddress(text)).toThrow(expect.objectContaining({ code: 'ice.bad-address' }));
    },
  );

  it('writes what it reads', () => {
    const address = fc
      .array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 })
      .map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(address, (bytes) => {
        expect([...parseIpAddress(formatIpAddress(bytes))].slice(-4)).toEqual([...bytes.subarray(-4)]);
        expect(formatIpAddress(parseIpAddress(formatIpAddress(bytes)))).toBe(formatIpAddress(bytes));
      }),
      RUNS,
    );
  });
});
