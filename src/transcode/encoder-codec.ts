import type { VideoRung } from './ladder.ts';

/** FFmpeg's encoders whose names do not begin with the codec they make. */
const LIBRARIES: Readonly<Record<string, VideoRung['codec']>> = {
  libx264: 'h264',
  libx265: 'hevc',
  libvpx: 'vp8',
  'libvpx-vp9': 'vp9',
  libsvtav1: 'av1',
};

/** Whether an encoder, by name or `auto` or `software`, can make this codec; `h264_nvenc` and its like say it themselves. */
export function encoderFits(encoder: string, codec: VideoRung['codec']): boolean {
  if (encoder === 'auto' || encoder === 'software') return true;
  return Object.hasOwn(LIBRARIES, encoder) ? LIBRARIES[encoder] === codec : encoder.startsWith(`${codec}_`);
}

/** Whether any codec has such an encoder. */
export const isEncoderName = (encoder: string): boolean =>
  (['h264', 'hevc', 'vp8', 'vp9', 'av1'] as const).some((codec) => encoderFits(encoder, codec));
