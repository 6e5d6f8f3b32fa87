import { ProtocolError, utf8Decode, utf8Encode } from '../../core/mod.ts';

const BAD_EXTENSION = 'rtp.bad-extension';
const ABS_SEND_TIME_UNITS = 2 ** 18;
const ABS_SEND_TIME_MODULUS = 2 ** 24;
/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_TO_UNIX_S = 2_208_988_800;
const PLAYOUT_DELAY_UNIT_MS = 10;
const PLAYOUT_DELAY_MAX = 4_095;

/** The URIs by which SDP names the header extensions that Sluice knows (`a=extmap`). */
export const headerExtensionUris: {
  readonly absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
  readonly transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
  readonly mid: 'urn:ietf:params:rtp-hdrext:sdes:mid';
  readonly rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
  readonly repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
  readonly absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';
  readonly playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
} = {
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
};

/** abs-send-time: any clock's microseconds, of which 24 bits in 6.18 seconds stay (it wraps each 64 s). */
export function encodeAbsSendTime(timeUs: number): Uint8Array {
  const units = Math.floor((timeUs * ABS_SEND_TIME_UNITS) / 1e6) % ABS_SEND_TIME_MODULUS;
  return Uint8Array.of(units >> 16, units >> 8, units);
}

/** abs-send-time in microseconds, 0 to 64,000,000, on the sender's clock. Throws `rtp.bad-extension` unless it has 3 bytes. */
export function decodeAbsSendTime(value: Uint8Array): number {
  const view = fixedSize('abs-send-time', value, 3);
  return (((view.getUint8(0) << 16) | view.getUint16(1)) * 1e6) / ABS_SEND_TIME_UNITS;
}

/** The transport-wide sequence number, 16 bits. */
export function encodeTransportCc(sequenceNumber: number): Uint8Array {
  return Uint8Array.of(sequenceNumber >> 8, sequenceNumber);
}

/** The transport-wide sequence number. Version 2 of the extension adds a feedback request behind it, which is left out. */
export function decodeTransportCc(value: Uint8Array): number {
  return fixedSize('transport-wide sequence number', value, 2, 4).getUint16(0);
}

/** A mid, rid or repaired rid (RFC 8852, RFC 9143): UTF-8 text. */
export function encodeSdesItem(text: string): Uint8Array {
  return utf8Encode(text);
}

/** The text of a mid, rid or repaired rid; compare it with what was negotiated, it may be anything. */
export function decodeSdesItem(value: Uint8Array): string {
  return utf8Decode(value);
}

/** When a frame was captured. */
export interface AbsCaptureTime {
  /** Unix milliseconds, with fraction, on the capturing system's clock. */
  readonly captureMs: number;
  /** Estimated capture clock less the sender's clock, for mixers and servers between; absent when unknown. */
  readonly clockOffsetMs?: number;
}

/** abs-capture-time: 8 bytes (NTP, UQ32.32), 16 with the clock offset (Q32.32). */
export function encodeAbsCaptureTime(time: AbsCaptureTime): Uint8Array {
  const bytes = new Uint8Array(time.clockOffsetMs === undefined ? 8 : 16);
  const view = new DataView(bytes.buffer);
  const [seconds, fraction] = fixedPoint(time.captureMs);
  view.setUint32(0, (seconds + NTP_TO_UNIX_S) % 2 ** 32);
  view.setUint32(4, fraction);
  if (time.clockOffsetMs !== undefined) {
    const [offsetSeconds, offsetFraction] = fixedPoint(time.clockOffsetMs);
    view.setInt32(8, offsetSeconds);
    view.setUint32(12, offsetFraction);
  }
  return bytes;
}

/** Whole seconds, towards minus infinity, and the rest in 2^-32 s. */
function fixedPoint(ms: number): readonly [seconds: number, fraction: number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32)];
}

/** abs-capture-time; exact to a microsecond. Throws `rtp.bad-extension` unless it has 8 or 16 bytes. */
export function decodeAbsCaptureTime(value: Uint8Array): AbsCaptureTime {
  const view = fixedSize('abs-capture-time', value, 8, 16);
  const seconds = view.getUint32(0);
  // Era 1 of NTP begins in 2036, and nothing was captured before 1970 (RFC 4330, section 3).
  const captureS = (seconds < NTP_TO_UNIX_S ? seconds + 2 ** 32 : seconds) - NTP_TO_UNIX_S;
  const captureMs = captureS * 1000 + (view.getUint32(4) / 2 ** 32) * 1000;
  if (value.length === 8) return { captureMs };
  return { captureMs, clockOffsetMs: (view.getInt32(8) + view.getUint32(12) / 2 ** 32) * 1000 };
}

/** The range in which a receiver may choose its playout delay. */
export interface PlayoutDelay {
  readonly minMs: number;
  readonly maxMs: number;
}

/** playout-delay: two times 12 bits in steps of 10 ms; above 40,950 ms is cut down. */
export function encodePlayoutDelay(delay: PlayoutDelay): Uint8Array {
  const steps = (ms: number): number => Math.min(PLAYOUT_DELAY_MAX, Math.max(0, Math.round(ms / PLAYOUT_DELAY_UNIT_MS)));
  const [min, max] = [steps(delay.minMs), steps(delay.maxMs)];
  return Uint8Array.of(min >> 4, ((min & 15) << 4) | (max >> 8), max);
}

/** playout-delay. Throws `rtp.bad-extension` unless it has 3 bytes. */
export function decodePlayoutDelay(value: Uint8Array): PlayoutDelay {
  const view = fixedSize('playout-delay', value, 3);
  const bits = (view.getUint8(0) << 16) | view.getUint16(1);
  return { minMs: (bits >> 12) * PLAYOUT_DELAY_UNIT_MS, maxMs: (bits & 0xfff) * PLAYOUT_DELAY_UNIT_MS };
}

function fixedSize(name: string, value: Uint8Array, ...sizes: readonly number[]): DataView {
  if (!sizes.includes(value.length)) {
    throw new ProtocolError(BAD_EXTENSION, `${name} of ${value.length} bytes; it must have ${sizes.join(' or ')}`);
  }
  return new DataView(value.buffer, value.byteOffset, value.length);
}
