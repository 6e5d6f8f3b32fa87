import type pino from 'pino';
import type { UrlPolicy } from '../../access/mod.ts';
import type { MonotonicMs } from '../../core/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import {
  codecRefusal,
  SendGate,
  TARGET_TIMES,
  type TargetReason,
  type TargetState,
  TargetSupervisor,
  type TargetSupervisorOutput,
  type TargetUrl,
  withoutSecrets,
} from '../../targets/mod.ts';
import type { Clock } from '../clock.ts';
import { chooseFeeds, SOURCE } from './feed-choice.ts';
import { FrameFeed } from './frame-feed.ts';
import { openConnection } from './open-connection.ts';
import { TargetError } from './target-address.ts';
import type { TargetConnection } from './target-connection.ts';

/** What a stream is pushed to, with the URL as it is for this stream. */
export interface PushSpec {
  /** Unique within the stream. */
  readonly name: string;
  readonly url: TargetUrl;
  /** The bearer token for WHIP, or nothing. */
  readonly token: string;
  readonly rendition: string;
  /** Whether the configuration has it, or somebody added it by the API. */
  readonly origin: 'config' | 'api';
}

/** What all pushes share. */
export interface PushContext {
  readonly policy: UrlPolicy;
  /** Certificates (PEM) that are trusted beside the well-known ones. */
  readonly trusted: readonly string[];
  readonly queueBytesMax: number;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** How a target of a stream stands. */
export interface PushReport {
  readonly stream: string;
  readonly name: string;
  readonly origin: 'config' | 'api';
  readonly protocol: 'rtmp' | 'srt' | 'whip';
  /** Scheme, host and port: no secrets. */
  readonly url: string;
  readonly rendition: string;
  readonly state: TargetState;
  /** How long it has been in that state. */
  readonly stateMs: number;
  readonly reason: TargetReason | undefined;
  /** While `retrying`. */
  readonly nextAttemptInMs: number | undefined;
  readonly retries: number;
  readonly bytesSent: number;
  readonly framesDropped: number;
}

/** One stream on its way to one target. */
export class TargetPush implements TargetSupervisorOutput {
  readonly spec: PushSpec;
  private readonly stream: LiveStream;
  private readonly context: PushContext;
  private readonly supervisor: TargetSupervisor;
  private readonly gate: SendGate;
  private feed: FrameFeed | undefined = undefined;
  private connection: TargetConnection | undefined = undefined;
  /** Of the attempt under way; what belongs to another one comes too late. */
  private attempt: object = {};
  private readonly finishing = new Set<Promise<void>>();
  private pastBytes = 0;
  private situation = '';
  private situationTracks: readonly Track[] = [];
  private readonly isShortOfRoom: boolean;

  /** `isShortOfRoom`: there are as many targets as may be; this one is refused. */
  constructor(stream: LiveStream, spec: PushSpec, context: PushContext, isShortOfRoom: boolean) {
    this.stream = stream;
    this.spec = spec;
    this.context = context;
    this.isShortOfRoom = isShortOfRoom;
    this.gate = new SendGate(context.queueBytesMax);
    this.supervisor = new TargetSupervisor(this, TARGET_TIMES, context.random, context.clock.monotonic());
  }

  get report(): PushReport {
    const { spec, supervisor } = this;
    const now = this.context.clock.monotonic();
    const { nextAttemptAt } = supervisor;
    return {
      stream: this.stream.ref.path,
      name: spec.name,
      origin: spec.origin,
      protocol: spec.url.protocol,
      url: spec.url.shown,
      rendition: spec.rendition,
      state: supervisor.state,
      stateMs: now - supervisor.stateSince,
      reason: supervisor.reason,
      nextAttemptInMs: nextAttemptAt === undefined ? undefined : Math.max(0, nextAttemptAt - now),
      retries: supervisor.retries,
      bytesSent: this.pastBytes + (this.connection?.sentBytes ?? 0),
      framesDropped: this.gate.dropped,
    };
  }

  /** Looks at the stream and at the connection; called several times a second. */
  tick(now: MonotonicMs): void {
    const { stream, supervisor, connection } = this;
    if (stream.state === 'held') supervisor.streamHeld(now);
    else if (stream.tracks.length > 0) supervisor.streamReady(now);
    if (this.situationChanged()) this.reconsider(now);
    if (this.feed?.hasEnded === true) this.failed({ code: 'targets.rendition', message: 'the rendition ended' });
    if (connection !== undefined) supervisor.progress(connection.backlogBytes, connection.sentBytes, now);
    supervisor.tick(now);
    this.connection?.tick(now);
  }

  /** The stream is over, or the target is removed: settles when the target has been told. */
  async stop(): Promise<void> {
    this.supervisor.stop(this.context.clock.monotonic());
    await Promise.all(this.finishing);
  }

  // The supervisor's outputs.

