import type { AudioCodec, Track, VideoCodec } from '../../media/mod.ts';
import type { AmfLimits } from '../amf/amf-limits.ts';
import { AmfEcmaArray, type AmfObject, type AmfValue, isAmfObject } from '../amf/amf-value.ts';
import { decodeAmf0 } from '../amf/amf0-decode.ts';
import { encodeAmf0 } from '../amf/amf0-encode.ts';
import { audioFourCc, videoFourCc } from './four-cc.ts';

/** The script tag body or RTMP data message `onMetaData` (FLV 10.1, section E.5) that describes `tracks`. Given. */
export function onMetaDataBody(tracks: readonly Track[]): Uint8Array {
  const metadata = new AmfEcmaArray();
  for (const track of tracks) {
    for (const [name, value] of track.kind === 'video' ? videoProperties(track) : audioProperties(track)) {
      // The first track of a kind is the one that players take.
      if (!metadata.has(name)) metadata.set(name, value);
    }
  }
  metadata.set('encoder', 'Sluice');
  return encodeAmf0('onMetaData', metadata);
}

function* videoProperties(track: Extract<Track, { kind: 'video' }>): Generator<[string, AmfValue]> {
  yield ['width', track.width];
  yield ['height', track.height];
  if (track.frameRate !== undefined) yield ['framerate', track.frameRate];
  yield ['videocodecid', videoCodecId(track.codec)];
}

function* audioProperties(track: Extract<Track, { kind: 'audio' }>): Generator<[string, AmfValue]> {
  yield ['audiosamplerate', track.sampleRate];
  yield ['audiosamplesize', 16];
  yield ['stereo', track.channels > 1];
  yield ['audiochannels', track.channels];
  yield ['audiocodecid', audioCodecId(track.codec)];
}

// Legacy codecs by FLV's number, others by their fourCC as a number (Enhanced RTMP, "Enhancing onMetaData").
const videoCodecId = (codec: VideoCodec): number => (codec === 'h264' ? 7 : videoFourCc[codec]);
function audioCodecId(codec: AudioCodec): number {
  if (codec === 'aac') return 10;
  return codec === 'mp3' ? 2 : audioFourCc[codec];
}

/**
 * The properties of an `onMetaData` body, also behind RTMP's `@setDataFrame`; undefined if the data says something else.
 * Borrows `body`. Throws `ProtocolError` with `amf.…` or `core.truncated`.
 */
export function parseOnMetaData(body: Uint8Array, limits?: Partial<AmfLimits>): AmfObject | undefined {
  const values = decodeAmf0(body, limits);
  const [name, properties] = values[0] === '@setDataFrame' ? values.slice(1) : values;
  return name === 'onMetaData' && isAmfObject(properties) ? properties : undefined;
}
