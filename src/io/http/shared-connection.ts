import type { Socket } from 'node:net';
import { remoteAddress } from '../remote-address.ts';
import { descriptorOf } from '../shared-file.ts';
import type { SharedReply, SharedResponse, SharedRoute } from '../shared-route.ts';
import { readRequestHead } from './request-head.ts';
import type { PreparedAnswer, SharedAnswers } from './shared-answers.ts';

/** What a {@link SharedConnection} needs of the server that it belongs to. */
export interface SharedConnectionOwner {
  readonly routes: readonly SharedRoute[];
  readonly answers: SharedAnswers;
  readonly headersBytesMax: number;
  /** How long the first request is waited for. */
  readonly headersTimeoutMs: number;
  /** How long the next request is waited for, and how long a peer may take nothing of its answer. */
  readonly keepAliveTimeoutMs: number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /** A request was understood and taken. */
  taken(): void;
  /** The connection is over, or is somebody else's. */
  left(connection: SharedConnection): void;
  /** The connection is no longer this class's; what was read and not answered is in the socket again. */
  handOver(socket: Socket): void;
  /** A route threw, which is a bug: the connection is destroyed. */
  failed(error: unknown, path: string): void;
}

/** `idle`: waits for a request; `asked`: a route has the request; `full`: the peer has to take what was written first. */
type State = 'idle' | 'asked' | 'full' | 'left';

/**
 * The fast way of an HTTP/1.1 connection: as long as whole GET and HEAD requests for shared answers come, they are answered with
 * prepared bytes, in order, one at a time. At the first bytes that are anything else (a head in two pieces, too) the connection
 * is handed over with them, once and for ever: no byte is ever looked at by both sides.
 */
export class SharedConnection implements SharedReply {
  private readonly socket: Socket;
  private readonly owner: SharedConnectionOwner;
  private readonly remote: string;
  private state: State = 'idle';
  private isFirst = true;
  private isHead = false;
  /** The request was not answered at once. */
  private isHeld = false;
  private isClosing = false;
  /** Read and not yet answered; the socket is paused as long as there is something. */
  private rest: Buffer | undefined;

