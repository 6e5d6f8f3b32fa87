import { describe, expect, it } from 'vitest';
import { fuzz } from './hostile-bytes.fixture.ts';
import { parseRtpPacket, writeRtpPacket } from './packet.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
const HEADER = '80e0 fffe fffffffd deadbeef';
const bad = expect.objectContaining({ code: 'rtp.bad-packet' });

describe('parseRtpPacket', () => {
  it('reads the fixed header with numbers at their upper ends', () => {
    expect(parseRtpPacket(bytesOf(`${HEADER} 0102`))).toMatchObject({
      marker: true,
      payloadType: 96,
      sequenceNumber: 0xfffe,
      timestamp: 0xfffffffd,
      ssrc: 0xdeadbeef,
      payload: Uint8Array.of(1, 2),
    });
  });

  it('passes over CSRCs and takes padding off', () => {
    const packet = parseRtpPacket(bytesOf('a261 0001 00000002 00000003 11111111 22222222 aabbcc 000003'));
    expect(packet.payload).toEqual(Uint8Array.of(0xaa, 0xbb, 0xcc));
    expect(packet).toMatchObject({ marker: false, payloadType: 97 });
  });

  it('takes a packet of padding alone', () => {
    expect(parseRtpPacket(bytesOf('a061 0001 00000002 00000003 00000004')).payload).toHaveLength(0);
  });

  it('shares memory with its input', () => {
    const bytes = bytesOf(`${HEADER} 0102`);
    bytes[12] = 9;
    expect(parseRtpPacket(bytes).payload[0]).toBe(9);
    expect(parseRtpPacket(bytes).payload.buffer).toBe(bytes.buffer);
  });

  it.each([
    ['too few bytes', '80600001 00000002 000000'],
    ['version 1', '40600001 00000002 00000003 01'],
    ['CSRCs past the end', '82600001 00000002 00000003 00000004'],
    ['an extension header past the end', '90600001 00000002 00000003 bede'],
    ['an extension past the end', '90600001 00000002 00000003 bede0002 00000000'],
    ['padding of 0 bytes', 'a0600001 00000002 00000003 00'],
    ['padding larger than the payload', 'a0600001 00000002 00000003 02'],
  ])('refuses %s', (_, text) => {
    expect(() => parseRtpPacket(bytesOf(text))).toThrow(bad);
  });
});

describe('header extensions', () => {
  const extensions = (text: string) => parseRtpPacket(bytesOf(`90600001 00000002 00000003 ${text}`)).extensions;

  it('reads one-byte elements between padding (example of RFC 8285 4.2)', () => {
    const found = extensions('bede 0003 10 aa 21 bbbb 00 00 33 cccccccc');
    expect(found.get(1)).toEqual(Uint8Array.of(0xaa));
    expect(found.get(2)).toEqual(Uint8Array.of(0xbb, 0xbb));
    expect(found.get(3)).toEqual(bytesOf('cccccccc'));
    expect(found.get(4)).toBeUndefined();
  });

  it('reads two-byte elements, also empty ones (example of RFC 8285 4.3)', () => {
    const found = extensions('1000 0003 01 00 02 01 bb 00 c8 04 cccccccc 00');
    expect(found.get(1)).toHaveLength(0);
    expect(found.get(2)).toEqual(Uint8Array.of(0xbb));
    expect(found.get(200)).toEqual(bytesOf('cccccccc'));
  });

  it('stops at id 15, at id 0 with a length, and at an element past the end', () => {
    expect(extensions('bede 0001 f0 10 aa 00').get(1)).toBeUndefined();
    expect(extensions('bede 0001 01 10 aa 00').get(1)).toBeUndefined();
    expect(extensions('bede 0001 17 aa aa aa').get(1)).toBeUndefined();
    expect(extensions('1000 0001 01 08 aa aa').get(1)).toBeUndefined();
    expect(extensions('1000 0001 00 00 00 01').get(1)).toBeUndefined();
  });

  it('takes extensions of other profiles for none', () => {
    expect(extensions('abcd 0001 10 aa 00 00').get(1)).toBeUndefined();
    expect(extensions('bede 0000').get(1)).toBeUndefined();
  });
});

describe('writeRtpPacket', () => {
  const fields = { marker: true, payloadType: 111, sequenceNumber: 65_535, timestamp: 2 ** 32 - 1, ssrc: 7, payload: Uint8Array.of(5, 6) };

  it('writes what parseRtpPacket reads', () => {
    const { extensions: _, ...packet } = parseRtpPacket(writeRtpPacket(fields));
    expect(packet).toEqual(fields);
  });

  it('writes one-byte elements where they can be, else two-byte ones', () => {
    const small = { id: 14, value: new Uint8Array(16).fill(1) };
    const large = { id: 15, value: new Uint8Array(17).fill(2) };
    const one = writeRtpPacket({ ...fields, extensions: [small] });
    const two = writeRtpPacket({ ...fields, extensions: [small, large] });
    expect([one[12], one[13]]).toEqual([0xbe, 0xde]);
    expect([two[12], two[13]]).toEqual([0x10, 0x00]);
    expect(parseRtpPacket(one).extensions.get(14)).toEqual(small.value);
    expect(parseRtpPacket(two).extensions.get(14)).toEqual(small.value);
    expect(parseRtpPacket(two).extensions.get(15)).toEqual(large.value);
    expect(parseRtpPacket(two).payload).toEqual(fields.payload);
  });

  it.each([
    ['id 0', { id: 0, value: Uint8Array.of(1) }],
    ['256 bytes', { id: 1, value: new Uint8Array(256) }],
  ])('refuses an element with %s', (_, element) => {
    expect(() => writeRtpPacket({ ...fields, extensions: [element] })).toThrow(expect.objectContaining({ code: 'rtp.bad-extension' }));
  });
});

it('survives hostile bytes', () => {
  const samples = [
    bytesOf(`${HEADER} 0102`),
    bytesOf('90600001 00000002 00000003 bede 0003 10 aa 21 bbbb 00 00 33 cccccccc 0102'),
    bytesOf('b1600001 00000002 00000003 00000009 1000 0002 01 00 02 01 bb 00 00 00 01 02 02'),
  ];
  fuzz(samples, (bytes) => {
    const { extensions, payload } = parseRtpPacket(bytes);
    for (let id = 0; id < 256; id += 1) expect(extensions.get(id)?.length ?? 0).toBeLessThanOrEqual(bytes.length);
    expect(payload.length).toBeLessThanOrEqual(bytes.length - 12);
  });
});
