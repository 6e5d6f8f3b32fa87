import type { ByteWriter } from '../../core/mod.ts';
import { boxesOf } from './box-reader.ts';
import { box } from './box-writer.ts';

/** The extended type of the box (ISO/IEC 14496-12, 4.2): players skip those that they do not know. */
const NOTE_TYPE = Uint8Array.of(0x9c, 0x1f, 0x5a, 0x7e, 0x2d, 0x84, 0x4b, 0x0e, 0xa6, 0x3b, 0x51, 0xc8, 0x0f, 0x72, 0xd9, 0x46);

/** Writes what a file says of itself. */
export function writeMovieNote(writer: ByteWriter, note: Uint8Array): void {
  box(writer, 'uuid', () => writer.put(NOTE_TYPE).put(note));
}

/** What a file says of itself, borrowed: of the content of its `moov` box. Undefined: nothing. Throws `ProtocolError` for what is no `moov` box. */
export function readMovieNote(moov: Uint8Array): Uint8Array | undefined {
  const note = boxesOf(moov).find(({ type, body }) => type === 'uuid' && NOTE_TYPE.every((byte, index) => body[index] === byte));
  return note?.body.subarray(NOTE_TYPE.length);
}
