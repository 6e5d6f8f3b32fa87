import type { Socket } from 'node:net';
import type pino from 'pino';
import { type AccessDecision, type AccessGate, type AccessRequest, type AdmittedSessions, refusalText } from '../../access/mod.ts';
import type { MonotonicMs, StreamRef } from '../../core/mod.ts';
import { RtmpToHub } from '../../gateways/mod.ts';
import type { Eviction, Hub, LiveStream, Publication, SourceListener } from '../../hub/mod.ts';
import {
  type MediaKind,
  type RtmpCloseReason,
  type RtmpCredential,
  type RtmpServerOptions,
  type RtmpServerOutput,
  RtmpServerSession,
} from '../../protocols/rtmp/mod.ts';
import type { Clock } from '../clock.ts';
import type { BringStream } from '../stream-door.ts';
import type { StreamViewers } from '../stream-viewers.ts';
import { nodeRtmpCrypto } from './node-crypto.ts';
import type { ReadCoalescer } from './read-coalescer.ts';

/** Another place for an RTMP client. */
export interface RtmpElsewhere {
  /** `rtmp://HOST:PORT/APP`; absent: nobody can take it. */
  readonly tcUrl?: string;
}

/** Says where clients belong. */
export interface RtmpPlaces {
  /** Undefined: here. `address` is the client's IP address. */
  elsewhere(intent: 'publish' | 'play', ref: StreamRef, address: string): RtmpElsewhere | undefined;
}

/** What all connections of a listener share. */
export interface RtmpConnectionContext {
  readonly hub: Hub;
  /** Brings a stream that is not here; without it, none is waited for. */
  readonly bring: BringStream | undefined;
  /** Without it, everybody is served here. */
  readonly places: RtmpPlaces | undefined;
  readonly access: AccessGate;
  /** Sessions that can be ended by what let them in; without it, they cannot. */
  readonly admitted: AdmittedSessions | undefined;
  /** What a second publisher of a live stream gets. */
  readonly secondPublisher: (app: string) => 'reject' | 'takeover';
  readonly viewers: StreamViewers;
  readonly session: RtmpServerOptions;
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly coalescer: ReadCoalescer;
  /** Whether reads are worth coalescing now. */
  readonly isBusy: () => boolean;
  /** Told once for each connection. */
  readonly closed: (code: string) => void;
}

/** Answers to commands that a peer does not read; a viewer's media is bounded by its broadcaster. */
const ANSWER_BYTES_MAX = 256 * 1024;
/** How long a closed session's last words may take to leave. */
const FLUSH_MS_MAX = 5_000;

const EVICTED: Readonly<Record<Eviction, string>> = {
  deleted: 'the stream was ended by the operator',
  'taken-over': 'another publisher took the stream over',
  'over-limit': 'the publishers of the app send more than they may: lower the bitrate',
};

/** One accepted socket with its session: publishes into the hub or plays from it. */
export class RtmpConnection implements RtmpServerOutput, SourceListener {
  readonly address: string;
  private readonly socket: Socket;
  private readonly context: RtmpConnectionContext;
  private readonly session: RtmpServerSession;
  private ref: StreamRef | undefined = undefined;
  private publication: Publication | undefined = undefined;
  private toHub: RtmpToHub | undefined = undefined;
  private leave: (() => void) | undefined = undefined;
  /** A stream that is asked for and on its way: to be aborted by whoever stops waiting for it. */
  private awaited: AbortController | undefined = undefined;
  private flushBy: number | undefined = undefined;
  private letInBy: string | undefined = undefined;
  private noMoreAdmitted: () => void = () => undefined;

  constructor(socket: Socket, address: string, context: RtmpConnectionContext) {
    this.socket = socket;
    this.address = address;
    this.context = context;
    this.session = new RtmpServerSession(this, context.session, nodeRtmpCrypto, context.clock.monotonic());
    // A reset is followed by `close`, where it is dealt with.
    socket.on('error', (error) => this.session.close('rtmp.socket', error.message));
    socket.on('data', (bytes: Buffer) => this.guard(() => this.received(bytes)));
    socket.on('close', () => this.guard(() => this.gone()));
  }

  get role(): 'publisher' | 'viewer' | undefined {
    if (this.publication !== undefined) return 'publisher';
    return this.leave === undefined ? undefined : 'viewer';
  }

  get bytesReceived(): number {
    return this.session.bytesReceived;
  }

  tick(now: MonotonicMs): void {
    this.guard(() => {
      if ((this.session.wakeAt ?? Number.POSITIVE_INFINITY) <= now) this.session.tick(now);
      if (this.flushBy !== undefined && now >= this.flushBy) this.socket.destroy();
    });
  }

