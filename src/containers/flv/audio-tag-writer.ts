import { type AudioCodec, type AudioTrack, buildOpusHead, parseOpusConfig } from '../../media/mod.ts';
import { audioFourCc } from './four-cc.ts';

// AAC always says 44 kHz, 16 bit, stereo; players read the AudioSpecificConfig (FLV 10.1, section E.4.2.1).
const AAC_HEADER = 0xaf;
const OPUS_SEQUENCE_START = 0x90;
const OPUS_CODED_FRAMES = 0x91;

/** How many bytes {@link writeAudioFrameHeader} writes. */
export function audioFrameHeaderSize(codec: AudioCodec): number {
  if (codec === 'opus') return 5;
  return codec === 'aac' ? 2 : 1;
}

/**
 * Writes what stands before a frame's payload in an audio tag body, and returns the offset behind it. AAC and MP3 are legacy (FLV 10.1,
 * section E.4.2), Opus is Enhanced RTMP v2.
 */
export function writeAudioFrameHeader(target: Uint8Array, at: number, track: AudioTrack): number {
  if (track.codec === 'opus') {
    target[at] = OPUS_CODED_FRAMES;
    putOpusFourCc(target, at + 1);
    return at + 5;
  }
  if (track.codec === 'aac') {
    target[at] = AAC_HEADER;
    target[at + 1] = 1;
    return at + 2;
  }
  target[at] = mp3Header(track);
  return at + 1;
}

/** The audio tag body with a track's sequence header; undefined for MP3, which has none. Given. */
export function audioConfigBody(track: AudioTrack): Uint8Array | undefined {
  if (track.codec === 'mp3') return undefined;
  const isOpus = track.codec === 'opus';
  const config = isOpus ? buildOpusHead(parseOpusConfig(track.config)) : track.config;
  const headerSize = audioFrameHeaderSize(track.codec);
  const body = new Uint8Array(headerSize + config.length);
  body[0] = isOpus ? OPUS_SEQUENCE_START : AAC_HEADER;
  if (isOpus) putOpusFourCc(body, 1);
  body.set(config, headerSize);
  return body;
}

// SoundFormat 2, or 14 for 8 kHz; SoundRate names 11, 22 and 44 kHz, and the nearest stands for the others; 16 bit.
function mp3Header({ sampleRate, channels }: AudioTrack): number {
  const format = sampleRate === 8_000 ? 14 : 2;
  let rate = 3;
  if (sampleRate < 16_000) rate = 1;
  else if (sampleRate < 32_000) rate = 2;
  return (format << 4) | (rate << 2) | 2 | (channels > 1 ? 1 : 0);
}

function putOpusFourCc(target: Uint8Array, at: number): void {
  const code = audioFourCc.opus;
  target[at] = code >>> 24;
  target[at + 1] = code >>> 16;
  target[at + 2] = code >>> 8;
  target[at + 3] = code;
}
