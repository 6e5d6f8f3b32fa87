import { utf8Encode } from '../../core/mod.ts';
import { type MediaKind, MessageType } from './message.ts';

// AMF0 string marker, 16-bit length, text.
const SET_DATA_FRAME = Uint8Array.of(0x02, 0x00, 0x0d, ...utf8Encode('@setDataFrame'));

/** What a message of this type carries; undefined for commands and the rest. */
export function mediaKind(typeId: number): MediaKind | undefined {
  if (typeId === MessageType.video) return 'video';
  if (typeId === MessageType.audio) return 'audio';
  return typeId === MessageType.dataAmf0 || typeId === MessageType.dataAmf3 ? 'data' : undefined;
}

/** A view of a data message's AMF0 values as FLV script data has them: `onMetaData` first, without the `@setDataFrame` that RTMP puts before it. */
export function normaliseData(typeId: number, body: Uint8Array): Uint8Array {
  // Data messages of AMF3 connections hold AMF0 behind a zero byte, like commands (RTMP 1.0, 7.1.1).
  const values = typeId === MessageType.dataAmf3 && body[0] === 0 ? body.subarray(1) : body;
  return SET_DATA_FRAME.every((byte, index) => values[index] === byte) ? values.subarray(SET_DATA_FRAME.length) : values;
}
