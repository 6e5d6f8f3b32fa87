import { durationMs, monotonicMs, type StreamRef } from '../../core/mod.ts';
import { defaultRtmpClientOptions, RtmpClientSession, type RtmpClientTarget } from './client-session.ts';
import type { RtmpCrypto } from './crypto-port.ts';
import { defaultRtmpServerOptions, type RtmpCloseReason, RtmpServerSession } from './server-session.ts';
import type { RtmpCredential } from './stream-address.ts';

export const testCrypto: RtmpCrypto = {
  hmacSha256: () => new Uint8Array(32),
  randomBytes: (size) => Uint8Array.from({ length: size }, (_, index) => index & 255),
};

export type MediaEvent = readonly [kind: string, timestamp: number, length: number];

/** A client and a server session joined by two queues of bytes; `run` moves them in pieces of `pieceSize`. */
export class SessionPair {
  readonly server: RtmpServerSession;
  readonly client: RtmpClientSession;
  readonly requests: { ref: StreamRef; credential: RtmpCredential; intent: string }[] = [];
  readonly serverMedia: MediaEvent[] = [];
  readonly clientMedia: MediaEvent[] = [];
  readonly events: string[] = [];
  serverClosed: RtmpCloseReason | undefined;
  clientClosed: RtmpCloseReason | undefined;
  /** Answers a request; replaced by tests of refusals. */
  answer: (intent: 'publish' | 'play') => void = (intent) =>
    intent === 'publish' ? this.server.acceptPublish() : this.server.acceptPlay();
  private readonly toServer: Uint8Array[] = [];
  private readonly toClient: Uint8Array[] = [];
  private readonly pieceSize: number;
  now = monotonicMs(1000);

  constructor(target: Partial<RtmpClientTarget>, pieceSize = 100_000) {
    this.pieceSize = pieceSize;
    this.server = new RtmpServerSession(
      {
        send: (bytes) => this.toClient.push(bytes),
        publishRequested: (ref, credential) => this.requested('publish', ref, credential),
        playRequested: (ref, credential) => this.requested('play', ref, credential),
        media: (kind, timestamp, body) => this.serverMedia.push([kind, timestamp, body.length]),
        publishEnded: () => this.events.push('publishEnded'),
        playEnded: () => this.events.push('playEnded'),
        closed: (reason) => {
          this.serverClosed = reason;
        },
      },
      defaultRtmpServerOptions,
      testCrypto,
      this.now,
    );
    this.client = new RtmpClientSession(
      {
        send: (bytes) => this.toServer.push(bytes),
        started: () => this.events.push('started'),
        media: (kind, timestamp, body) => this.clientMedia.push([kind, timestamp, body.length]),
        closed: (reason) => {
          this.clientClosed = reason;
        },
      },
      { intent: 'publish', app: 'live', tcUrl: 'rtmp://localhost/live', streamKey: 'show', ...target },
      { ...defaultRtmpClientOptions, idleTimeoutMs: durationMs(600_000) },
      testCrypto,
      this.now,
    );
    this.client.start();
  }

  /** Bytes written to the viewer besides the session's own. */
  sendToClient(bytes: Uint8Array): void {
    this.toClient.push(bytes);
  }

  run(): void {
    while (this.toServer.length > 0 || this.toClient.length > 0) {
      this.deliver(this.toServer, (bytes) => this.server.receive(bytes, this.now));
      this.deliver(this.toClient, (bytes) => this.client.receive(bytes, this.now));
    }
  }

  private deliver(queue: Uint8Array[], receive: (bytes: Uint8Array) => void): void {
    const bytes = Uint8Array.from(queue.splice(0).flatMap((piece) => [...piece]));
    for (let at = 0; at < bytes.length; at += this.pieceSize) receive(bytes.subarray(at, at + this.pieceSize));
  }

  private requested(intent: 'publish' | 'play', ref: StreamRef, credential: RtmpCredential): void {
    this.requests.push({ ref, credential, intent });
    this.answer(intent);
  }
}
