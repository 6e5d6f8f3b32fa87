import { assertNever } from '../core/mod.ts';
import { AV1_LEVELS, H264_LEVELS, HEVC_LEVELS, levelFor, VP9_LEVELS } from './codec-levels.ts';
import type { VideoRung } from './ladder.ts';
import type { PictureSize } from './picture-size.ts';

/** Rate of a source that tells none. */
const ASSUMED_FRAME_RATE = 30;
/** VP8 and VP9 carry no frame rate: their tracks are described for this one, and so is what is expected of them. */
const VP_FRAME_RATE = 60;
const MACROBLOCK = 16;
/** The High profile allows 1.25 times the bit rate of the table (ITU-T H.264 table A-2). */
const H264_HIGH_BITRATE = 1.25;

/**
 * The codec string that a rung's encoder will most likely have made: 8 bits, 4:2:0, the lowest level that fits. The track that the encoder
 * makes tells the true one, and takes the place of this.
 */
export function expectedVideoCodec(
  rung: Pick<VideoRung, 'codec' | 'preset' | 'bitrateBps'>,
  size: PictureSize,
  frameRate?: number,
): string {
  const rate = frameRate ?? ASSUMED_FRAME_RATE;
  const { width, height } = size;
  switch (rung.codec) {
    case 'h264':
      return h264Codec(rung, size, rate);
    case 'hevc':
      // Main profile of progressive frames.
      return `hvc1.1.6.L${levelFor(HEVC_LEVELS, width, height, rate, rung.bitrateBps)}.90`;
    case 'vp8':
      return `vp08.00.${levelFor(VP9_LEVELS, width, height, VP_FRAME_RATE, 0)}.08`;
    case 'vp9':
      return `vp09.00.${levelFor(VP9_LEVELS, width, height, VP_FRAME_RATE, 0)}.08`;
    case 'av1':
      return `av01.0.${String(levelFor(AV1_LEVELS, width, height, rate, rung.bitrateBps)).padStart(2, '0')}M.08`;
    default:
      return assertNever(rung.codec);
  }
}

function h264Codec({ preset, bitrateBps }: Pick<VideoRung, 'preset' | 'bitrateBps'>, { width, height }: PictureSize, rate: number): string {
  const blocks = (pixels: number): number => Math.ceil(pixels / MACROBLOCK);
  const isHigh = preset !== 'ultrafast';
  const level = levelFor(H264_LEVELS, blocks(width), blocks(height), rate, isHigh ? bitrateBps / H264_HIGH_BITRATE : bitrateBps);
  // `ultrafast` leaves out all that Baseline lacks, and x264 says so in the profile.
  return `avc1.${isHigh ? '6400' : '42c0'}${level.toString(16).padStart(2, '0')}`;
}

/** AAC-LC or Opus. */
export const expectedAudioCodec = (codec: 'aac' | 'opus'): string => (codec === 'aac' ? 'mp4a.40.2' : 'opus');
