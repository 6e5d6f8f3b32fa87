import type { AudioCodec, VideoCodec } from '../../media/mod.ts';

/** Four ASCII characters as the 32-bit number that stands on the wire. */
export const fourCc = (text: string): number =>
  ((text.charCodeAt(0) << 24) | (text.charCodeAt(1) << 16) | (text.charCodeAt(2) << 8) | text.charCodeAt(3)) >>> 0;

const VIDEO: ReadonlyMap<number, VideoCodec> = new Map([
  [fourCc('avc1'), 'h264'],
  [fourCc('hvc1'), 'hevc'],
  [fourCc('av01'), 'av1'],
  [fourCc('vp08'), 'vp8'],
  [fourCc('vp09'), 'vp9'],
]);

const AUDIO: ReadonlyMap<number, AudioCodec> = new Map([
  [fourCc('mp4a'), 'aac'],
  [fourCc('Opus'), 'opus'],
  [fourCc('.mp3'), 'mp3'],
]);

/** The fourCC of Enhanced RTMP for each video codec. */
export const videoFourCc: { readonly [codec in VideoCodec]: number } = {
  h264: fourCc('avc1'),
  hevc: fourCc('hvc1'),
  av1: fourCc('av01'),
  vp8: fourCc('vp08'),
  vp9: fourCc('vp09'),
};

/** The fourCC of Enhanced RTMP for each audio codec. */
export const audioFourCc: { readonly [codec in AudioCodec]: number } = { aac: fourCc('mp4a'), opus: fourCc('Opus'), mp3: fourCc('.mp3') };

/** The codec that a video fourCC names, if it is one of ours. */
export const videoCodecOf = (code: number): VideoCodec | undefined => VIDEO.get(code);
/** The codec that an audio fourCC names, if it is one of ours. */
export const audioCodecOf = (code: number): AudioCodec | undefined => AUDIO.get(code);

/** A fourCC as readable text for messages; bytes that are no printable ASCII as `?`. */
export function fourCcText(code: number): string {
  const bytes = [code >>> 24, (code >>> 16) & 0xff, (code >>> 8) & 0xff, code & 0xff];
  return bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join('');
}
