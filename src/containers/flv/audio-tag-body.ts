import { ByteReader, ProtocolError } from '../../core/mod.ts';
import { type AudioCodec, buildOpusHead } from '../../media/mod.ts';
import { readModifiers, readMultitrackHeader, readTracks } from './extended-header.ts';
import { audioCodecOf, fourCcText } from './four-cc.ts';
import type { MediaMessageListener } from './media-message.ts';

const SOUND_MP3 = 2;
const SOUND_EX_HEADER = 9;
const SOUND_AAC = 10;
const SOUND_MP3_8K = 14;

const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const SEQUENCE_END = 2;
const MULTITRACK = 5;

// For an empty Opus sequence header Enhanced RTMP v2 says: mono or stereo. A stereo decoder plays both.
const OPUS_STEREO_HEAD = buildOpusHead({
  channels: 2,
  preSkip: 3_840,
  inputSampleRate: 48_000,
  outputGain: 0,
  mappingFamily: 0,
  mapping: new Uint8Array(0),
});

/**
 * Reads the body of an FLV audio tag or RTMP audio message: legacy (FLV 10.1, section E.4.2) and Enhanced RTMP v2.
 * Borrows nothing: messages share the body's memory. Throws `ProtocolError` with `flv.…` or `core.truncated`.
 */
export function parseAudioTagBody(body: Uint8Array, onMessage: MediaMessageListener): void {
  const first = body[0];
  // An empty audio message is RTMP's silence message (Enhanced RTMP v2, AudioPacketType).
  if (first === undefined) {
    onMessage({ kind: 'ignored', trackId: 0, reason: 'empty', detail: 'audio message without bytes' });
    return;
  }
  const soundFormat = first >>> 4;
  switch (soundFormat) {
    case SOUND_AAC:
      parseAac(body, onMessage);
      break;
    case SOUND_MP3:
    case SOUND_MP3_8K:
      frame(0, 'mp3', 0, body.subarray(1), onMessage);
      break;
    case SOUND_EX_HEADER:
      parseExtended(body, first, onMessage);
      break;
    default:
      onMessage({ kind: 'ignored', trackId: 0, reason: 'unsupported-codec', detail: `FLV sound format ${soundFormat}` });
      break;
  }
}

function parseAac(body: Uint8Array, onMessage: MediaMessageListener): void {
  const packetType = body[1];
  if (packetType === undefined) throw new ProtocolError('flv.truncated', 'AAC tag body has 1 byte; its header alone needs 2');
  if (packetType === 0) config(0, 'aac', body.subarray(2), onMessage);
  else if (packetType === 1) frame(0, 'aac', 0, body.subarray(2), onMessage);
  else throw new ProtocolError('flv.bad-packet-type', `AACPacketType ${packetType} is not defined; use 0 or 1`);
}

function parseExtended(body: Uint8Array, first: number, onMessage: MediaMessageListener): void {
  const reader = new ByteReader(body);
  reader.skip(1);
  const { packetType, timestampOffsetNs } = readModifiers(reader, first & 0x0f);
  if (packetType !== MULTITRACK) {
    const code = reader.u32();
    parseTrack(0, code, packetType, timestampOffsetNs, reader.rest(), onMessage);
    return;
  }
  const multitrack = readMultitrackHeader(reader, MULTITRACK);
  readTracks(reader, multitrack.layout, (trackId, code, trackBody) =>
    parseTrack(trackId, code, multitrack.packetType, timestampOffsetNs, trackBody, onMessage),
  );
}

function parseTrack(
  trackId: number,
  code: number,
  packetType: number,
  timestampOffsetNs: number,
  body: Uint8Array,
  onMessage: MediaMessageListener,
): void {
  const codec = audioCodecOf(code);
  if (codec === undefined) {
    onMessage({ kind: 'ignored', trackId, reason: 'unsupported-codec', detail: `audio fourCC "${fourCcText(code)}"` });
    return;
  }
  switch (packetType) {
    case SEQUENCE_START:
      config(trackId, codec, body, onMessage);
      break;
    case CODED_FRAMES:
      frame(trackId, codec, timestampOffsetNs, body, onMessage);
      break;
    case SEQUENCE_END:
      onMessage({ kind: 'end-of-sequence', trackId, media: 'audio' });
      break;
    default:
      // MultichannelConfig repeats what our codecs say in their own headers. Other types are not defined.
      onMessage({ kind: 'ignored', trackId, reason: 'unsupported-packet', detail: `audio packet type ${packetType}` });
      break;
  }
}

function config(trackId: number, codec: AudioCodec, bytes: Uint8Array, onMessage: MediaMessageListener): void {
  if (codec === 'opus' && bytes.length === 0) onMessage({ kind: 'audio-config', trackId, codec, config: OPUS_STEREO_HEAD });
  else if (bytes.length > 0 && codec !== 'mp3') onMessage({ kind: 'audio-config', trackId, codec, config: bytes });
  // MP3 frames describe themselves.
  else onMessage({ kind: 'ignored', trackId, reason: 'empty', detail: `${codec} sequence header` });
}

function frame(trackId: number, codec: AudioCodec, timestampOffsetNs: number, payload: Uint8Array, onMessage: MediaMessageListener): void {
  if (payload.length === 0) onMessage({ kind: 'ignored', trackId, reason: 'empty', detail: `${codec} frame without bytes` });
  else onMessage({ kind: 'audio-frame', trackId, codec, timestampOffsetNs, payload });
}
