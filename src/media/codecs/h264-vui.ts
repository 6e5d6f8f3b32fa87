import { type BitReader, ProtocolError } from '../../core/mod.ts';
import { plausibleFrameRate } from './malformed.ts';

/** cpb_cnt_minus1 is at most 31 (E.2.2). */
const CPB_COUNT_MAX = 32;
/** max_num_reorder_frames is at most MaxDpbFrames, which is at most 16 (E.2.1, A.3.1). */
const REORDER_FRAMES_MAX = 16;

/** The part of the video usability information that others need; each is absent when it is not told. */
export interface H264Vui {
  /** From the timing, where it is believable. */
  frameRate?: number;
  /** max_num_reorder_frames. */
  reorderFramesMax?: number;
}

/** Reads vui_parameters() (ITU-T H.264 E.1.1). Encoders that cut it short still have a picture size: what was read until then counts. */
export function readH264Vui(bits: BitReader): H264Vui {
  const vui: H264Vui = {};
  try {
    readTiming(bits, vui);
    readRestrictions(bits, vui);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return vui;
}

function readTiming(bits: BitReader, vui: H264Vui): void {
  if (bits.flag() && bits.bits(8) === 255) bits.skip(32); // sample aspect ratio, extended
  if (bits.flag()) bits.skip(1); // overscan
  if (bits.flag()) {
    bits.skip(4); // video_format, video_full_range_flag
    if (bits.flag()) bits.skip(24); // colour description
  }
  if (bits.flag()) {
    bits.ue(); // chroma sample location, top and bottom field
    bits.ue();
  }
  if (!bits.flag()) return;
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  bits.skip(1); // fixed_frame_rate_flag
  // A tick is a field's time: two make a frame (E.2.1).
  const frameRate = plausibleFrameRate(timeScale, unitsInTick * 2);
  if (frameRate !== undefined) vui.frameRate = frameRate;
}

function readRestrictions(bits: BitReader, vui: H264Vui): void {
  const hasNalHrd = bits.flag();
  if (hasNalHrd) skipHrd(bits);
  const hasVclHrd = bits.flag();
  if (hasVclHrd) skipHrd(bits);
  if (hasNalHrd || hasVclHrd) bits.skip(1); // low_delay_hrd_flag
  bits.skip(1); // pic_struct_present_flag
  if (!bits.flag()) return; // bitstream_restriction_flag
  bits.skip(1); // motion_vectors_over_pic_boundaries_flag
  for (let field = 0; field < 4; field += 1) bits.ue(); // picture and macroblock sizes, motion vector ranges
  const reorderFrames = bits.ue();
  bits.ue(); // max_dec_frame_buffering: a VUI that is cut before it is not to be believed
  if (reorderFrames <= REORDER_FRAMES_MAX) vui.reorderFramesMax = reorderFrames;
}

/** hrd_parameters() of E.1.2. */
function skipHrd(bits: BitReader): void {
  const count = bits.ue() + 1;
  if (count > CPB_COUNT_MAX) throw new ProtocolError('media.bad-h264-config', `cpb_cnt is ${count}; at most ${CPB_COUNT_MAX} is defined`);
  bits.skip(8); // scales
  for (let index = 0; index < count; index += 1) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20); // lengths of delays and of the time offset
}
