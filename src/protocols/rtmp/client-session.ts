import { type AmfValue, amfObject, encodeAmf0 } from '../../containers/mod.ts';
import { assert, type MonotonicMs, ProtocolError, type SizeBytes } from '../../core/mod.ts';
import { type ChunkReaderLimits, defaultChunkReaderLimits } from './chunk-reader.ts';
import { type Command, decodeCommand, fourCcsOf, numberOf, property, stringOf } from './command.ts';
import type { RtmpCrypto } from './crypto-port.ts';
import { ClientHandshake } from './handshake.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import { mediaKind, normaliseData } from './media-message.ts';
import { ChunkStreamId, type MediaKind, MessageType, UserControlEvent } from './message.ts';
import { MessageLink, type MessageLinkOutput } from './message-link.ts';
import type { RtmpCloseReason } from './server-session.ts';

/** Effects of a client session; implemented by its owner. */
export interface RtmpClientOutput {
  /** Bytes for the server, given. */
  send(bytes: Uint8Array): void;
  /** The server accepted: `media` may be called (publish), or media follows (play). */
  started(): void;
  /** Media of the played stream. `timestamp` is the 32-bit one in ms; `body` is given. */
  media(kind: MediaKind, timestamp: number, body: Uint8Array): void;
  /** The session is over, once. A refusal by the server has its status code in `detail`. */
  closed(reason: RtmpCloseReason): void;
}

/** Where a client goes and what it does there. */
export interface RtmpClientTarget {
  readonly intent: 'publish' | 'play';
  readonly app: string;
  /** `rtmp://host:port/app`. */
  readonly tcUrl: string;
  /** The stream's name with its query, e.g. `show?key=SECRET`. */
  readonly streamKey: string;
}

/** Settings of a client session. */
export interface RtmpClientOptions extends LivenessOptions {
  readonly limits: ChunkReaderLimits;
  readonly chunkSize: SizeBytes;
  readonly windowSize: SizeBytes;
  /** `flashVer`: what the client calls itself. */
  readonly agent: string;
}

/** Options that fit a client near its server; times in ms, sizes in bytes. */
export const defaultRtmpClientOptions: RtmpClientOptions = {
  setupTimeoutMs: 10_000 as RtmpClientOptions['setupTimeoutMs'],
  pingIntervalMs: 15_000 as RtmpClientOptions['pingIntervalMs'],
  idleTimeoutMs: 60_000 as RtmpClientOptions['idleTimeoutMs'],
  limits: defaultChunkReaderLimits,
  chunkSize: 60_000 as SizeBytes,
  windowSize: 2_500_000 as SizeBytes,
  agent: 'FMLE/3.0 (compatible; Sluice)',
};

/** Where a client session stands. */
export type RtmpClientState = 'handshaking' | 'connecting' | 'creating-stream' | 'starting' | 'started' | 'closed';

const CONNECT_TRANSACTION = 1;
const CREATE_STREAM_TRANSACTION = 4;

/** The client's side of one RTMP connection: publishes or plays one stream. Call `start` when the connection is up. */
export class RtmpClientSession implements MessageLinkOutput {
  private readonly out: RtmpClientOutput;
  private readonly target: RtmpClientTarget;
  private readonly options: RtmpClientOptions;
  private readonly handshake: ClientHandshake;
  private readonly link: MessageLink;
  private readonly liveness: Liveness;
  private current: RtmpClientState = 'handshaking';
  private messageStreamId = 0;
  private fourCcs: ReadonlySet<string> = new Set();

  constructor(
    out: RtmpClientOutput,
    target: RtmpClientTarget,
    options: RtmpClientOptions,
    crypto: Pick<RtmpCrypto, 'randomBytes'>,
    now: MonotonicMs,
  ) {
    this.out = out;
    this.target = target;
    this.options = options;
    this.handshake = new ClientHandshake((bytes) => this.send(bytes), crypto);
    this.link = new MessageLink(this, this.handshake, options.limits);
    this.liveness = new Liveness(options, now);
  }

  get state(): RtmpClientState {
    return this.current;
  }

  /** The codecs that the server said it takes in Enhanced RTMP, `*` for any; empty when it knows nothing of it. */
  get serverFourCcs(): ReadonlySet<string> {
    return this.fourCcs;
  }

  /** The time at which `tick` has something to do. */
  get wakeAt(): MonotonicMs | undefined {
    return this.current === 'closed' ? undefined : this.liveness.wakeAt;
  }

  start(): void {
    this.handshake.start();
  }

  /** Takes bytes from the server, split anywhere; given, for messages may share them. Never throws for what the server sends. */
  receive(bytes: Uint8Array, now: MonotonicMs): void {
    if (this.current === 'closed') return;
    this.liveness.heard(now);
    try {
      this.link.receive(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.code, error.message);
    }
  }

  tick(now: MonotonicMs): void {
    if (this.current === 'closed') return;
    const verdict = this.liveness.check(now);
    if (verdict === 'setup-timeout') this.close('rtmp.setup-timeout', `still ${this.current} after ${this.options.setupTimeoutMs} ms`);
    else if (verdict === 'idle-timeout') this.close('rtmp.idle-timeout', `nothing came for ${this.options.idleTimeoutMs} ms`);
    else if (verdict === 'ping' && this.link.isOpen) this.link.ping(now);
  }

