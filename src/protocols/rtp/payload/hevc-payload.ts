import { hevcParameterSets } from '../../../media/mod.ts';
import { NalPacketizer, type NalPayloadFormat } from './nal-packetizer.ts';
import type { Packetizer } from './payload-format.ts';

/** NAL unit types of ITU-T H.265 table 7-1 and of RFC 7798 4.4. */
export const HevcNal = {
  irapMin: 16,
  irapMax: 23,
  vclMax: 31,
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  endOfSequence: 36,
  endOfBitstream: 37,
  filler: 38,
  prefixSei: 39,
  aggregation: 48,
  fragmentation: 49,
} as const;
const TYPE_BITS = 0x3f;

/** nal_unit_type. */
export const hevcNalType = (unit: Uint8Array): number => ((unit[0] ?? 0) >> 1) & TYPE_BITS;

/** Units that no receiver of RTP needs: the marker and the timestamp tell what delimiters do. */
export function isHevcDropped(unit: Uint8Array): boolean {
  const type = hevcNalType(unit);
  return type >= HevcNal.delimiter && type <= HevcNal.filler;
}

const layerId = (unit: Uint8Array): number => (((unit[0] ?? 0) & 1) << 5) | ((unit[1] ?? 0) >> 3);
const temporalIdPlus1 = (unit: Uint8Array): number => (unit[1] ?? 0) & 7;

/** RFC 7798 4.4.2 (aggregation packets) and 4.4.3 (fragmentation units), without DONL as sprop-max-don-diff is 0. */
const hevcFormat: NalPayloadFormat = {
  headerBytes: 2,
  isDropped: isHevcDropped,
  hasParameterSets: (units) => [HevcNal.vps, HevcNal.sps, HevcNal.pps].every((type) => units.some((unit) => hevcNalType(unit) === type)),
  writeAggregationHeader(bytes, at, units, from, to) {
    // F is set if any unit's is; layer and temporal id are the lowest of them.
    let forbidden = 0;
    let layer = 63;
    let temporal = 7;
    for (let index = from; index < to; index += 1) {
      const unit = units[index] ?? new Uint8Array();
      forbidden |= (unit[0] ?? 0) & 0x80;
      layer = Math.min(layer, layerId(unit));
      temporal = Math.min(temporal, temporalIdPlus1(unit));
    }
    bytes[at] = forbidden | (HevcNal.aggregation << 1) | (layer >> 5);
    bytes[at + 1] = ((layer & 31) << 3) | temporal;
  },
  writeFragmentHeader(bytes, at, unit, isFirst, isLast) {
    bytes[at] = ((unit[0] ?? 0) & 0x81) | (HevcNal.fragmentation << 1);
    bytes[at + 1] = unit[1] ?? 0;
    bytes[at + 2] = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0) | hevcNalType(unit);
  },
};

/** RFC 7798 without decoding order numbers. Throws `media.bad-hevc-config` for a record (hvcC) that cannot be read. */
export function createHevcPacketizer(config: Uint8Array, payloadBytesMax: number): Packetizer {
  return new NalPacketizer(hevcFormat, hevcParameterSets(config), payloadBytesMax);
}
