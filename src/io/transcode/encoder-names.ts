import type { VideoCodec } from '../../media/mod.ts';

/** How an encoder takes its pictures. */
export type EncoderKind = 'hardware' | 'software';

export interface KnownEncoder {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly kind: EncoderKind;
}

const hardware = (codec: VideoCodec, ...names: string[]): KnownEncoder[] => names.map((name) => ({ name, codec, kind: 'hardware' }));
const software = (codec: VideoCodec, name: string): KnownEncoder => ({ name, codec, kind: 'software' });

/** All that a rung may ask for, the best of each codec first. */
export const KNOWN_ENCODERS: readonly KnownEncoder[] = [
  ...hardware('h264', 'h264_nvenc', 'h264_qsv', 'h264_vaapi', 'h264_v4l2m2m'),
  software('h264', 'libx264'),
  ...hardware('hevc', 'hevc_nvenc', 'hevc_qsv', 'hevc_vaapi', 'hevc_v4l2m2m'),
  software('hevc', 'libx265'),
  ...hardware('av1', 'av1_nvenc', 'av1_qsv', 'av1_vaapi'),
  software('av1', 'libsvtav1'),
  ...hardware('vp9', 'vp9_qsv', 'vp9_vaapi'),
  software('vp9', 'libvpx-vp9'),
  ...hardware('vp8', 'vp8_vaapi', 'vp8_v4l2m2m'),
  software('vp8', 'libvpx'),
];

/**
 * The encoders to try for a rung, the best first. `wish` is `auto` (hardware that is known to work, then software), `software`, or an
 * encoder's name, which is tried alone. `isAvailable`: what is known of this machine.
 */
export function encodersFor(codec: VideoCodec, wish: string, isAvailable: (name: string) => boolean): readonly string[] {
  const fitting = KNOWN_ENCODERS.filter((encoder) => encoder.codec === codec);
  if (wish === 'auto') return fitting.filter(({ kind, name }) => kind === 'software' || isAvailable(name)).map(({ name }) => name);
  if (wish === 'software') return fitting.filter(({ kind }) => kind === 'software').map(({ name }) => name);
  return [wish];
}
