import { describe, expect, it } from 'vitest';
import {
  decodeAbsCaptureTime,
  decodeAbsSendTime,
  decodePlayoutDelay,
  decodeSdesItem,
  decodeTransportCc,
  encodeAbsCaptureTime,
  encodeAbsSendTime,
  encodePlayoutDelay,
  encodeSdesItem,
  encodeTransportCc,
} from './header-extensions.ts';
import { fuzz } from './hostile-bytes.fixture.ts';

const bad = expect.objectContaining({ code: 'rtp.bad-extension' });

describe('abs-send-time', () => {
  it('counts 2^-18 seconds and wraps after 64 s', () => {
    expect(encodeAbsSendTime(1e6)).toEqual(Uint8Array.of(0x04, 0, 0));
    expect(encodeAbsSendTime(64e6 + 500_000)).toEqual(Uint8Array.of(0x02, 0, 0));
    expect(decodeAbsSendTime(Uint8Array.of(0xff, 0xff, 0xff))).toBeCloseTo(64e6 - 1e6 / 2 ** 18, 6);
  });

  it('is exact to 4 µs for clocks of many days', () => {
    const timeUs = 1_234_567_890_123;
    expect(Math.abs(decodeAbsSendTime(encodeAbsSendTime(timeUs)) - (timeUs % 64e6))).toBeLessThan(4);
  });
});

describe('transport-wide sequence number', () => {
  it('has 16 bits', () => {
    expect(encodeTransportCc(0x1_fffe)).toEqual(Uint8Array.of(0xff, 0xfe));
    expect(decodeTransportCc(Uint8Array.of(0xff, 0xfe))).toBe(0xfffe);
    expect(decodeTransportCc(Uint8Array.of(0x01, 0x02, 0x80, 0x01))).toBe(0x0102);
  });
});

describe('mid and rid', () => {
  it('are text', () => {
    expect(decodeSdesItem(encodeSdesItem('hi-0'))).toBe('hi-0');
  });
});

describe('abs-capture-time', () => {
  it('is NTP time', () => {
    // 1970-01-01 is 2,208,988,800 s after 1900 (RFC 868).
    expect(encodeAbsCaptureTime({ captureMs: 500 })).toEqual(Uint8Array.of(0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0));
  });

  it.each([
    ['today', { captureMs: 1_790_000_000_123.25 }],
    ['the era after 2036', { captureMs: 2_200_000_000_000.5 }],
    ['a clock that is behind', { captureMs: 1_790_000_000_123, clockOffsetMs: -1_250.5 }],
    ['a clock that is ahead', { captureMs: 1_790_000_000_123, clockOffsetMs: 3.75 }],
  ])('keeps %s', (_, time) => {
    const decoded = decodeAbsCaptureTime(encodeAbsCaptureTime(time));
    expect(decoded.captureMs).toBeCloseTo(time.captureMs, 3);
    if ('clockOffsetMs' in time) expect(decoded.clockOffsetMs).toBeCloseTo(time.clockOffsetMs, 5);
    else expect(decoded).not.toHaveProperty('clockOffsetMs');
  });
});

describe('playout-delay', () => {
  it('has two times 12 bits of 10 ms', () => {
    expect(encodePlayoutDelay({ minMs: 100, maxMs: 4_000 })).toEqual(Uint8Array.of(0x00, 0xa1, 0x90));
    expect(decodePlayoutDelay(Uint8Array.of(0x00, 0xa1, 0x90))).toEqual({ minMs: 100, maxMs: 4_000 });
    expect(decodePlayoutDelay(encodePlayoutDelay({ minMs: -5, maxMs: 1e9 }))).toEqual({ minMs: 0, maxMs: 40_950 });
  });
});

it('refuses values of another size', () => {
  const value = new Uint8Array(5);
  for (const decode of [decodeAbsSendTime, decodeTransportCc, decodeAbsCaptureTime, decodePlayoutDelay]) {
    expect(() => decode(value)).toThrow(bad);
  }
});

it.each([decodeAbsSendTime, decodeTransportCc, decodeAbsCaptureTime, decodePlayoutDelay, decodeSdesItem])(
  '%o survives hostile bytes',
  (decode) => {
    fuzz([new Uint8Array(2), new Uint8Array(3), new Uint8Array(8), new Uint8Array(16)], decode);
  },
);
