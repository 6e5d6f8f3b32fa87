import { Socket } from 'node:net';
import { loadNative, type NativeModule } from './webrtc/native-kernel.ts';

/** Open at once in this process; each takes a descriptor. */
const FILES_MAX = 256;
const BYTES_MAX = 64 * 1024 * 1024;

let open = 0;
let openBytes = 0;

/** The part of libuv's stream that Node keeps behind a socket; only `TCP` writes its bytes as they are to its descriptor. */
interface StreamHandle {
  readonly fd?: number;
}

/**
 * The same bytes for many sockets, in a sealed file in memory from which the kernel sends without copying them, past Node's streams. There is none
 * without the addon, on systems other than Linux, and while this process has as many as it may: then the bytes are written as always.
 */
export class SharedFile {
  readonly sizeBytes: number;
  private readonly native: NativeModule;
  private readonly file: number;
  private isClosed = false;

  private constructor(native: NativeModule, file: number, sizeBytes: number) {
    this.native = native;
    this.file = file;
    this.sizeBytes = sizeBytes;
    open++;
    openBytes += sizeBytes;
  }

  /** A file with a copy of these pieces in their order; its owner closes it. */
  static make(pieces: readonly Uint8Array[]): SharedFile | undefined {
    const native = process.platform === 'linux' ? loadNative() : '';
    // An addon of an earlier version has no files.
    if (typeof native === 'string' || native.makeSharedFile === undefined || open >= FILES_MAX) return undefined;
    let sizeBytes = 0;
    for (const piece of pieces) sizeBytes += piece.length;
    if (openBytes + sizeBytes > BYTES_MAX) return undefined;
    const file = native.makeSharedFile(pieces);
    return file < 0 ? undefined : new SharedFile(native, file, sizeBytes);
  }

  /** What the kernel takes now of the bytes from `from` on, for a socket that {@link descriptorOf} gave. The rest is the caller's to write to the socket. */
  send(descriptor: number, from = 0): number {
    return this.isClosed ? 0 : this.native.sendSharedFile(descriptor, this.file, from, this.sizeBytes - from);
  }

  /** The same for the first `count` descriptors; what each socket took takes the descriptor's place. */
  sendToAll(descriptors: Int32Array, count: number, from: number): void {
    if (this.isClosed) descriptors.fill(0, 0, count);
    else this.native.sendSharedFileToAll(descriptors, count, this.file, from, this.sizeBytes - from);
  }

  /** Gives descriptor and memory back; bytes on their way are the kernel's. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    open--;
    openBytes -= this.sizeBytes;
    this.native.closeSharedFile(this.file);
  }
}

/**
 * The descriptor of a TCP socket that may be written to past Node in this very turn: nothing waits before, and nothing encrypts behind it. -1 otherwise.
 * Not to be kept: Node closes it with the socket, and the number is the next connection's. It is no documented interface of Node; where it is
 * missing, sockets are written to as always.
 */
export function descriptorOf(socket: object): number {
  if (!(socket instanceof Socket) || socket.writableLength > 0 || !socket.writable || socket.connecting) return -1;
  const handle = (socket as unknown as { readonly _handle?: StreamHandle | null })._handle;
  return handle?.constructor.name === 'TCP' ? (handle.fd ?? -1) : -1;
}
