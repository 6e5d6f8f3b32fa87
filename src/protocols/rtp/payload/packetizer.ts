import { assert, assertNever, ProtocolError } from '../../../core/mod.ts';
import type { Track } from '../../../media/mod.ts';
import { Av1Packetizer } from './av1-packetizer.ts';
import { createH264Packetizer } from './h264-payload.ts';
import { createHevcPacketizer } from './hevc-payload.ts';
import { OpusPacketizer } from './opus-payload.ts';
import type { Packetizer } from './payload-format.ts';
import { createVp8Packetizer } from './vp8-payload.ts';
import { createVp9Packetizer } from './vp9-payload.ts';

const PAYLOAD_BYTES_MIN = 64;
const PAYLOAD_BYTES_MAX = 65_535;

/**
 * A packetizer for the frames of one track, whose payloads are at most `payloadBytesMax` (64 to 65,535) bytes. H.264 and HEVC
 * parameter sets and AV1 sequence headers of the track's record go before each keyframe that does not carry its own: a changed
 * track needs a new packetizer. Throws `rtp.unsupported-codec` for AAC and MP3, and the media room's codes for a bad record.
 */
export function createPacketizer(track: Track, payloadBytesMax: number): Packetizer {
  assert(
    payloadBytesMax >= PAYLOAD_BYTES_MIN && payloadBytesMax <= PAYLOAD_BYTES_MAX,
    `payloadBytesMax is ${payloadBytesMax}; it must be ${PAYLOAD_BYTES_MIN} to ${PAYLOAD_BYTES_MAX}`,
  );
  switch (track.codec) {
    case 'h264':
      return createH264Packetizer(track.config, payloadBytesMax);
    case 'hevc':
      return createHevcPacketizer(track.config, payloadBytesMax);
    case 'vp8':
      return createVp8Packetizer(payloadBytesMax);
    case 'vp9':
      return createVp9Packetizer(payloadBytesMax);
    case 'av1':
      return new Av1Packetizer(track.config, payloadBytesMax);
    case 'opus':
      return new OpusPacketizer(payloadBytesMax);
    case 'aac':
    case 'mp3':
      throw new ProtocolError('rtp.unsupported-codec', `${track.codec} has no payload format in WebRTC; send Opus`);
    default:
      return assertNever(track);
  }
}