  /** Publishes one message: an FLV tag's body, with the timestamp in ms (taken modulo 2^32). `body` is borrowed. */
  media(kind: MediaKind, timestamp: number, body: Uint8Array): void {
    assert(this.current === 'started' && this.target.intent === 'publish', `media while ${this.current}`);
    if (kind === 'video') this.link.send(ChunkStreamId.video, MessageType.video, timestamp, this.messageStreamId, body);
    else if (kind === 'audio') this.link.send(ChunkStreamId.audio, MessageType.audio, timestamp, this.messageStreamId, body);
    else this.link.send(ChunkStreamId.data, MessageType.dataAmf0, timestamp, this.messageStreamId, body);
  }

  /** Says goodbye and ends the session; the owner flushes and ends the connection. */
  finish(): void {
    if (this.current === 'started') {
      if (this.target.intent === 'publish') this.command('FCUnpublish', 6, null, this.target.streamKey);
      this.command('deleteStream', 0, null, this.messageStreamId);
    }
    this.close('rtmp.finished', 'finished');
  }

  // The link's outputs.

  send(bytes: Uint8Array): void {
    if (this.current !== 'closed') this.out.send(bytes);
  }

  opened(): void {
    this.current = 'connecting';
    this.link.setChunkSize(this.options.chunkSize);
    this.command(
      'connect',
      CONNECT_TRANSACTION,
      amfObject({
        app: this.target.app,
        type: 'nonprivate',
        flashVer: this.options.agent,
        tcUrl: this.target.tcUrl,
        fourCcList: ['*'],
        capsEx: 0,
      }),
    );
  }

  userControl(event: number, _value: number): void {
    if (event === UserControlEvent.streamEof) this.close('rtmp.stream-ended', 'the stream is over');
  }

  message(typeId: number, timestamp: number, _messageStreamId: number, body: Uint8Array): void {
    if (this.current === 'closed') return;
    const kind = mediaKind(typeId);
    if (kind !== undefined) {
      if (this.target.intent === 'play') this.out.media(kind, timestamp, kind === 'data' ? normaliseData(typeId, body) : body);
    } else if (typeId === MessageType.commandAmf0 || typeId === MessageType.commandAmf3) {
      this.receiveCommand(decodeCommand(typeId, body));
    }
  }

  private receiveCommand(command: Command): void {
    if (command.name === 'onStatus') this.receiveStatus(command);
    else if (command.name === '_result') this.receiveResult(command);
    else if (command.name === '_error') this.receiveError(command);
  }

  private receiveResult(command: Command): void {
    if (command.transactionId === CONNECT_TRANSACTION && this.current === 'connecting') {
      this.current = 'creating-stream';
      this.fourCcs = fourCcsOf(command);
      this.link.setWindow(this.options.windowSize);
      if (this.target.intent === 'publish') {
        this.command('releaseStream', 2, null, this.target.streamKey);
        this.command('FCPublish', 3, null, this.target.streamKey);
      }
      this.command('createStream', CREATE_STREAM_TRANSACTION, null);
    } else if (command.transactionId === CREATE_STREAM_TRANSACTION && this.current === 'creating-stream') {
      this.messageStreamId = numberOf(command.arguments[0]) ?? 1;
      this.current = 'starting';
      this.begin();
    }
  }

  private begin(): void {
    const body =
      this.target.intent === 'publish'
        ? encodeAmf0('publish', 5, null, this.target.streamKey, 'live')
        : encodeAmf0('play', 5, null, this.target.streamKey, -2_000);
    this.link.send(ChunkStreamId.status, MessageType.commandAmf0, 0, this.messageStreamId, body);
  }

  private receiveError(command: Command): void {
    if (command.transactionId !== CONNECT_TRANSACTION && command.transactionId !== CREATE_STREAM_TRANSACTION) return;
    const information = command.arguments[0];
    this.close(
      'rtmp.refused',
      `${stringOf(property(information, 'code')) ?? '_error'}: ${stringOf(property(information, 'description')) ?? ''}`,
    );
  }

  private receiveStatus(command: Command): void {
    const information = command.arguments[0];
    const code = stringOf(property(information, 'code')) ?? '';
    const description = stringOf(property(information, 'description')) ?? '';
    if (property(information, 'level') === 'error') this.close('rtmp.refused', `${code}: ${description}`);
    else if (code === 'NetStream.Play.UnpublishNotify' || code === 'NetStream.Unpublish.Success')
      this.close('rtmp.stream-ended', description);
    else if (this.current === 'starting' && (code === 'NetStream.Publish.Start' || code === 'NetStream.Play.Start')) {
      this.current = 'started';
      this.liveness.settled();
      this.out.started();
    }
  }

  private command(name: string, transactionId: number, ...values: readonly AmfValue[]): void {
    const body = encodeAmf0(name, transactionId, ...values);
    this.link.send(ChunkStreamId.command, MessageType.commandAmf0, 0, 0, body);
  }

  private close(code: string, detail: string): void {
    if (this.current === 'closed') return;
    this.current = 'closed';
    this.out.closed({ code, detail });
  }
}
