import { connect, type Socket } from 'node:net';

const READ_BUFFER_SIZE = 256 * 1024;
// One buffer for all sockets: what a callback is given is used up before it returns, so nothing is allocated per read.
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);

export interface ConnectionListener {
  connected(): void;
  /** Borrowed until the call returns. */
  received(bytes: Buffer): void;
  closed(reason: string): void;
}

/** A TCP connection that reads into one buffer shared by all connections of the process. */
export function openConnection(host: string, port: number, listener: ConnectionListener): Socket {
  let reason = 'the server closed the connection';
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (size) => {
        listener.received(readBuffer.subarray(0, size));
        return true;
      },
    },
  });
  socket.once('connect', () => listener.connected());
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.once('close', () => listener.closed(reason));
  // Without a reader, the end of the stream would never be seen.
  socket.resume();
  return socket;
}
