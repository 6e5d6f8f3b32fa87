import { ByteReader, ProtocolError } from '../../core/mod.ts';
import type { VideoCodec } from '../../media/mod.ts';
import { readModifiers, readMultitrackHeader, readTracks } from './extended-header.ts';
import { fourCcText, videoCodecOf } from './four-cc.ts';
import type { MediaMessageListener } from './media-message.ts';

const FRAME_KEY = 1;
const FRAME_GENERATED_KEY = 4;
const FRAME_COMMAND = 5;

const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const SEQUENCE_END = 2;
const CODED_FRAMES_X = 3;
const METADATA = 4;
const MULTITRACK = 6;

/** What the header says of all tracks of one message. */
interface PacketHeader {
  readonly packetType: number;
  readonly isKeyframe: boolean;
  readonly timestampOffsetNs: number;
}

/**
 * Reads the body of an FLV video tag or RTMP video message: legacy (FLV 10.1, section E.4.3) and Enhanced RTMP v1 and v2.
 * Borrows nothing: messages share the body's memory. Throws `ProtocolError` with `flv.…` or `core.truncated`.
 */
export function parseVideoTagBody(body: Uint8Array, onMessage: MediaMessageListener): void {
  const first = body[0];
  if (first === undefined) onMessage({ kind: 'ignored', trackId: 0, reason: 'empty', detail: 'video message without bytes' });
  else if (first >= 0x80) parseExtended(body, first, onMessage);
  else parseLegacy(body, first, onMessage);
}

function parseLegacy(body: Uint8Array, first: number, onMessage: MediaMessageListener): void {
  const frameType = first >>> 4;
  if (frameType === FRAME_COMMAND) {
    onMessage({ kind: 'ignored', trackId: 0, reason: 'command', detail: 'video command' });
    return;
  }
  const codec = legacyCodec(first & 0x0f);
  if (codec === undefined) {
    onMessage({ kind: 'ignored', trackId: 0, reason: 'unsupported-codec', detail: `FLV video codec ${first & 0x0f}` });
    return;
  }
  if (body.length < 5) throw new ProtocolError('flv.truncated', `video tag body has ${body.length} bytes; its header alone needs 5`);
  const isKeyframe = frameType === FRAME_KEY || frameType === FRAME_GENERATED_KEY;
  const packetType = body[1] ?? 0;
  if (packetType === 0) config(0, codec, body.subarray(5), onMessage);
  else if (packetType === 1)
    frame(0, codec, { packetType, isKeyframe, timestampOffsetNs: 0 }, compositionTime(body, 2), body.subarray(5), onMessage);
  else if (packetType === 2) onMessage({ kind: 'end-of-sequence', trackId: 0, media: 'video' });
  else throw new ProtocolError('flv.bad-packet-type', `AVCPacketType ${packetType} is not defined; use 0, 1 or 2`);
}

// 7 is AVC. 12 is no part of the specification, but what encoders wrote for HEVC, in AVC's layout, before Enhanced RTMP.
function legacyCodec(codecId: number): VideoCodec | undefined {
  if (codecId === 7) return 'h264';
  return codecId === 12 ? 'hevc' : undefined;
}

function parseExtended(body: Uint8Array, first: number, onMessage: MediaMessageListener): void {
  const reader = new ByteReader(body);
  reader.skip(1);
  const frameType = (first >>> 4) & 0x07;
  const { packetType, timestampOffsetNs } = readModifiers(reader, first & 0x0f);
  if (frameType === FRAME_COMMAND && packetType !== METADATA) {
    onMessage({ kind: 'ignored', trackId: 0, reason: 'command', detail: 'video command' });
    return;
  }
  const isKeyframe = frameType === FRAME_KEY || frameType === FRAME_GENERATED_KEY;
  if (packetType !== MULTITRACK) {
    const code = reader.u32();
    parseTrack(0, code, { packetType, isKeyframe, timestampOffsetNs }, reader.rest(), onMessage);
    return;
  }
  const multitrack = readMultitrackHeader(reader, MULTITRACK);
  const header = { packetType: multitrack.packetType, isKeyframe, timestampOffsetNs };
  readTracks(reader, multitrack.layout, (trackId, code, trackBody) => parseTrack(trackId, code, header, trackBody, onMessage));
}

function parseTrack(trackId: number, code: number, header: PacketHeader, body: Uint8Array, onMessage: MediaMessageListener): void {
  const codec = videoCodecOf(code);
  if (codec === undefined) {
    onMessage({ kind: 'ignored', trackId, reason: 'unsupported-codec', detail: `video fourCC "${fourCcText(code)}"` });
    return;
  }
  switch (header.packetType) {
    case SEQUENCE_START:
      config(trackId, codec, body, onMessage);
      break;
    case CODED_FRAMES:
      codedFrames(trackId, codec, header, body, onMessage);
      break;
    case SEQUENCE_END:
      onMessage({ kind: 'end-of-sequence', trackId, media: 'video' });
      break;
    case CODED_FRAMES_X:
      frame(trackId, codec, header, 0, body, onMessage);
      break;
    case METADATA:
      onMessage({ kind: 'video-metadata', trackId, body });
      break;
    default:
      // MPEG2TSSequenceStart carries a descriptor for MPEG-2 TS; AV1 sends its record besides. Other types are not defined.
      onMessage({ kind: 'ignored', trackId, reason: 'unsupported-packet', detail: `video packet type ${header.packetType}` });
      break;
  }
}

// Only H.264 and HEVC have a composition time here.
function codedFrames(trackId: number, codec: VideoCodec, header: PacketHeader, body: Uint8Array, onMessage: MediaMessageListener): void {
  if (codec !== 'h264' && codec !== 'hevc') {
    frame(trackId, codec, header, 0, body, onMessage);
    return;
  }
  if (body.length < 3)
    throw new ProtocolError('flv.truncated', `coded frames have ${body.length} bytes; the composition time alone needs 3`);
  frame(trackId, codec, header, compositionTime(body, 0), body.subarray(3), onMessage);
}

function config(trackId: number, codec: VideoCodec, bytes: Uint8Array, onMessage: MediaMessageListener): void {
  if (bytes.length === 0) {
    onMessage({ kind: 'ignored', trackId, reason: 'empty', detail: `${codec} sequence header without bytes` });
    return;
  }
  onMessage({ kind: 'video-config', trackId, codec, config: bytes });
}

function frame(
  trackId: number,
  codec: VideoCodec,
  { isKeyframe, timestampOffsetNs }: PacketHeader,
  compositionTimeMs: number,
  payload: Uint8Array,
  onMessage: MediaMessageListener,
): void {
  if (payload.length === 0) onMessage({ kind: 'ignored', trackId, reason: 'empty', detail: `${codec} frame without bytes` });
  else onMessage({ kind: 'video-frame', trackId, codec, isKeyframe, compositionTimeMs, timestampOffsetNs, payload });
}

/** A signed 24-bit number of milliseconds; the caller made sure of the bytes. */
const compositionTime = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8)) >> 8;
