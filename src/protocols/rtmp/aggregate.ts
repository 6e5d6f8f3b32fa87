import { ByteReader } from '../../core/mod.ts';

/**
 * Takes an Aggregate Message apart (RTMP 1.0, 7.1.6): each sub-message is handed on with a view of `body` and a timestamp
 * moved so that the first has the aggregate's own. Throws `ProtocolError` `core.truncated` where a sub-message is cut short.
 */
export function readAggregate(
  timestamp: number,
  body: Uint8Array,
  message: (typeId: number, timestamp: number, body: Uint8Array) => void,
): void {
  const reader = new ByteReader(body);
  let first: number | undefined;
  while (reader.remaining > 0) {
    const typeId = reader.u8();
    const length = reader.u24();
    const low = reader.u24();
    const time = (reader.u8() * 0x1000000 + low) >>> 0;
    reader.skip(3);
    const content = reader.slice(length);
    // The back pointer holds the size of the sub-message; some encoders leave out the last one.
    if (reader.remaining > 0) reader.skip(4);
    first ??= time;
    message(typeId, (timestamp + time - first) >>> 0, content);
  }
}
