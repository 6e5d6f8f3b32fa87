import { parseH264Config } from '../../../media/mod.ts';
import { NalPacketizer, type NalPayloadFormat } from './nal-packetizer.ts';
import type { Packetizer } from './payload-format.ts';

/** NAL unit types of ITU-T H.264 table 7-1 and of RFC 6184 table 1. */
export const H264Nal = {
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
  stapA: 24,
  fuA: 28,
} as const;
const F_BIT = 0x80;
const NRI_BITS = 0x60;
const TYPE_BITS = 0x1f;

/** nal_unit_type. */
export const h264NalType = (unit: Uint8Array): number => (unit[0] ?? 0) & TYPE_BITS;

/** Units that no receiver of RTP needs: the marker and the timestamp tell what delimiters do. */
export function isH264Dropped(unit: Uint8Array): boolean {
  const type = h264NalType(unit);
  return type >= H264Nal.delimiter && type <= H264Nal.filler;
}

/** RFC 6184 5.7.1 (STAP-A) and 5.8 (FU-A). */
const h264Format: NalPayloadFormat = {
  headerBytes: 1,
  isDropped: isH264Dropped,
  hasParameterSets: (units) =>
    units.some((unit) => h264NalType(unit) === H264Nal.sps) && units.some((unit) => h264NalType(unit) === H264Nal.pps),
  writeAggregationHeader(bytes, at, units, from, to) {
    // F is set if any unit's is, NRI is the highest of them.
    let forbidden = 0;
    let importance = 0;
    for (let index = from; index < to; index += 1) {
      const header = units[index]?.[0] ?? 0;
      forbidden |= header & F_BIT;
      importance = Math.max(importance, header & NRI_BITS);
    }
    bytes[at] = forbidden | importance | H264Nal.stapA;
  },
  writeFragmentHeader(bytes, at, unit, isFirst, isLast) {
    const header = unit[0] ?? 0;
    bytes[at] = (header & (F_BIT | NRI_BITS)) | H264Nal.fuA;
    bytes[at + 1] = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0) | (header & TYPE_BITS);
  },
};

/** Packetization-mode 1 of RFC 6184. Throws `media.bad-h264-config` for a record (avcC) that cannot be read. */
export function createH264Packetizer(config: Uint8Array, payloadBytesMax: number): Packetizer {
  const { sps, pps } = parseH264Config(config);
  return new NalPacketizer(h264Format, [...sps, ...pps], payloadBytesMax);
}
