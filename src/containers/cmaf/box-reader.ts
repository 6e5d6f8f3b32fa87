import { ByteReader } from '../../core/mod.ts';

/** A box with its content behind the header. */
interface Box {
  readonly type: string;
  /** Borrowed. */
  readonly body: Uint8Array;
}

/** The boxes that follow each other in borrowed bytes, with 32-bit sizes. Throws `ProtocolError` for what is none. */
export function boxesOf(bytes: Uint8Array): Box[] {
  const reader = new ByteReader(bytes);
  const boxes: Box[] = [];
  while (reader.remaining > 0) {
    const size = reader.u32();
    const type = String.fromCharCode(...reader.slice(4));
    boxes.push({ type, body: reader.slice(size - 8) });
  }
  return boxes;
}

/** The content of the first box of a type; empty when there is none. */
export function find(bytes: Uint8Array, type: string): Uint8Array {
  return boxesOf(bytes).find((box) => box.type === type)?.body ?? new Uint8Array();
}
