import { BitReader, ProtocolError } from '../../core/mod.ts';
import { parsing } from './malformed.ts';

const BAD_HEADER = 'media.bad-mp3-header';
/** Kbit/s by bitrate_index for layer III: MPEG-1 (ISO/IEC 11172-3 2.4.2.3), then MPEG-2 and 2.5 (ISO/IEC 13818-3 2.4.2.3). */
const BITRATES_MPEG1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_MPEG2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const SAMPLE_RATES_MPEG1 = [44_100, 48_000, 32_000];
const LAYER_III = 1;
const MODE_SINGLE_CHANNEL = 3;

/**
 * RFC 6381 for MP3 in HLS: by its MPEG-4 audio object type 34, not by the object type indication `mp4a.6B`. It is the string
 * of Apple's HLS authoring specification and the only one that hls.js maps to what a browser calls MP3. Chromium's Media
 * Source Extensions take MP3 in fragmented MP4 under no name at all.
 */
export const MP3_CODEC_STRING = 'mp4a.40.34';

/** The header of an MPEG audio layer III frame. */
export interface Mp3Header {
  readonly version: '1' | '2' | '2.5';
  readonly bitrateBps: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** 1152 for MPEG-1, 576 for MPEG-2 and 2.5. */
  readonly samplesPerFrame: 1152 | 576;
  /** Bytes of the whole frame, its header among them. */
  readonly frameBytes: number;
}

/** Parses the 4-byte header at the start of `frame`; throws `media.bad-mp3-header`, also for free-format bitrates. */
export function parseMp3Header(frame: Uint8Array): Mp3Header {
  return parsing(BAD_HEADER, 'MP3 frame header', () => {
    const bits = new BitReader(frame);
    const sync = bits.bits(11);
    const versionId = bits.bits(2);
    const layer = bits.bits(2);
    if (sync !== 0x7ff || versionId === 1 || layer !== LAYER_III) {
      throw new ProtocolError(
        BAD_HEADER,
        `sync 0x${sync.toString(16)}, version ${versionId}, layer bits ${layer}; they must be 0x7ff, 0, 2 or 3, and 1`,
      );
    }
    bits.skip(1); // protection_bit
    const isMpeg1 = versionId === 3;
    const bitrateIndex = bits.bits(4);
    const kilobits = (isMpeg1 ? BITRATES_MPEG1 : BITRATES_MPEG2)[bitrateIndex] ?? 0;
    if (kilobits === 0) throw new ProtocolError(BAD_HEADER, `bitrate index is ${bitrateIndex}; 1 to 14 are accepted (no free format)`);
    const rateIndex = bits.bits(2);
    const baseRate = SAMPLE_RATES_MPEG1[rateIndex];
    if (baseRate === undefined) throw new ProtocolError(BAD_HEADER, `sampling frequency index is ${rateIndex}; 0 to 2 are defined`);
    const padding = bits.bits(1);
    bits.skip(1); // private_bit
    const channels = bits.bits(2) === MODE_SINGLE_CHANNEL ? 1 : 2;
    bits.skip(6); // mode extension, copyright, original, emphasis
    const sampleRate = baseRate / (isMpeg1 ? 1 : versionId === 2 ? 2 : 4);
    const samplesPerFrame = isMpeg1 ? 1152 : 576;
    const frameBytes = Math.floor((samplesPerFrame * kilobits * 125) / sampleRate) + padding;
    const version = isMpeg1 ? '1' : versionId === 2 ? '2' : '2.5';
    return { version, bitrateBps: kilobits * 1000, sampleRate, channels, samplesPerFrame, frameBytes };
  });
}