  /** Asks a publisher to go on at another node, as far as it understands that. */
  move(places: RtmpPlaces): boolean {
    const { publication, ref } = this;
    if (publication === undefined || ref === undefined || !this.session.canReconnect) return false;
    const { tcUrl } = places.elsewhere('publish', ref, this.address) ?? {};
    if (tcUrl === undefined || !this.session.requestReconnect(tcUrl, 'this node is to end: publish to another one')) return false;
    this.context.log.info(
      { code: 'rtmp.publisher-moved', stream: ref.path, remote: this.address, to: tcUrl },
      'asked the publisher to reconnect',
    );
    return true;
  }

  /** Says goodbye because the server stops. */
  shutDown(): void {
    this.guard(() => {
      if (this.publication === undefined) this.session.endPlay('the server is stopping', 'rtmp.server-stopping');
      else this.session.unpublish('the server is stopping', 'rtmp.server-stopping');
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  evicted(reason: Eviction): void {
    this.publication = undefined;
    this.session.unpublish(EVICTED[reason], `rtmp.${reason}`);
  }

  // The session's outputs.

  send(bytes: Uint8Array): void {
    if (this.socket.destroyed) return;
    this.socket.write(bytes);
    if (this.leave === undefined && this.socket.writableLength > ANSWER_BYTES_MAX) {
      this.session.close('rtmp.answers-unread', `more than ${ANSWER_BYTES_MAX} bytes of answers are unread`);
      this.socket.destroy();
    }
  }

  publishRequested(ref: StreamRef, credential: RtmpCredential): void {
    this.ref = ref;
    if (this.sentAway('publish', ref)) return;
    this.context.access.admit(this.accessRequest('publish', ref, credential), (decision) =>
      this.decided('publish-requested', ref, decision, () => this.publish(ref)),
    );
  }

  private accessRequest(act: AccessRequest['act'], ref: StreamRef, credential: RtmpCredential): AccessRequest {
    this.letInBy = undefined;
    const letInBy = (by: string): void => {
      if (this.ref === ref) this.letInBy = by;
    };
    return { act, ref, credential, address: this.address, protocol: 'rtmp', letInBy };
  }

  /** The session has begun that was asked for. */
  private noteAdmitted(): void {
    this.noMoreAdmitted();
    this.noMoreAdmitted = this.context.admitted?.begin(this.letInBy, () => this.withdraw()) ?? this.noMoreAdmitted;
  }

  /** What let it in counts no more, and neither does what it began. */
  private withdraw(): void {
    this.guard(() => {
      const { publication } = this;
      this.publication = undefined;
      publication?.finish(this.context.clock.monotonic());
      const [text, code] = ['the key or token of this session was withdrawn', 'rtmp.access-withdrawn'] as const;
      if (publication === undefined) this.session.endPlay(text, code);
      else this.session.unpublish(text, code);
    });
  }

  /** Goes on, or says why not; not at all with a client that did not wait, or has asked for something else since. */
  private decided(state: 'publish-requested' | 'play-requested', ref: StreamRef, decision: AccessDecision, goOn: () => void): void {
    this.guard(() => {
      if (this.session.state !== state || this.ref !== ref) return;
      if (decision === 'allowed') {
        goOn();
        return;
      }
      const status = state === 'publish-requested' ? 'NetStream.Publish.Denied' : 'NetStream.Play.Failed';
      this.session.refuse(status, refusalText(decision), `rtmp.${decision.refused}`);
    });
  }

  private publish(ref: StreamRef): void {
    const { hub, clock, log } = this.context;
    const now = clock.monotonic();
    const wall = clock.wall();
    const publisher = { protocol: 'rtmp', address: this.address, agent: this.session.agent } as const;
    const publication = hub.publish(ref, publisher, this, this.context.secondPublisher(ref.app), now, wall);
    if (publication === 'stream-taken') {
      this.session.refuse('NetStream.Publish.BadName', `${ref.path} is already being published`, 'rtmp.stream-taken');
      return;
    }
    if (publication === 'too-many-streams') {
      this.session.refuse('NetStream.Publish.Denied', 'the server has as many streams as it may', 'rtmp.too-many-streams');
      return;
    }
    this.publication = publication;
    this.toHub = new RtmpToHub(
      publication,
      (code, message) => log.warn({ code, stream: ref.path, remote: this.address }, message),
      now,
      wall,
    );
    this.session.acceptPublish();
    log.info({ code: 'rtmp.published', stream: ref.path, remote: this.address, agent: publisher.agent }, 'RTMP publisher started');
    this.noteAdmitted();
  }

  playRequested(ref: StreamRef, credential: RtmpCredential): void {
    this.ref = ref;
    if (this.sentAway('play', ref)) return;
    this.context.access.admit(this.accessRequest('play', ref, credential), (decision) =>
      this.decided('play-requested', ref, decision, () => this.seek(ref)),
    );
  }

  private seek(ref: StreamRef): void {
    const stream = this.context.hub.stream(ref.path);
    if (stream !== undefined) {
      this.play(stream);
      return;
    }
    const gone = new AbortController();
    const brought = this.context.bring?.(ref, gone.signal);
    if (brought === undefined) {
      this.session.refuse('NetStream.Play.StreamNotFound', `${ref.path} is not live`, 'rtmp.stream-not-found');
      return;
    }
    this.awaited = gone;
    void brought.then((arrived) => this.guard(() => this.arrived(ref, arrived, gone)));
  }

  /** A stream that was waited for is here, or did not come in time. */
  private arrived(ref: StreamRef, stream: LiveStream | undefined, gone: AbortController): void {
    if (this.awaited !== gone) return;
    this.awaited = undefined;
    if (stream !== undefined) this.play(stream);
    else this.session.refuse('NetStream.Play.StreamNotFound', `the source of ${ref.path} did not start in time`, 'rtmp.source-not-started');
  }

  private play(stream: LiveStream): void {
    const { viewers, log } = this.context;
    const { ref } = stream;
    this.session.acceptPlay();
    this.leave = viewers.add(stream, this.socket, 'raw', this.address);
    log.debug({ code: 'rtmp.played', stream: ref.path, remote: this.address }, 'RTMP viewer started');
    this.noteAdmitted();
  }

  media(kind: MediaKind, timestamp: number, body: Uint8Array): void {
    this.toHub?.media(kind, timestamp, body);
  }

  publishEnded(): void {
    const { publication } = this;
    this.noMoreAdmitted();
    this.publication = undefined;
    this.toHub = undefined;
    publication?.finish(this.context.clock.monotonic());
    if (this.ref !== undefined) {
      this.context.log.info({ code: 'rtmp.unpublished', stream: this.ref.path, remote: this.address }, 'RTMP publisher said goodbye');
    }
  }

  playEnded(): void {
    this.noMoreAdmitted();
    this.stopWaiting();
    this.leave?.();
    this.leave = undefined;
  }

  closed({ code, detail }: RtmpCloseReason): void {
    const { publication } = this;
    this.publication = undefined;
    this.toHub = undefined;
    this.playEnded();
    publication?.lost(this.context.clock.monotonic());
    const fields = { code, remote: this.address, detail, ...(this.ref === undefined ? {} : { stream: this.ref.path }) };
    this.context.log.info(fields, 'RTMP connection closed');
    this.context.closed(code);
    this.flushBy = this.context.clock.monotonic() + FLUSH_MS_MAX;
    // Whatever the peer still sends is read and dropped, so that its end of the connection arrives.
    this.socket.resume();
    if (!this.socket.destroyed) this.socket.end();
  }

  private sentAway(intent: 'publish' | 'play', ref: StreamRef): boolean {
    const elsewhere = this.context.places?.elsewhere(intent, ref, this.address);
    if (elsewhere === undefined) return false;
    const { tcUrl } = elsewhere;
    const status = intent === 'publish' ? 'NetStream.Publish.Denied' : 'NetStream.Play.Failed';
    if (tcUrl === undefined) this.session.refuse(status, 'no node of the cluster can take this now: try again later', 'rtmp.no-node');
    else this.session.sendAway(tcUrl, status, `not on this node: ${intent} ${ref.name} at ${tcUrl}`, 'rtmp.other-node');
    return true;
  }

  private stopWaiting(): void {
    const { awaited } = this;
    this.awaited = undefined;
    awaited?.abort();
  }

  private received(bytes: Buffer): void {
    const { clock, coalescer } = this.context;
    const now = clock.monotonic();
    this.toHub?.setTime(now, clock.wall());
    // Pure rooms take plain arrays: a Buffer's own methods differ (its slice shares, theirs copies).
    this.session.receive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), now);
    if (this.publication !== undefined && this.context.isBusy()) {
      coalescer.afterRead(this.socket, bytes.length, hasViewers(this.publication.stream.viewers));
    }
  }

  private gone(): void {
    this.session.close('rtmp.peer-closed', 'the peer closed the connection');
  }

  /** A bug of ours ends this connection and no other. */
  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.context.log.error({ code: 'rtmp.internal', remote: this.address, err: error }, 'RTMP connection failed; please report this');
      this.socket.destroy();
      this.session.close('rtmp.internal', String(error));
    }
  }
}

function hasViewers(viewers: ReadonlyMap<string, number>): boolean {
  for (const count of viewers.values()) {
    if (count > 0) return true;
  }
  return false;
}
