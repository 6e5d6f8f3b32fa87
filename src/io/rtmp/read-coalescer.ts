import type { Socket } from 'node:net';

/** The part of libuv's stream that Node keeps behind a socket. */
interface ReadHandle {
  readStop(): number;
  readStart(): number;
}

/** A read of this size or more means that the kernel may hold more: such a socket is not made to wait. */
const LARGE_READ_BYTES = 32 * 1024;

/**
 * Makes a busy server read seldom but much: an encoder writes about 70 small pieces a second, and a thousand encoders cost more in system
 * calls than in everything else. After a read the socket stops reading; all sockets of a slot go on together. Slots spread the work evenly.
 *
 * `socket.pause()` does not do it: Node then goes on reading into the stream's buffer, piece by piece. So the handle itself is stopped, which
 * is no documented interface; where a Node has another one, sockets are simply read at once.
 */
export class ReadCoalescer {
  private readonly intervalMs: number;
  private readonly slots: Socket[][];
  private cursor = 0;
  /** How many sockets are stopped. */
  private stopped = 0;
  private timer: NodeJS.Timeout | undefined;

  /** The longest wait is `intervalMs` times `slots`. */
  constructor(intervalMs: number, slots: number) {
    this.intervalMs = intervalMs;
    this.slots = Array.from({ length: slots }, () => []);
  }

  /** Call after a read of `readBytes`. An urgent socket waits one interval at most, another one the round of all slots. */
  afterRead(socket: Socket, readBytes: number, isUrgent: boolean): void {
    if (readBytes >= LARGE_READ_BYTES) return;
    const handle = readHandle(socket);
    if (handle === undefined) return;
    handle.readStop();
    const ahead = isUrgent ? 1 : this.slots.length;
    this.slots[(this.cursor + ahead) % this.slots.length]?.push(socket);
    this.stopped++;
    this.timer ??= setInterval(() => this.next(), this.intervalMs);
  }

  /** Resumes everything at once. */
  close(): void {
    for (let round = 0; round < this.slots.length; round++) this.next();
  }

  private next(): void {
    this.cursor = (this.cursor + 1) % this.slots.length;
    const due = this.slots[this.cursor] ?? [];
    this.slots[this.cursor] = [];
    this.stopped -= due.length;
    for (const socket of due) readHandle(socket)?.readStart();
    if (this.stopped > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** Undefined once the socket is destroyed. */
function readHandle(socket: Socket): ReadHandle | undefined {
  const handle = (socket as { readonly _handle?: Partial<ReadHandle> | null })._handle;
  return typeof handle?.readStop === 'function' && typeof handle.readStart === 'function' ? (handle as ReadHandle) : undefined;
}
