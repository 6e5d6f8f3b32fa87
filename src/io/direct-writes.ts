import type { SharedFile } from './shared-file.ts';
import type { ViewerSocket } from './viewer-socket.ts';

/** Viewers that get the same bytes from one file, gathered for one call of the addon. */
export class DirectWrites {
  private readonly descriptors: Int32Array;
  private readonly sockets: ViewerSocket[] = [];

  /** Room for `viewersMax`. */
  constructor(viewersMax: number) {
    this.descriptors = new Int32Array(viewersMax);
  }

  /** `descriptor` is the socket's in this turn: {@link send} follows in the same. */
  add(socket: ViewerSocket, descriptor: number): void {
    this.descriptors[this.sockets.length] = descriptor;
    this.sockets.push(socket);
  }

  /** Sends `bytes`, which the file ends with, to all that were added; what a socket's kernel buffer refuses, Node writes to it. */
  send(file: SharedFile, bytes: Buffer): void {
    const { descriptors, sockets } = this;
    if (sockets.length === 0) return;
    file.sendToAll(descriptors, sockets.length, file.sizeBytes - bytes.length);
    for (const [index, socket] of sockets.entries()) {
      const taken = descriptors[index] ?? 0;
      if (taken < bytes.length) socket.write(bytes.subarray(taken));
    }
    sockets.length = 0;
  }
}
