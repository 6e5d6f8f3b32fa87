import { type AmfValue, amfObject, encodeAmf0, isAmfObject } from '../../containers/mod.ts';
import { assert, type MonotonicMs, ProtocolError, type SizeBytes, SluiceError, type StreamRef, streamRef } from '../../core/mod.ts';
import { type ChunkReaderLimits, defaultChunkReaderLimits } from './chunk-reader.ts';
import { type Command, decodeCommand, property, stringOf } from './command.ts';
import { canReconnect, connectInformation, connectProperties } from './connect-answer.ts';
import type { RtmpCrypto } from './crypto-port.ts';
import { ServerHandshake } from './handshake.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import { mediaKind, normaliseData } from './media-message.ts';
import { ChunkStreamId, type MediaKind, MessageType, UserControlEvent } from './message.ts';
import { MessageLink, type MessageLinkOutput } from './message-link.ts';
import { statusBody } from './status.ts';
import { type AppAddress, parseApp, parseStreamKey, type RtmpCredential } from './stream-address.ts';

/** Why a session is over; `code` is stable (`rtmp.…`, `amf.…`, `core.…`), `detail` is for people. */
export interface RtmpCloseReason {
  readonly code: string;
  readonly detail: string;
}

/** Effects of a server session; implemented by its owner. */
export interface RtmpServerOutput {
  /** Bytes for the peer, given. */
  send(bytes: Uint8Array): void;
  /** A peer wants to publish. The owner answers, now or later, by `acceptPublish` or `refuse`; media that comes before is dropped. */
  publishRequested(ref: StreamRef, credential: RtmpCredential): void;
  /** A peer wants to play. The owner answers by `acceptPlay` or `refuse`. */
  playRequested(ref: StreamRef, credential: RtmpCredential): void;
  /** Media of the accepted publication. `timestamp` is the 32-bit one in ms; `body` is given; `data` is AMF0 without `@setDataFrame`. */
  media(kind: MediaKind, timestamp: number, body: Uint8Array): void;
  /** The publisher said goodbye; the connection stays. */
  publishEnded(): void;
  /** The viewer stopped; the connection stays. */
  playEnded(): void;
  /** The session is over, once; what was sent should be flushed and the connection ended. */
  closed(reason: RtmpCloseReason): void;
}

/** Settings of a server session. */
export interface RtmpServerOptions extends LivenessOptions {
  readonly limits: ChunkReaderLimits;
  /** The longest message before a publication is accepted. */
  readonly setupMessageSizeMax: SizeBytes;
  /** Chunk size of what the server sends. */
  readonly chunkSize: SizeBytes;
  readonly windowSize: SizeBytes;
}

/** Where a session stands; `…-requested` waits for the owner's answer. */
export type RtmpServerState =
  | 'handshaking'
  | 'connecting'
  | 'connected'
  | 'publish-requested'
  | 'publishing'
  | 'play-requested'
  | 'playing'
  | 'closed';

/** Codes a publish or play is refused with (NetStream.…). */
export type RefusalStatus =
  | 'NetStream.Publish.BadName'
  | 'NetStream.Publish.Denied'
  | 'NetStream.Play.StreamNotFound'
  | 'NetStream.Play.Failed';

/** The one message stream of a connection: a connection publishes or plays one stream at a time, as all encoders and players do. */
export const SERVER_MESSAGE_STREAM_ID = 1;

/** The server's side of one RTMP connection. Created when the connection is; `closed` is its last output. */
export class RtmpServerSession implements MessageLinkOutput {
  private readonly out: RtmpServerOutput;
  private readonly options: RtmpServerOptions;
  private readonly limits: ChunkReaderLimits;
  private readonly link: MessageLink;
  private readonly liveness: Liveness;
  private current: RtmpServerState = 'handshaking';
  private address: AppAddress | undefined = undefined;
  private streamName = '';
  private flashVersion = '';
  private isReconnecting = false;
  /** What a client is refused with that was asked to connect elsewhere and stays. */
  private parting: readonly [code: RefusalStatus, description: string, closeCode: string] | undefined = undefined;

  constructor(out: RtmpServerOutput, options: RtmpServerOptions, crypto: RtmpCrypto, now: MonotonicMs) {
    this.out = out;
    this.options = options;
    this.limits = { ...options.limits, messageSizeMax: Math.min(options.setupMessageSizeMax, options.limits.messageSizeMax) };
    this.link = new MessageLink(this, new ServerHandshake((bytes) => this.send(bytes), crypto), this.limits);
    this.liveness = new Liveness(options, now);
  }

