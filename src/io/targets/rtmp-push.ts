import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { durationMs, type MonotonicMs } from '../../core/mod.ts';
import { FramesToRtmp } from '../../gateways/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import { defaultRtmpClientOptions, RtmpClientSession, type RtmpCloseReason } from '../../protocols/rtmp/mod.ts';
import { enhancedRefusal, type RtmpPlace, type TargetReason } from '../../targets/mod.ts';
import type { Clock } from '../clock.ts';
import { nodeRtmpCrypto } from '../rtmp/mod.ts';
import { certificateReason, type TargetAddress } from './target-address.ts';
import type { TargetConnection, TargetConnectionListener } from './target-connection.ts';

export interface RtmpPushOptions {
  readonly address: TargetAddress;
  readonly isEncrypted: boolean;
  readonly place: RtmpPlace;
  /** Certificates (PEM) that are trusted beside the well-known ones. */
  readonly trusted: readonly string[];
  readonly tracks: readonly Track[];
  readonly clock: Clock;
}

const PORT = 1935;
const PORT_TLS = 443;
const FINISH_MS_MAX = 2_000;
/** Some servers say nothing between acknowledgements, which are far apart at low bit rates, and answer no pings. */
const IDLE_MS_MAX = durationMs(300_000);

/** Publishes to an RTMP server from this very process: a socket and one copy of each frame, where a child would cost 60 MB. */
export class RtmpPush implements TargetConnection {
  private readonly options: RtmpPushOptions;
  private readonly listener: TargetConnectionListener;
  private readonly socket: Socket;
  private readonly session: RtmpClientSession;
  private readonly frames: FramesToRtmp;
  private sent: readonly Track[];
  private isOver = false;

  constructor(options: RtmpPushOptions, listener: TargetConnectionListener) {
    const { place, clock, tracks } = options;
    this.options = options;
    this.listener = listener;
    this.sent = tracks;
    this.session = new RtmpClientSession(
      {
        send: (bytes) => this.write(bytes),
        started: () => this.started(),
        media: () => undefined,
        closed: (reason) => this.closed(reason),
      },
      { intent: 'publish', ...place },
      { ...defaultRtmpClientOptions, idleTimeoutMs: IDLE_MS_MAX },
      nodeRtmpCrypto,
      clock.monotonic(),
    );
    this.frames = new FramesToRtmp({ media: (kind, timestamp, body) => this.session.media(kind, timestamp, body) });
    this.frames.tracks(tracks);
    this.socket = this.connect();
  }

  get backlogBytes(): number {
    return this.socket.writableLength;
  }

  get sentBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  tracks(tracks: readonly Track[]): boolean {
    if (tracks.length !== this.sent.length || tracks.some((track, index) => track.codec !== this.sent[index]?.codec)) return false;
    this.sent = tracks;
    this.frames.tracks(tracks);
    return true;
  }

  frame(frame: Frame): void {
    if (this.session.state !== 'started') return;
    // One write a frame, however many chunks and messages.
    this.socket.cork();
    this.frames.frame(frame);
    this.socket.uncork();
  }

  tick(now: MonotonicMs): void {
    if ((this.session.wakeAt ?? Number.POSITIVE_INFINITY) <= now) this.session.tick(now);
  }

  async finish(): Promise<void> {
    this.isOver = true;
    if (this.socket.destroyed) return;
    this.session.finish();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.socket.destroy(), FINISH_MS_MAX);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.socket.resume().end();
    });
  }

  destroy(): void {
    this.isOver = true;
    this.socket.destroy();
  }

  private connect(): Socket {
    const { address, isEncrypted, trusted } = this.options;
    const port = address.port ?? (isEncrypted ? PORT_TLS : PORT);
    // Connected to by address, as judged; the certificate has to be the name's.
    const name = isIP(address.host) === 0 ? { servername: address.host } : {};
    const socket = isEncrypted
      ? connectTls({ host: address.ip, port, ...name, ...(trusted.length === 0 ? {} : { ca: [...trusted] }) })
      : connectTcp({ host: address.ip, port });
    socket.setNoDelay(true);
    socket.once(isEncrypted ? 'secureConnect' : 'connect', () => this.session.start());
    socket.on('data', (bytes: Buffer) => this.received(bytes));
    socket.once('error', (error: NodeJS.ErrnoException) => this.end(socketReason(error), false));
    socket.once('close', () => this.end({ code: 'targets.peer-closed', message: 'the target closed the connection' }, false));
    return socket;
  }

  private received(bytes: Buffer): void {
    // Pure rooms take plain arrays: a Buffer's own methods differ.
    this.session.receive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), this.options.clock.monotonic());
  }

  private write(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  private started(): void {
    const refusal = enhancedRefusal(this.sent, this.session.serverFourCcs);
    if (refusal === undefined) {
      if (!this.isOver) this.listener.connected();
      return;
    }
    this.session.finish();
    this.end(refusal, true);
  }

  private closed({ code, detail }: RtmpCloseReason): void {
    this.end({ code: code === 'rtmp.refused' ? 'targets.peer-refused' : 'targets.protocol', message: detail }, false);
  }

  private end(reason: TargetReason, isFinal: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.socket.end();
    this.socket.destroySoon();
    this.listener.ended(reason, isFinal);
  }
}

function socketReason({ code = '', message }: NodeJS.ErrnoException): TargetReason {
  return certificateReason(code, message) ?? { code: 'targets.connect', message };
}