  constructor(socket: Socket, owner: SharedConnectionOwner) {
    this.socket = socket;
    this.owner = owner;
    this.remote = remoteAddress(socket);
    socket.setTimeout(owner.headersTimeoutMs);
    socket.on('data', this.onData);
    socket.on('drain', this.onDrain);
    socket.on('end', this.onEnd);
    socket.on('timeout', this.onTimeout);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  send(shared: SharedResponse): number {
    const { socket, owner, isHead } = this;
    if (this.state !== 'asked') return 0;
    const answer = owner.answers.prepare(shared, owner.wallMs());
    if (isHead) socket.write(answer.head);
    else if (answer.whole !== undefined) socket.write(answer.whole);
    else this.sendPieces(answer, shared);
    if (this.isHeld) this.noteActivity();
    this.state = socket.writableNeedDrain ? 'full' : 'idle';
    if (this.isClosing) socket.destroySoon();
    // Not from within the route, which may be answering many: the next request would come in while it does.
    else if (this.rest !== undefined) setImmediate(this.goOn);
    return isHead ? 0 : shared.sizeBytes;
  }

  /** From the answer's file as much as the kernel takes, the rest by Node, which waits for the peer. */
  private sendPieces({ head, file }: PreparedAnswer, shared: SharedResponse): void {
    const { socket } = this;
    const descriptor = file === undefined ? -1 : descriptorOf(socket);
    let skipped = file === undefined || descriptor < 0 ? 0 : file.send(descriptor);
    if (skipped === file?.sizeBytes) return;
    // Corked, head and body leave in one system call.
    socket.cork();
    for (const piece of [head, ...shared.chunks]) {
      if (skipped < piece.length) socket.write(skipped === 0 ? piece : piece.subarray(skipped));
      skipped = Math.max(0, skipped - piece.length);
    }
    socket.uncork();
  }

  /** Takes no further request; ends the connection when the request that is being answered is. */
  close(): void {
    this.isClosing = true;
    if (this.state !== 'asked') this.socket.destroySoon();
  }

  private readonly onData = (bytes: Buffer): void => {
    if (this.state === 'idle' && this.rest === undefined) this.answer(bytes);
    else this.keep(bytes);
  };

  private readonly onDrain = (): void => {
    if (this.state !== 'full') return;
    this.state = 'idle';
    this.goOn();
  };

  /** Answers what came meanwhile. */
  private readonly goOn = (): void => {
    const { rest } = this;
    if (rest === undefined || this.state !== 'idle') return;
    this.rest = undefined;
    this.answer(rest);
    if (this.rest === undefined && !this.isLeft()) this.socket.resume();
  };

  /** The peer sends no more: who waits for media then has gone, like one that closed. */
  private readonly onEnd = (): void => {
    if (this.state === 'asked') this.socket.destroy();
    else this.socket.destroySoon();
  };

  private readonly onTimeout = (): void => {
    // How long a request is held is its route's affair.
    if (this.state !== 'asked') this.socket.destroy();
  };

  private readonly onError = (): void => void this.socket.destroy();

  private readonly onClose = (): void => this.leave();

  /** Answers requests for as long as they are there whole and the peer takes the answers. */
  private answer(bytes: Buffer): void {
    let from = 0;
    while (from < bytes.length && !this.isClosing) {
      if (this.state !== 'idle') {
        this.keep(bytes.subarray(from));
        return;
      }
      const taken = this.take(bytes, from);
      if (taken === 0) {
        if (!this.isLeft()) this.handOver(bytes.subarray(from));
        return;
      }
      from += taken;
    }
  }

  private keep(bytes: Buffer): void {
    this.rest = bytes;
    this.socket.pause();
  }

  /** Gives the request at `from` to a route; returns its length, or 0 if it is not for this class. */
  private take(bytes: Buffer, from: number): number {
    const { owner, remote } = this;
    const head = readRequestHead(bytes, from, owner.headersBytesMax);
    if (head === undefined) return 0;
    const { path, query, userAgent, cmcdSession } = head;
    const request = { path, query, userAgent, cmcdSession, remote };
    this.state = 'asked';
    this.isHead = head.isHead;
    try {
      for (const route of owner.routes) {
        if (!route(request, this)) continue;
        this.noteTaken();
        this.isHeld = !this.isFree();
        return head.end - from;
      }
    } catch (error) {
      this.socket.destroy();
      owner.failed(error, path);
      return 0;
    }
    this.state = 'idle';
    return 0;
  }

  private noteTaken(): void {
    this.owner.taken();
    if (!this.isFirst) return;
    this.isFirst = false;
    this.socket.setTimeout(this.owner.keepAliveTimeoutMs);
  }

  /** Node sees what it reads and writes itself; what went past it long after the request begins the wait for the next one, too. */
  private noteActivity(): void {
    this.isHeld = false;
    this.socket.setTimeout(this.owner.keepAliveTimeoutMs);
  }

  private isFree(): boolean {
    return this.state !== 'asked';
  }

  private handOver(bytes: Buffer): void {
    const { socket, owner } = this;
    this.leave();
    socket.pause();
    socket.unshift(bytes);
    owner.handOver(socket);
    socket.resume();
  }

  private isLeft(): boolean {
    return this.state === 'left' || this.socket.destroyed;
  }

  private leave(): void {
    if (this.state === 'left') return;
    this.state = 'left';
    this.rest = undefined;
    const { socket } = this;
    socket.setTimeout(0);
    socket.off('data', this.onData).off('drain', this.onDrain).off('end', this.onEnd);
    socket.off('timeout', this.onTimeout).off('error', this.onError).off('close', this.onClose);
    this.owner.left(this);
  }
}
