import { ByteReader, ProtocolError } from '../../core/mod.ts';
import { checkDimensions, parsing } from './malformed.ts';
import { type VpConfig, vpLevel } from './vp9.ts';

const BAD_FRAME = 'media.bad-vp8-frame';
const START_CODE = 0x9d012a;
/** CICP 2, unspecified. */
const UNSPECIFIED = 2;

/** A VP8 keyframe's format, from its frame header (RFC 6386 9.1). */
export interface Vp8Keyframe {
  /** The bitstream version, 0 to 3. */
  readonly profile: number;
  readonly width: number;
  readonly height: number;
}

/** Whether a VP8 frame is a keyframe. Never throws: an empty frame is none. */
export function isVp8Keyframe(payload: Uint8Array): boolean {
  const first = payload[0];
  return first !== undefined && (first & 1) === 0;
}

/** Parses a VP8 keyframe's header; throws `media.bad-vp8-frame`. */
export function parseVp8Keyframe(payload: Uint8Array): Vp8Keyframe {
  return parsing(BAD_FRAME, 'VP8 frame header', () => {
    if (!isVp8Keyframe(payload)) throw new ProtocolError(BAD_FRAME, 'the frame is not a keyframe; wait for one to know the picture');
    const reader = new ByteReader(payload);
    const profile = (reader.u24() >> 17) & 7;
    const startCode = reader.u24();
    if (startCode !== START_CODE) throw new ProtocolError(BAD_FRAME, `start code is 0x${startCode.toString(16)}; it must be 0x9d012a`);
    if (profile > 3) throw new ProtocolError(BAD_FRAME, `version is ${profile}; 0 to 3 are defined`);
    const width = littleEndian14(reader.u16());
    const height = littleEndian14(reader.u16());
    checkDimensions(BAD_FRAME, width, height);
    return { profile, width, height };
  });
}

/** 14 bits of size; the two above them ask for upscaling, which changes nothing about the coded picture. */
const littleEndian14 = (value: number): number => ((value & 0x3f) << 8) | (value >> 8);

/** The vpcC that fits a VP8 keyframe: 8 bits, 4:2:0, unspecified colour. */
export function vp8ConfigOf(keyframe: Vp8Keyframe): VpConfig {
  return {
    profile: keyframe.profile,
    level: vpLevel(keyframe.width, keyframe.height),
    bitDepth: 8,
    chromaSubsampling: 0,
    isFullRange: false,
    colourPrimaries: UNSPECIFIED,
    transferCharacteristics: UNSPECIFIED,
    matrixCoefficients: UNSPECIFIED,
  };
}
