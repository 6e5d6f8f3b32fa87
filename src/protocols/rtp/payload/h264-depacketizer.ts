import { buildH264Config, isKeyframe, joinNalUnits } from '../../../media/mod.ts';
import { H264Nal, h264NalType, isH264Dropped } from './h264-payload.ts';
import { badPayload, reading } from './malformed.ts';
import { NalUnitAssembler } from './nal-unit-assembler.ts';
import type { AssembledFrame } from './payload-format.ts';

const SLICE = 1;
const PARTITION_A = 2;
/** NAL units that begin an access unit when they come behind a slice (ITU-T H.264 7.4.1.2.3), besides SEI, SPS, PPS and delimiter. */
const PREFIX_MIN = 14;
const PREFIX_MAX = 18;
const STAP_LENGTH_BYTES = 2;

/** Single NAL units, STAP-A and FU-A of RFC 6184; the interleaved kinds are refused, as packetization-mode 1 has none. */
export function depacketizeH264(payloads: readonly Uint8Array[]): AssembledFrame {
  const assembler = new NalUnitAssembler('h264');
  for (const payload of payloads) addPayload(assembler, payload);
  const units = assembler.finish().filter((unit) => !isH264Dropped(unit));
  const sps = units.filter((unit) => h264NalType(unit) === H264Nal.sps);
  const pps = units.filter((unit) => h264NalType(unit) === H264Nal.pps);
  if (sps.length === 0 || pps.length === 0) return frameOf(units);
  const config = reading('h264', 'in-band parameter sets', () => buildH264Config(sps, pps));
  return { ...frameOf(units.filter((unit) => !sps.includes(unit) && !pps.includes(unit))), config };
}

function frameOf(units: readonly Uint8Array[]): AssembledFrame {
  const payload = joinNalUnits(units);
  return { payload, isKeyframe: isKeyframe('h264', payload) };
}

function addPayload(assembler: NalUnitAssembler, payload: Uint8Array): void {
  const type = h264NalType(payload);
  if (type >= SLICE && type < H264Nal.stapA) assembler.addUnit(payload);
  else if (type === H264Nal.stapA) assembler.addAggregated(payload, 1);
  else if (type === H264Nal.fuA) {
    const fragmentHeader = payload[1] ?? 0;
    const header = Uint8Array.of(((payload[0] ?? 0) & 0xe0) | (fragmentHeader & 0x1f));
    assembler.addFragment(header, payload.subarray(2), (fragmentHeader & 0x80) !== 0, (fragmentHeader & 0x40) !== 0);
  } else throw badPayload('h264', `NAL unit type ${type}; packetization-mode 1 allows 1 to 23, 24 (STAP-A) and 28 (FU-A)`);
}

/** Whether an access unit begins with this payload, as far as its first NAL unit tells. */
export function h264StartsFrame(payload: Uint8Array): boolean {
  const type = h264NalType(payload);
  if (type === H264Nal.stapA) return startsAccessUnit(payload[3] ?? 0, payload[4] ?? 0);
  if (type !== H264Nal.fuA) return startsAccessUnit(type, payload[1] ?? 0);
  const fragmentHeader = payload[1] ?? 0;
  return (fragmentHeader & 0x80) !== 0 && startsAccessUnit(fragmentHeader, payload[2] ?? 0);
}

/** `second` is the byte behind the header: in a slice it begins with first_mb_in_slice, where a single 1 bit means 0. */
function startsAccessUnit(header: number, second: number): boolean {
  const type = header & 0x1f;
  if (type === SLICE || type === PARTITION_A || type === H264Nal.idr) return second >= 0x80;
  return (type >= H264Nal.sei && type <= H264Nal.delimiter) || (type >= PREFIX_MIN && type <= PREFIX_MAX);
}

/** Whether an IDR access unit begins with this payload: with the first slice or with the SPS before it. */
export function h264StartsKeyframe(payload: Uint8Array): boolean {
  if (!h264StartsFrame(payload)) return false;
  const type = h264NalType(payload);
  if (type === H264Nal.fuA) return isIdrOrSps(payload[1] ?? 0);
  if (type !== H264Nal.stapA) return isIdrOrSps(type);
  for (let at = 1; at + STAP_LENGTH_BYTES < payload.length; ) {
    if (isIdrOrSps(payload[at + STAP_LENGTH_BYTES] ?? 0)) return true;
    at += STAP_LENGTH_BYTES + (((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0));
  }
  return false;
}

function isIdrOrSps(header: number): boolean {
  const type = header & 0x1f;
  return type === H264Nal.idr || type === H264Nal.sps;
}
