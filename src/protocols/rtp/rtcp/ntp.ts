import { type WallMs, wallMs } from '../../../core/mod.ts';
import type { ReportBlock } from './packet.ts';

/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_TO_UNIX_S = 2_208_988_800;
const FRACTION = 2 ** 32;

/** The two words of an NTP timestamp as Unix milliseconds with fraction; NaN for 0, which says that there is no wall clock. */
export function ntpToUnixMs(seconds: number, fraction: number): WallMs {
  if (seconds === 0 && fraction === 0) return wallMs(Number.NaN);
  // Era 1 of NTP begins in 2036; times before 1970 stand for it (RFC 4330, section 3).
  const unixSeconds = (seconds < NTP_TO_UNIX_S ? seconds + FRACTION : seconds) - NTP_TO_UNIX_S;
  return wallMs(unixSeconds * 1000 + (fraction / FRACTION) * 1000);
}

/** The seconds word of the NTP timestamp for a Unix time. */
export function ntpSeconds(unixMs: WallMs): number {
  return (Math.floor(unixMs / 1000) + NTP_TO_UNIX_S) % FRACTION;
}

/** The fraction word of the NTP timestamp for a Unix time. */
export function ntpFraction(unixMs: WallMs): number {
  const seconds = Math.floor(unixMs / 1000);
  return Math.floor(((unixMs - seconds * 1000) / 1000) * FRACTION);
}

/** The middle 32 bits of an NTP timestamp. */
export function compactNtp(seconds: number, fraction: number): number {
  return (seconds & 0xffff) * 0x1_0000 + (fraction >>> 16);
}

/**
 * The round trip that a report block about our own sender reports tells (RFC 3550 6.4.1), in ms; `ntpNow` is the clock those reports
 * were written with. `undefined` while the peer has seen no report of ours, or when the result makes no sense.
 */
export function roundTripMs(block: ReportBlock, ntpNow: WallMs): number | undefined {
  if (block.lastSenderReport === 0) return undefined;
  const now = compactNtp(ntpSeconds(ntpNow), ntpFraction(ntpNow));
  const units = (now - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
  // Rounding in both clocks can take a loopback's round trip just below zero.
  if (units < -0x1_0000) return undefined;
  return Math.max(0, (units * 1000) / 0x1_0000);
}
