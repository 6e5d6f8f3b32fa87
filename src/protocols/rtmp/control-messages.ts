import { ByteWriter } from '../../core/mod.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { ChunkStreamId, MessageType } from './message.ts';

/** A protocol control message of one 32-bit field: Set Chunk Size, Acknowledgement or Window Acknowledgement Size (RTMP 1.0, 5.4). */
export function controlMessage(writer: ChunkWriter, typeId: number, value: number): Uint8Array {
  return writer.message(ChunkStreamId.control, typeId, 0, 0, new ByteWriter(4).u32(value >>> 0).finish());
}

/** Set Peer Bandwidth with limit type Dynamic (5.4.5). */
export function setPeerBandwidth(writer: ChunkWriter, windowSize: number): Uint8Array {
  const body = new ByteWriter(5).u32(windowSize).u8(2).finish();
  return writer.message(ChunkStreamId.control, MessageType.setPeerBandwidth, 0, 0, body);
}

/** A User Control Message with one 32-bit argument: a message stream id or a ping's timestamp (7.1.7). */
export function userControl(writer: ChunkWriter, event: number, value: number): Uint8Array {
  const body = new ByteWriter(6)
    .u16(event)
    .u32(value >>> 0)
    .finish();
  return writer.message(ChunkStreamId.control, MessageType.userControl, 0, 0, body);
}