  get state(): RtmpServerState {
    return this.current;
  }

  /** What the peer calls itself (`flashVer`), e.g. `FMLE/3.0 (compatible; Lavf61.1.100)`; may be empty. */
  get agent(): string {
    return this.flashVersion;
  }

  get bytesReceived(): number {
    return this.link.bytesReceived;
  }

  /** The time at which `tick` has something to do. */
  get wakeAt(): MonotonicMs | undefined {
    return this.current === 'closed' ? undefined : this.liveness.wakeAt;
  }

  /** Takes bytes from the peer, split anywhere; given, for messages may share them. Never throws for what the peer sends. */
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
    if (verdict === 'idle-timeout') this.close('rtmp.idle-timeout', `nothing came for ${this.options.idleTimeoutMs} ms`);
    // A play that is not answered yet is the owner's business.
    else if (verdict === 'setup-timeout' && this.parting !== undefined) this.refuse(...this.parting);
    else if (verdict === 'setup-timeout' && this.current !== 'play-requested') this.closeUnsettled();
    else if (verdict === 'ping' && this.link.isOpen) this.link.ping(now);
  }

  /** Lets the requested publication begin. */
  acceptPublish(): void {
    assert(this.current === 'publish-requested', `acceptPublish while ${this.current}`);
    this.current = 'publishing';
    this.limits.messageSizeMax = this.options.limits.messageSizeMax;
    this.liveness.settled();
    this.link.sendUserControl(UserControlEvent.streamBegin, SERVER_MESSAGE_STREAM_ID);
    this.status('status', 'NetStream.Publish.Start', `${this.streamName} is now published`);
  }

  /** Lets the requested play begin: from here on the owner may write media chunks on message stream 1 to the connection. */
  acceptPlay(): void {
    assert(this.current === 'play-requested', `acceptPlay while ${this.current}`);
    this.current = 'playing';
    this.liveness.settled();
    this.link.sendUserControl(UserControlEvent.streamBegin, SERVER_MESSAGE_STREAM_ID);
    this.status('status', 'NetStream.Play.Reset', `playing and resetting ${this.streamName}`);
    this.status('status', 'NetStream.Play.Start', `started playing ${this.streamName}`);
    // Flash players wait for it before they show picture and sound.
    this.link.send(ChunkStreamId.data, MessageType.dataAmf0, 0, SERVER_MESSAGE_STREAM_ID, encodeAmf0('|RtmpSampleAccess', true, true));
  }

  /** Refuses what was requested, or ends what was accepted, with an error status, and closes the session with `closeCode`. */
  refuse(code: RefusalStatus, description: string, closeCode: string): void {
    if (this.current === 'closed') return;
    this.status('error', code, description);
    this.close(closeCode, description);
  }

  /** Whether the peer connects anew when it is asked to. */
  get canReconnect(): boolean {
    return this.isReconnecting;
  }

  /**
   * Asks the peer to connect to `tcUrl` (`rtmp://HOST:PORT/APP`) and to go on there, when it suits it (Enhanced RTMP v2, "Reconnect Request"). What it does
   * here goes on until it leaves. False: it does not know such requests, or is not connected.
   */
  requestReconnect(tcUrl: string, description: string): boolean {
    if (!this.isReconnecting || this.address === undefined || this.current === 'closed') return false;
    const information = amfObject({ level: 'status', code: 'NetConnection.Connect.ReconnectRequest', tcUrl, description });
    this.link.send(ChunkStreamId.command, MessageType.commandAmf0, 0, 0, encodeAmf0('onStatus', 0, null, information));
    return true;
  }

  /**
   * Refuses what was requested because it is to be had at `tcUrl`. A peer that knows reconnect requests gets one, and the refusal only if it stays for as long
   * as a session may be without a publication or a play.
   */
  sendAway(tcUrl: string, code: RefusalStatus, description: string, closeCode: string): void {
    if (this.requestReconnect(tcUrl, description)) this.parting = [code, description, closeCode];
    else this.refuse(code, description, closeCode);
  }

  /** Tells a publisher that its publication is over, and closes the session with `closeCode`. */
  unpublish(description: string, closeCode: string): void {
    if (this.current === 'closed') return;
    if (this.current === 'publishing') this.status('status', 'NetStream.Unpublish.Success', description);
    this.close(closeCode, description);
  }

  /** Tells a viewer that the stream is over, and closes the session with `closeCode`. */
  endPlay(description: string, closeCode: string): void {
    if (this.current === 'closed') return;
    if (this.current === 'playing') {
      this.link.sendUserControl(UserControlEvent.streamEof, SERVER_MESSAGE_STREAM_ID);
      this.status('status', 'NetStream.Play.UnpublishNotify', description);
    }
    this.close(closeCode, description);
  }

  /** Ends the session; the owner flushes and ends the connection. */
  close(code: string, detail: string): void {
    if (this.current === 'closed') return;
    this.current = 'closed';
    this.out.closed({ code, detail });
  }

  // The link's outputs.

  send(bytes: Uint8Array): void {
    if (this.current !== 'closed') this.out.send(bytes);
  }

  opened(): void {
    this.current = 'connecting';
  }

  userControl(_event: number, _value: number): void {
    // Set Buffer Length is the only event a client sends besides pings; a live server has no use for it.
  }

  message(typeId: number, timestamp: number, _messageStreamId: number, body: Uint8Array): void {
    if (this.current === 'closed') return;
    const kind = mediaKind(typeId);
    if (kind !== undefined) {
      if (this.current === 'publishing') this.out.media(kind, timestamp, kind === 'data' ? normaliseData(typeId, body) : body);
    } else if (typeId === MessageType.commandAmf0 || typeId === MessageType.commandAmf3) {
      this.command(decodeCommand(typeId, body));
    }
    // Shared objects (16, 19) and unknown types are not Sluice's business.
  }

  private command(command: Command): void {
    switch (command.name) {
      case 'connect':
        this.connect(command);
        break;
      case 'createStream':
        this.createStream(command);
        break;
      case 'publish':
        this.publish(command);
        break;
      case 'play':
      case 'play2':
        this.play(command);
        break;
      case 'FCPublish':
        this.result(command);
        this.invoke('onFCPublish', 'NetStream.Publish.Start', (stringOf(command.arguments[0]) ?? '').slice(0, 64));
        break;
      case 'FCUnpublish':
        this.invoke('onFCUnpublish', 'NetStream.Unpublish.Success', this.streamName);
        this.result(command);
        this.endPublication();
        break;
      case 'deleteStream':
      case 'closeStream':
        this.endStream();
        break;
      case 'getStreamLength':
        // A live stream has no length.
        this.result(command, 0);
        break;
      case 'releaseStream':
      case 'FCSubscribe':
      case '_checkbw':
        this.result(command);
        break;
      case 'pause':
      case 'pauseRaw':
      case 'seek':
      case 'receiveAudio':
      case 'receiveVideo':
      case '_result':
      case '_error':
      case 'onStatus':
        break;
      default:
        this.error(command, 'NetConnection.Call.Failed', `method ${JSON.stringify(command.name.slice(0, 64))} is not known`);
        break;
    }
  }

  private connect(command: Command): void {
    if (this.current !== 'connecting') {
      this.error(command, 'NetConnection.Connect.Rejected', 'connect came twice');
      this.close('rtmp.connect-twice', 'a second connect command on one connection');
      return;
    }
    const parameters = command.object;
    const address = parseApp(stringOf(property(parameters, 'app')) ?? '', stringOf(property(parameters, 'tcUrl')) ?? '');
    try {
      // Checks the app's half of the name alone.
      streamRef(address.app, 'any');
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.error(command, 'NetConnection.Connect.InvalidApp', error.message);
      this.close('rtmp.bad-app', error.message);
      return;
    }
    this.address = address;
    this.flashVersion = (stringOf(property(parameters, 'flashVer')) ?? '').slice(0, 128);
    this.isReconnecting = canReconnect(parameters);
    this.current = 'connected';
    this.link.setWindow(this.options.windowSize);
    this.link.setChunkSize(this.options.chunkSize);
    this.reply('_result', command.transactionId, connectProperties(parameters), connectInformation(parameters));
  }

  private createStream(command: Command): void {
    if (this.current === 'connected') {
      this.result(command, SERVER_MESSAGE_STREAM_ID);
      return;
    }
    this.error(command, 'NetConnection.Call.Failed', `createStream while ${this.current}: one stream at a time on a connection`);
    if (this.current === 'connecting') this.close('rtmp.not-connected', 'createStream before connect');
  }

  private publish(command: Command): void {
    const ref = this.requestedStream(command, 'publish', 'NetStream.Publish.BadName');
    if (ref === undefined) return;
    this.current = 'publish-requested';
    this.out.publishRequested(ref.ref, ref.credential);
  }

  private play(command: Command): void {
    const ref = this.requestedStream(command, 'play', 'NetStream.Play.StreamNotFound');
    if (ref === undefined) return;
    this.current = 'play-requested';
    this.out.playRequested(ref.ref, ref.credential);
  }

  private requestedStream(
    command: Command,
    what: string,
    badName: RefusalStatus,
  ): { readonly ref: StreamRef; readonly credential: RtmpCredential } | undefined {
    if (this.address === undefined || this.current !== 'connected') {
      this.refuse(badName, `${what} while ${this.current}`, 'rtmp.command-out-of-order');
      return undefined;
    }
    // play2 names its stream within an object of NetStreamPlayOptions.
    const argument = command.arguments[0];
    const streamKey = stringOf(isAmfObject(argument) ? property(argument, 'streamName') : argument) ?? '';
    const { name, credential } = parseStreamKey(this.address, streamKey);
    try {
      const ref = streamRef(this.address.app, name);
      this.streamName = name;
      return { ref, credential };
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.refuse(badName, error.message, 'rtmp.bad-stream-name');
      return undefined;
    }
  }

  private endStream(): void {
    this.endPublication();
    if (this.current !== 'playing' && this.current !== 'play-requested') return;
    this.unsettle();
    this.out.playEnded();
  }

  private endPublication(): void {
    if (this.current !== 'publishing' && this.current !== 'publish-requested') return;
    const wasPublishing = this.current === 'publishing';
    this.unsettle();
    if (!wasPublishing) return;
    this.status('status', 'NetStream.Unpublish.Success', `${this.streamName} is no longer published`);
    this.out.publishEnded();
  }

  private unsettle(): void {
    this.current = 'connected';
    this.limits.messageSizeMax = Math.min(this.options.setupMessageSizeMax, this.options.limits.messageSizeMax);
    this.liveness.unsettled();
  }

  private closeUnsettled(): void {
    const code = this.current === 'handshaking' ? 'rtmp.handshake-timeout' : 'rtmp.setup-timeout';
    this.close(code, `still ${this.current} after ${this.options.setupTimeoutMs} ms: neither publishing nor playing`);
  }

  private result(command: Command, ...value: readonly AmfValue[]): void {
    if (command.transactionId !== 0) this.reply('_result', command.transactionId, null, ...value);
  }

  private error(command: Command, code: string, description: string): void {
    if (command.transactionId !== 0) this.reply('_error', command.transactionId, null, amfObject({ level: 'error', code, description }));
  }

  private reply(name: '_result' | '_error', transactionId: number, ...values: readonly AmfValue[]): void {
    this.link.send(ChunkStreamId.command, MessageType.commandAmf0, 0, 0, encodeAmf0(name, transactionId, ...values));
  }

  private invoke(name: string, code: string, description: string): void {
    const body = encodeAmf0(name, 0, null, amfObject({ level: 'status', code, description }));
    this.link.send(ChunkStreamId.command, MessageType.commandAmf0, 0, 0, body);
  }

  private status(level: 'status' | 'error', code: string, description: string): void {
    this.link.send(ChunkStreamId.status, MessageType.commandAmf0, 0, SERVER_MESSAGE_STREAM_ID, statusBody(level, code, description));
  }
}

/** Options that fit publishers and players on the open Internet; times in ms, sizes in bytes. */
export const defaultRtmpServerOptions: RtmpServerOptions = {
  setupTimeoutMs: 10_000 as RtmpServerOptions['setupTimeoutMs'],
  pingIntervalMs: 15_000 as RtmpServerOptions['pingIntervalMs'],
  idleTimeoutMs: 30_000 as RtmpServerOptions['idleTimeoutMs'],
  limits: defaultChunkReaderLimits,
  setupMessageSizeMax: 65_536 as SizeBytes,
  chunkSize: 60_000 as SizeBytes,
  windowSize: 2_500_000 as SizeBytes,
};
