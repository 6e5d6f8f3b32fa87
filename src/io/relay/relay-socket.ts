import type { TLSSocket } from 'node:tls';
import type { MonotonicMs } from '../../core/mod.ts';
import type { SendQueue } from '../../protocols/relay/mod.ts';
import type { Clock } from '../clock.ts';

/** A machine at one end of a relay connection. */
export interface RelaySession {
  readonly queue: SendQueue;
  readonly isClosed: boolean;
  receive(bytes: Uint8Array, now: MonotonicMs): void;
  tick(now: MonotonicMs): void;
  broken(code: string, message: string): void;
}

/** Messages are joined to writes of up to this size: each costs a system call and a record of TLS. */
const WRITE_BYTES = 64 * 1024;
/** So many writes, a megabyte, are handed to the socket; the rest waits in the queue, where it can still be dropped. */
const WRITES_MAX = 16;
/** Buffers that are kept for the next writes. */
const SPARE_MAX = 2;

/** How long last words may take. */
const END_MS_MAX = 2_000;

/**
 * Carries a session's bytes over a TLS socket; what comes up within one turn of the event loop is written together. What is written, and what is read
 * where there is much of it, lies in the same few buffers again and again: memory that is new for each would call the garbage collector every second.
 */
export class RelaySocket {
  bytesSent = 0;
  bytesReceived = 0;
  private readonly socket: TLSSocket;
  private readonly session: RelaySession;
  private readonly clock: Clock;
  private readonly failed: (error: unknown) => void;
  private readonly spare: Buffer[] = [];
  private writes = 0;
  private isScheduled = false;
  private isReady: boolean;

  /** `isReady`: the handshake is done; else call `ready` when it is. `failed`: a bug of ours in this connection, which is closed. */
  constructor(socket: TLSSocket, session: RelaySession, clock: Clock, isReady: boolean, failed: (error: unknown) => void) {
    this.socket = socket;
    this.session = session;
    this.clock = clock;
    this.isReady = isReady;
    this.failed = failed;
    let reason = 'the relay peer closed the connection';
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => this.guard(() => session.broken('relay.broken', reason)));
  }

  /** `bytes` are borrowed. */
  received(bytes: Uint8Array): void {
    this.guard(() => {
      this.bytesReceived += bytes.length;
      this.session.receive(bytes, this.clock.monotonic());
    });
  }

  ready(): void {
    this.isReady = true;
    this.guard(() => this.flush());
  }

  /** Something waits in the session's queue. */
  wake(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.guard(() => this.flush());
    });
  }

  tick(now: MonotonicMs): void {
    this.guard(() => this.session.tick(now));
  }

  /** Sends what waits (a goodbye) and ends; what is not taken by then is lost. */
  end(): void {
    if (!this.isReady) {
      this.socket.destroy();
      return;
    }
    this.guard(() => this.flush());
    this.socket.setTimeout(END_MS_MAX, () => this.socket.destroy());
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private flush(): void {
    if (!this.isReady || this.socket.destroyed || !this.socket.writable) return;
    const { queue } = this.session;
    while (this.writes < WRITES_MAX && queue.sizeBytes > 0) {
      const buffer = this.spare.pop() ?? Buffer.allocUnsafeSlow(WRITE_BYTES);
      const length = queue.read(buffer);
      this.bytesSent += length;
      this.writes++;
      this.socket.write(buffer.subarray(0, length), (error) => this.written(buffer, error));
    }
  }

  /** The socket has done with `buffer`. */
  private written(buffer: Buffer, error: Error | null | undefined): void {
    this.writes--;
    if (error instanceof Error) return;
    if (this.spare.length < SPARE_MAX) this.spare.push(buffer);
    this.guard(() => this.flush());
  }

  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.failed(error);
      this.socket.destroy();
    }
  }
}
