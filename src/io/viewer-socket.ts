/** What a broadcaster needs of a viewer's connection; `net.Socket`, `tls.TLSSocket` and an HTTP/2 stream have it. */
export interface ViewerSocket {
  /** Bytes accepted but not yet given to the kernel. */
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  end(callback: () => void): unknown;
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** `raw`: the bytes as they are; `websocket`: each batch is one binary message (RFC 6455 5.2), framed once for all viewers. */
export type Framing = 'raw' | 'websocket';

/** The longest header of a server's WebSocket frame: two bytes and a 64-bit length. */
export const WEBSOCKET_HEADER_BYTES_MAX = 10;
const FINAL_BINARY = 0x82;
const FINAL_CLOSE = 0x88;
const GOING_AWAY = 1001;

/** The header of an unmasked, unfragmented binary message of `length` bytes. */
export function websocketHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([FINAL_BINARY, length]);
  const header = Buffer.allocUnsafe(length < 65_536 ? 4 : WEBSOCKET_HEADER_BYTES_MAX);
  header[0] = FINAL_BINARY;
  if (length < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    header.writeUInt32BE(length % 2 ** 32, 6);
  }
  return header;
}

/** A close frame that says "going away" (RFC 6455 7.4.1): the stream is over or the server stops. */
export const WEBSOCKET_CLOSE: Buffer = Buffer.from([FINAL_CLOSE, 2, GOING_AWAY >> 8, GOING_AWAY & 0xff]);