  connect(): void {
    const { stream, spec } = this;
    this.attempt = {};
    if (this.isShortOfRoom) {
      this.refused({ code: 'targets.too-many', message: 'the server pushes to as many targets as it may: see targets.max' });
      return;
    }
    const chosen = chooseFeeds(stream, spec.rendition, spec.url.protocol);
    if ('code' in chosen) {
      this.refused(chosen);
      return;
    }
    const { attempt } = this;
    const feed = new FrameFeed(chosen, {
      tracks: (tracks) => {
        if (this.attempt === attempt) this.tracksKnown(tracks);
      },
      frame: (frame) => this.send(frame),
    });
    this.feed = feed;
    feed.attach();
  }

  disconnect(isPolite: boolean): void {
    const { connection } = this;
    this.letGo();
    if (connection === undefined) return;
    if (!isPolite) {
      connection.destroy();
      return;
    }
    const finished = connection.finish().finally(() => this.finishing.delete(finished));
    this.finishing.add(finished);
  }

  /** The first ones of an attempt open its connection; later ones are told to it, or need a new one. */
  private tracksKnown(tracks: readonly Track[]): void {
    const { connection, context } = this;
    if (connection === undefined) {
      const refusal = codecRefusal(this.spec.url.protocol, tracks);
      if (refusal === undefined) void this.open(tracks);
      else this.refused(refusal);
    } else if (connection.tracks(tracks)) this.gate.restart();
    else this.supervisor.renew(context.clock.monotonic());
  }

  private async open(tracks: readonly Track[]): Promise<void> {
    const { attempt, context, spec } = this;
    const isCurrent = (): boolean => this.attempt === attempt;
    try {
      const connection = await openConnection({ ...context, ...spec, tracks }, isCurrent, {
        connected: () => {
          if (isCurrent()) this.connected();
        },
        ended: (reason, isFinal) => {
          if (!isCurrent()) return;
          if (isFinal) this.refused(reason);
          else this.failed(reason);
        },
      });
      if (isCurrent()) this.connection = connection;
      else connection?.destroy();
    } catch (error) {
      if (!isCurrent()) return;
      if (!(error instanceof TargetError)) this.failed({ code: 'targets.internal', message: String(error) });
      else if (error.isFinal) this.refused(error.reason);
      else this.failed(error.reason);
    }
  }

  private connected(): void {
    this.supervisor.connected(this.context.clock.monotonic());
    this.log('targets.sending', 'target takes the stream');
    this.gate.restart();
    this.feed?.flow();
  }

  private send(frame: Frame): void {
    const { connection, feed, gate } = this;
    if (connection === undefined || feed === undefined) return;
    const isLead = frame.track.kind === feed.tracks[0]?.kind;
    const sizeBytes = frame.payload.length;
    if (gate.admits({ isLead, isKeyframe: frame.isKeyframe, sizeBytes }, connection.backlogBytes)) connection.frame(frame);
  }

  private failed(reason: TargetReason): void {
    this.letGoOfBroken();
    const shown = this.shown(reason);
    this.supervisor.failed(shown, this.context.clock.monotonic());
    this.log('targets.failed', `target failed: ${shown.message}`, shown.code);
  }

  private refused(reason: TargetReason): void {
    this.letGoOfBroken();
    const shown = this.shown(reason);
    this.supervisor.refused(shown, this.context.clock.monotonic());
    this.log('targets.refused', `target is not pushed to: ${shown.message}`, shown.code);
  }

  private reconsider(now: MonotonicMs): void {
    const { supervisor, spec, stream } = this;
    supervisor.reconsider(now);
    // Pictures that turn out to have B-frames are taken from elsewhere.
    if (
      spec.url.protocol === 'whip' &&
      spec.rendition === SOURCE &&
      stream.hasReorderedFrames &&
      this.feed?.takes(stream, 'video') === true
    ) {
      supervisor.renew(now);
    }
  }

  /** Whether there is something else to choose from than before. */
  private situationChanged(): boolean {
    const { stream } = this;
    const situation = `${stream.hasReorderedFrames} ${[...stream.renditions.keys()].join(' ')}`;
    const isSame = situation === this.situation && stream.tracks === this.situationTracks;
    this.situation = situation;
    this.situationTracks = stream.tracks;
    return !isSame;
  }

  private letGoOfBroken(): void {
    const { connection } = this;
    this.letGo();
    connection?.destroy();
  }

  private letGo(): void {
    const { connection, feed } = this;
    this.attempt = {};
    this.pastBytes += connection?.sentBytes ?? 0;
    this.connection = undefined;
    this.feed = undefined;
    feed?.close();
  }

  private shown({ code, message }: TargetReason): TargetReason {
    return { code, message: withoutSecrets(message, this.spec.url, this.spec.token) };
  }

  private log(code: string, message: string, reason?: string): void {
    const { name, url } = this.spec;
    const fields = { code, stream: this.stream.ref.path, target: name, url: url.shown, ...(reason === undefined ? {} : { reason }) };
    if (reason === undefined) this.context.log.info(fields, message);
    else this.context.log.warn(fields, message);
  }
}
