import { assertNever, type ByteWriter } from '../../core/mod.ts';
import type { AudioTrack, Track, VideoTrack } from '../../media/mod.ts';
import { box, fullBox } from './box-writer.ts';

const DPI_72 = 0x00480000;
const DEPTH_COLOUR = 0x0018;
/** The 16.16 sample rate field cannot hold more; players then take the rate from the codec configuration. */
const SAMPLE_RATE_FIELD_MAX = 0xffff;
/** MPEG-1 Audio has 32, 44.1 and 48 kHz; the lower rates are MPEG-2's. */
const MPEG1_AUDIO_SAMPLE_RATE_MIN = 32_000;

const STREAM_TYPE_AUDIO = 0x15;
const OBJECT_TYPE_AAC = 0x40;
const OBJECT_TYPE_MPEG2_AUDIO = 0x69;
const OBJECT_TYPE_MPEG1_AUDIO = 0x6b;

/** Writes the one sample entry of a track (ISO/IEC 14496-12, 8.5.2). */
export function writeSampleEntry(writer: ByteWriter, track: Track): void {
  if (track.kind === 'video') writeVisual(writer, track);
  else writeAudio(writer, track);
}

function visualTypes(track: VideoTrack): readonly [entry: string, configuration: string] {
  switch (track.codec) {
    case 'h264':
      return ['avc1', 'avcC'];
    case 'hevc':
      return ['hvc1', 'hvcC'];
    case 'av1':
      return ['av01', 'av1C'];
    case 'vp8':
      return ['vp08', 'vpcC'];
    case 'vp9':
      return ['vp09', 'vpcC'];
    default:
      return assertNever(track.codec);
  }
}

function writeVisual(writer: ByteWriter, track: VideoTrack): void {
  const [entry, configuration] = visualTypes(track);
  box(writer, entry, () => {
    writer.zeros(6).u16(1); // reserved, data_reference_index
    writer.zeros(16); // pre_defined and reserved
    writer.u16(track.width).u16(track.height);
    writer.u32(DPI_72).u32(DPI_72).u32(0);
    writer.u16(1); // frame_count
    writer.zeros(32); // compressorname
    writer.u16(DEPTH_COLOUR).u16(0xffff);
    box(writer, configuration, () => writer.put(track.config));
  });
}

function writeAudio(writer: ByteWriter, track: AudioTrack): void {
  box(writer, track.codec === 'opus' ? 'Opus' : 'mp4a', () => {
    writer.zeros(6).u16(1); // reserved, data_reference_index
    writer.zeros(8);
    writer.u16(track.channels).u16(16); // samplesize is 16 whatever the codec
    writer.u32(0);
    writer.u16(track.sampleRate <= SAMPLE_RATE_FIELD_MAX ? track.sampleRate : 0).u16(0);
    if (track.codec === 'opus') box(writer, 'dOps', () => writer.put(track.config));
    else writeEsds(writer, track);
  });
}

/** ISO/IEC 14496-14, 5.6, with the descriptors of ISO/IEC 14496-1, 7.2.6. */
function writeEsds(writer: ByteWriter, track: AudioTrack): void {
  const specificSize = track.config.length > 0 ? descriptorSize(track.config.length) : 0;
  const configSize = 13 + specificSize;
  fullBox(writer, 'esds', 0, 0, () => {
    descriptor(writer, 0x03, 3 + descriptorSize(configSize) + descriptorSize(1));
    writer.u16(0).u8(0); // ES_ID is 0 inside a file (ISO/IEC 14496-14, 3.1.2)
    descriptor(writer, 0x04, configSize);
    writer.u8(objectType(track)).u8(STREAM_TYPE_AUDIO);
    writer.u24(0).u32(0).u32(0); // buffer size and bitrates: not known of a live stream
    if (track.config.length > 0) {
      descriptor(writer, 0x05, track.config.length);
      writer.put(track.config);
    }
    descriptor(writer, 0x06, 1);
    writer.u8(0x02); // SLConfig: predefined for MP4
  });
}

// MP3 goes into `mp4a` with its MPEG object type, as FFmpeg writes it and as hls.js and Chromium read it.
function objectType(track: AudioTrack): number {
  if (track.codec !== 'mp3') return OBJECT_TYPE_AAC;
  return track.sampleRate >= MPEG1_AUDIO_SAMPLE_RATE_MIN ? OBJECT_TYPE_MPEG1_AUDIO : OBJECT_TYPE_MPEG2_AUDIO;
}

const lengthBytes = (size: number): number => (size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x200000 ? 3 : 4);
const descriptorSize = (bodySize: number): number => 1 + lengthBytes(bodySize) + bodySize;

/** Tag and expandable length (ISO/IEC 14496-1, 8.3.3). */
function descriptor(writer: ByteWriter, tag: number, bodySize: number): void {
  writer.u8(tag);
  for (let left = lengthBytes(bodySize) - 1; left >= 0; left--) {
    writer.u8(((bodySize >>> (7 * left)) & 0x7f) | (left > 0 ? 0x80 : 0));
  }
}
