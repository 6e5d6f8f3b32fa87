import { buildHevcConfig, isKeyframe, joinNalUnits } from '../../../media/mod.ts';
import { HevcNal, hevcNalType, isHevcDropped } from './hevc-payload.ts';
import { badPayload, reading } from './malformed.ts';
import { NalUnitAssembler } from './nal-unit-assembler.ts';
import type { AssembledFrame } from './payload-format.ts';

const HEADER_BYTES = 2;
const AGGREGATE_LENGTH_BYTES = 2;
/** Reserved and unspecified NAL units that begin an access unit (ITU-T H.265 7.4.2.4.4), besides parameter sets, delimiter and prefix SEI. */
const PREFIX_MIN = 41;
const PREFIX_MAX = 44;

/** Single NAL units, aggregation packets and fragmentation units of RFC 7798, all without DONL; PACI packets are refused. */
export function depacketizeHevc(payloads: readonly Uint8Array[]): AssembledFrame {
  const assembler = new NalUnitAssembler('hevc');
  for (const payload of payloads) addPayload(assembler, payload);
  const units = assembler.finish().filter((unit) => !isHevcDropped(unit));
  const vps = ofType(units, HevcNal.vps);
  const sps = ofType(units, HevcNal.sps);
  const pps = ofType(units, HevcNal.pps);
  if (vps.length === 0 || sps.length === 0 || pps.length === 0) return frameOf(units);
  const config = reading('hevc', 'in-band parameter sets', () => buildHevcConfig(vps, sps, pps));
  const sets = [...vps, ...sps, ...pps];
  return { ...frameOf(units.filter((unit) => !sets.includes(unit))), config };
}

const ofType = (units: readonly Uint8Array[], type: number): readonly Uint8Array[] => units.filter((unit) => hevcNalType(unit) === type);

function frameOf(units: readonly Uint8Array[]): AssembledFrame {
  const payload = joinNalUnits(units);
  return { payload, isKeyframe: isKeyframe('hevc', payload) };
}

function addPayload(assembler: NalUnitAssembler, payload: Uint8Array): void {
  if (payload.length <= HEADER_BYTES) throw badPayload('hevc', `a payload of ${payload.length} bytes; its header alone is ${HEADER_BYTES}`);
  const type = hevcNalType(payload);
  if (type < HevcNal.aggregation) assembler.addUnit(payload);
  else if (type === HevcNal.aggregation) assembler.addAggregated(payload, HEADER_BYTES);
  else if (type === HevcNal.fragmentation) {
    const fragmentHeader = payload[HEADER_BYTES] ?? 0;
    const header = Uint8Array.of(((payload[0] ?? 0) & 0x81) | ((fragmentHeader & 0x3f) << 1), payload[1] ?? 0);
    const content = payload.subarray(HEADER_BYTES + 1);
    assembler.addFragment(header, content, (fragmentHeader & 0x80) !== 0, (fragmentHeader & 0x40) !== 0);
  } else throw badPayload('hevc', `NAL unit type ${type}; 0 to 47, 48 (aggregation) and 49 (fragmentation) are taken`);
}

/** Whether an access unit begins with this payload, as far as its first NAL unit tells. */
export function hevcStartsFrame(payload: Uint8Array): boolean {
  const type = hevcNalType(payload);
  if (type === HevcNal.aggregation) {
    const unitAt = HEADER_BYTES + AGGREGATE_LENGTH_BYTES;
    return startsAccessUnit(((payload[unitAt] ?? 0) >> 1) & 0x3f, payload[unitAt + HEADER_BYTES] ?? 0);
  }
  if (type !== HevcNal.fragmentation) return startsAccessUnit(type, payload[HEADER_BYTES] ?? 0);
  const fragmentHeader = payload[HEADER_BYTES] ?? 0;
  return (fragmentHeader & 0x80) !== 0 && startsAccessUnit(fragmentHeader & 0x3f, payload[HEADER_BYTES + 1] ?? 0);
}

/** `content` is the byte behind the header: in a slice its first bit is first_slice_segment_in_pic_flag. */
function startsAccessUnit(type: number, content: number): boolean {
  if (type <= HevcNal.vclMax) return content >= 0x80;
  return (type >= HevcNal.vps && type <= HevcNal.delimiter) || type === HevcNal.prefixSei || (type >= PREFIX_MIN && type <= PREFIX_MAX);
}

/** Whether an intra random access point begins with this payload: with its first slice or the VPS or SPS before it. */
export function hevcStartsKeyframe(payload: Uint8Array): boolean {
  if (!hevcStartsFrame(payload)) return false;
  const type = hevcNalType(payload);
  if (type === HevcNal.fragmentation) return isIrapOrSet((payload[HEADER_BYTES] ?? 0) & 0x3f);
  if (type !== HevcNal.aggregation) return isIrapOrSet(type);
  for (let at = HEADER_BYTES; at + AGGREGATE_LENGTH_BYTES < payload.length; ) {
    if (isIrapOrSet(((payload[at + AGGREGATE_LENGTH_BYTES] ?? 0) >> 1) & 0x3f)) return true;
    at += AGGREGATE_LENGTH_BYTES + (((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0));
  }
  return false;
}

const isIrapOrSet = (type: number): boolean =>
  (type >= HevcNal.irapMin && type <= HevcNal.irapMax) || type === HevcNal.vps || type === HevcNal.sps;
