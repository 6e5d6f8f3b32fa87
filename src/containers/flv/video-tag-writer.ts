import type { VideoCodec, VideoTrack } from '../../media/mod.ts';
import { videoFourCc } from './four-cc.ts';

// vpcC is a full box: its content starts with version and flags, which FFmpeg neither writes nor expects in FLV.
const VPCC_VERSION_FLAGS_BYTES = 4;
const COMPOSITION_TIME_MS_MAX = 0x7fffff;

/** How many bytes {@link writeVideoFrameHeader} writes. */
export const videoFrameHeaderSize = (codec: VideoCodec, compositionTimeMs: number): number =>
  codec === 'hevc' && compositionTimeMs !== 0 ? 8 : 5;

/**
 * Writes what stands before a frame's payload in a video tag body, and returns the offset behind it. H.264 is legacy (FLV 10.1, section
 * E.4.3), all else Enhanced RTMP v1: CodedFrames, or CodedFramesX for HEVC whose composition time is 0.
 */
export function writeVideoFrameHeader(
  target: Uint8Array,
  at: number,
  codec: VideoCodec,
  isKeyframe: boolean,
  compositionTimeMs: number,
): number {
  const frameType = isKeyframe ? 0x10 : 0x20;
  if (codec === 'h264') {
    target[at] = frameType | 7;
    target[at + 1] = 1;
    return putCompositionTime(target, at + 2, compositionTimeMs);
  }
  const isX = codec === 'hevc' && compositionTimeMs === 0;
  target[at] = 0x80 | frameType | (isX ? 3 : 1);
  putU32(target, at + 1, videoFourCc[codec]);
  return codec === 'hevc' && !isX ? putCompositionTime(target, at + 5, compositionTimeMs) : at + 5;
}

/** The video tag body with a track's sequence header. Given. */
export function videoConfigBody(track: VideoTrack): Uint8Array {
  const config = track.codec === 'vp8' || track.codec === 'vp9' ? track.config.subarray(VPCC_VERSION_FLAGS_BYTES) : track.config;
  const body = new Uint8Array(5 + config.length);
  if (track.codec === 'h264') {
    body[0] = 0x17;
  } else {
    body[0] = 0x90;
    putU32(body, 1, videoFourCc[track.codec]);
  }
  body.set(config, 5);
  return body;
}

function putU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

// The field has 24 bits; what does not fit comes from broken timestamps and is cut to the nearest value that does.
function putCompositionTime(target: Uint8Array, at: number, compositionTimeMs: number): number {
  const value = Math.max(-COMPOSITION_TIME_MS_MAX, Math.min(COMPOSITION_TIME_MS_MAX, compositionTimeMs));
  target[at] = value >>> 16;
  target[at + 1] = value >>> 8;
  target[at + 2] = value;
  return at + 3;
}
