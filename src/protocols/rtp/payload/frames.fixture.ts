import { av1Main, hex as bytesOf, h264Main, hevcMain, opusSamples, vp8Frames, vp9Profile0 } from '../../../media/codecs/samples.fixture.ts';
import { audioTrack, joinNalUnits, type Track, videoTrack } from '../../../media/mod.ts';
import type { RtpCodec, RtpPayloads } from './payload-format.ts';

/** A track of each codec, described by what FFmpeg made. */
export const tracks: Readonly<Record<RtpCodec, Track>> = {
  h264: videoTrack(1, 'h264', h264Main.config),
  hevc: videoTrack(1, 'hevc', hevcMain.config),
  vp8: videoTrack(1, 'vp8', new Uint8Array(), vp8Frames.keyframe),
  vp9: videoTrack(1, 'vp9', vp9Profile0.config, vp9Profile0.keyframe),
  av1: videoTrack(1, 'av1', av1Main.config),
  opus: audioTrack(2, 'opus', opusSamples.dOps),
};

/** Bytes that look like none of the start codes or headers, the same for the same `seed`. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 1 + (state >>> 25);
  });
}

/** A unit or frame that begins with `header` (hexadecimal) and is `length` bytes long. */
export function unit(header: string, length: number, seed = 1): Uint8Array {
  const start = bytesOf(header);
  return Uint8Array.from([...start, ...noise(length - start.length, seed)]);
}

/** A frame in the house's format of NAL units. */
export const nalFrame = (...units: readonly Uint8Array[]): Uint8Array => joinNalUnits(units);

/** An OBU with size field: `type`, then `length` bytes of content that begin with `start` (hexadecimal). */
export function obu(type: number, start: string, length: number, extension?: number): Uint8Array {
  const content = unit(start, length);
  const size =
    length < 128
      ? [length]
      : length < 16_384
        ? [0x80 | (length & 127), length >> 7]
        : [0x80 | (length & 127), 0x80 | ((length >> 7) & 127), length >> 14];
  return Uint8Array.from([
    (type << 3) | (extension === undefined ? 2 : 6),
    ...(extension === undefined ? [] : [extension]),
    ...size,
    ...content,
  ]);
}

/** Copies of the payloads, one by one. */
export function copiesOf(payloads: RtpPayloads): Uint8Array[] {
  let at = 0;
  return Array.from(payloads.lengths.subarray(0, payloads.count), (length) => {
    at += length;
    return payloads.bytes.slice(at - length, at);
  });
}
