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

/** So much is handed to the socket; the rest waits in the queue, where it can still be dropped. */
const SOCKET_BYTES_MAX: number = 1024 * 1024;
/** Messages are joined to writes of about this size: each costs a system call and a record of TLS. */
const WRITE_BYTES = 64 * 1024;

/** How long last words may take. */
const END_MS_MAX = 2_000;

/** Carries a session's bytes over a TLS socket; what comes up within one turn of the event loop is written together. */
export class RelaySocket {
  bytesSent = 0;
  bytesReceived = 0;
  private readonly socket: TLSSocket;
  private readonly session: RelaySession;
  private readonly clock: Clock;
  private readonly failed: (error: unknown) => void;
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
    socket.on('data', (bytes: Buffer) => this.guard(() => this.received(bytes)));
    socket.on('drain', () => this.guard(() => this.flush()));
    socket.on('close', () => this.guard(() => session.broken('relay.broken', reason)));
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

  private received(bytes: Buffer): void {
    this.bytesReceived += bytes.length;
    this.session.receive(bytes, this.clock.monotonic());
  }

  private flush(): void {
    if (!this.isReady || this.socket.destroyed || !this.socket.writable) return;
    const { queue } = this.session;
    while (this.socket.writableLength < SOCKET_BYTES_MAX) {
      const messages = queue.take(WRITE_BYTES);
      const [first] = messages;
      if (first === undefined) return;
      const bytes = messages.length === 1 ? first : Buffer.concat(messages);
      this.bytesSent += bytes.length;
      this.socket.write(bytes);
    }
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
