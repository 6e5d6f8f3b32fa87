import { ByteWriter, ProtocolError } from '../../core/mod.ts';
import { parseHevcSpsFormat } from './hevc-sps.ts';
import { PARAMETER_SETS_MAX } from './malformed.ts';

const BAD_CONFIG = 'media.bad-hevc-config';
const PARAMETER_SET_BYTES_MAX = 65_535;
const NAL_VPS = 32;
const NAL_SPS = 33;
const NAL_PPS = 34;
/** array_completeness: all sets of the type are in the record, as `hvc1` demands (ISO/IEC 14496-15 8.3.3.1.3, 8.4.1). */
const COMPLETE = 0x80;

/**
 * An hvcC with 4-byte lengths from whole VPS, SPS and PPS NAL units, newly made (ISO/IEC 14496-15 8.3.3.1). What parallelism and
 * frame rate are stays unsaid (0). Throws `media.bad-hevc-config` for a bad first SPS, more than 64 sets and too large ones.
 */
export function buildHevcConfig(vps: readonly Uint8Array[], sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const [first] = sps;
  if (first === undefined) throw new ProtocolError(BAD_CONFIG, 'an hvcC needs at least one SPS');
  checkSets([...vps, ...sps, ...pps]);
  const format = parseHevcSpsFormat(first);
  const writer = new ByteWriter().u8(1).put(format.general);
  writer.u16(0xf000).u8(0xfc); // min_spatial_segmentation_idc, parallelismType
  writer
    .u8(0xfc | format.chromaFormat)
    .u8(0xf8 | (format.bitDepthLuma - 8))
    .u8(0xf8 | (format.bitDepthChroma - 8));
  writer.u16(0); // avgFrameRate
  writer.u8((format.subLayers << 3) | (format.isTemporalIdNested ? 4 : 0) | 3);
  const arrays = [
    { type: NAL_VPS, units: vps },
    { type: NAL_SPS, units: sps },
    { type: NAL_PPS, units: pps },
  ].filter(({ units }) => units.length > 0);
  writer.u8(arrays.length);
  for (const { type, units } of arrays) {
    writer.u8(COMPLETE | type).u16(units.length);
    for (const unit of units) writer.u16(unit.length).put(unit);
  }
  return writer.finish();
}

function checkSets(units: readonly Uint8Array[]): void {
  if (units.length > PARAMETER_SETS_MAX) {
    throw new ProtocolError(BAD_CONFIG, `${units.length} parameter sets; at most ${PARAMETER_SETS_MAX} are accepted`);
  }
  const oversized = units.find((unit) => unit.length > PARAMETER_SET_BYTES_MAX);
  if (oversized === undefined) return;
  throw new ProtocolError(BAD_CONFIG, `a parameter set of ${oversized.length} bytes; at most ${PARAMETER_SET_BYTES_MAX} fit into an hvcC`);
}
