import type pino from 'pino';
import { SluiceError, type StreamRef } from '../../core/mod.ts';
import { SourceToHub } from '../../gateways/mod.ts';
import type { Eviction, Hub, Publication } from '../../hub/mod.ts';
import {
  displayUrl,
  type SourceEnd,
  type SourceFailure,
  SourceSupervisor,
  type SourceSupervisorOptions,
  withoutCredentials,
} from '../../sources/mod.ts';
import type { Clock } from '../clock.ts';
import { messageOf, type PipedFrame, type Spare } from '../ffmpeg/mod.ts';
import type { SourceRefused } from './judged-lookup.ts';
import { type InputNeeds, type InputSettings, type PreparedInput, prepareInput } from './prepare-input.ts';
import type { SourceChild } from './source-child.ts';
import { CHANNEL, type FromSource } from './source-messages.ts';

/** A source as it is configured. */
export interface SourceSettings extends SourceSupervisorOptions, InputSettings {
  readonly ref: StreamRef;
}

export interface PullSourceNeeds extends InputNeeds {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly children: Pick<Spare<SourceChild>, 'take'>;
  /** Whether somebody waits for this stream. */
  readonly isAwaited: (path: string) => boolean;
}

/** How a source stands. */
export interface SourceReport {
  readonly stream: string;
  /** Without credentials. */
  readonly url: string;
  readonly mode: SourceSettings['mode'];
  readonly state: SourceSupervisor['state'];
  /** Unix time in milliseconds at which it came into this state. */
  readonly sinceMs: number;
  readonly attempts: number;
  readonly lastError: SourceFailure | undefined;
  /** FFmpeg's name of the container or protocol, while it is open. */
  readonly format: string | undefined;
  readonly framesIn: number;
  readonly malformedFrames: number;
}

/** One opening of the input: its child process, and what it publishes. */
interface Attempt {
  prepared: PreparedInput | undefined;
  child: SourceChild | undefined;
  publication: Publication | undefined;
  toHub: SourceToHub;
  /** What the child, or the way to the source, said last. */
  failure: SourceFailure | undefined;
  isStopped: boolean;
  isOver: boolean;
}

/** One configured source: opens it in a child process when its supervisor says so, and publishes what it gives. */
export class PullSource {
  readonly settings: SourceSettings;
  private readonly needs: PullSourceNeeds;
  private readonly log: pino.Logger;
  private readonly supervisor: SourceSupervisor;
  private attempt: Attempt | undefined = undefined;
  private sinceMs: number;
  private knownState: SourceSupervisor['state'] = 'idle';
  private format: string | undefined = undefined;
  private framesIn = 0;
  private malformedBefore = 0;
  private readonly exits = new Set<Promise<void>>();

  constructor(settings: SourceSettings, needs: PullSourceNeeds) {
    this.settings = settings;
    this.needs = needs;
    this.log = needs.log.child({ stream: settings.ref.path });
    this.sinceMs = needs.clock.wall();
    this.supervisor = new SourceSupervisor(
      {
        start: () => this.start(),
        stop: (end) => this.stop(end),
        retryIn: (delayMs, { code, message }) =>
          this.log.warn({ code, delayMs }, `the source is tried again in ${delayMs / 1000} s: ${message}`),
      },
      settings,
      needs.clock.monotonic(),
    );
  }

  /** Somebody asks for the stream. */
  ask(): void {
    this.supervisor.ask(this.needs.clock.monotonic());
    this.noteState();
  }

  tick(): void {
    const { hub, clock, isAwaited } = this.needs;
    const now = clock.monotonic();
    const { path } = this.settings.ref;
    const stream = hub.stream(path);
    if (isAwaited(path)) this.supervisor.ask(now);
    // Also while it is held: its viewers wait for the source to come back.
    else if (stream?.publisher.protocol === 'pull' && hasViewers(stream.viewers)) this.supervisor.watched(now);
    this.supervisor.tick(now);
    this.noteState();
  }

  report(): SourceReport {
    const { ref, url, mode } = this.settings;
    const { state, attempts, lastFailure } = this.supervisor;
    return {
      stream: ref.path,
      url: displayUrl(url),
      mode,
      state,
      sinceMs: this.sinceMs,
      attempts,
      lastError: lastFailure,
      format: this.attempt === undefined ? undefined : this.format,
      framesIn: this.framesIn,
      malformedFrames: this.malformedBefore + (this.attempt?.toHub.stats().malformedFrames ?? 0),
    };
  }

  /** Ends it; settles when its process is gone. */
  async close(): Promise<void> {
    this.supervisor.close(this.needs.clock.monotonic());
    await Promise.all(this.exits);
  }

  private start(): void {
    const publication = { write: (...frame: Parameters<Publication['write']>) => attempt.publication?.write(...frame) };
    const attempt: Attempt = {
      prepared: undefined,
      child: undefined,
      publication: undefined,
      toHub: new SourceToHub(publication, (code, message) => this.log.warn({ code }, message)),
      failure: undefined,
      isStopped: false,
      isOver: false,
    };
    this.attempt = attempt;
    this.format = undefined;
    this.log.info({ code: 'sources.starting', url: displayUrl(this.settings.url) }, 'the source is opened');
    this.open(attempt).catch((error: unknown) => this.over(attempt, failureOf(error)));
  }

  private async open(attempt: Attempt): Promise<void> {
    const prepared = await prepareInput(this.settings, this.needs, {
      refused: (error) => this.refused(attempt, error),
      failed: (code, message) => {
        attempt.failure = { code, message: withoutCredentials(message) };
      },
    });
    attempt.prepared = prepared;
    if (attempt.isStopped) {
      this.over(attempt, { code: 'sources.ended', message: 'it was ended while it was opened' });
      return;
    }
    let exited: () => void = () => undefined;
    const exit = new Promise<void>((resolve) => {
      exited = resolve;
    });
    this.exits.add(exit);
    attempt.child = this.needs.children.take();
    attempt.child.open(prepared, {
      control: (message) => this.told(attempt, message),
      frame: (frame) => this.frame(attempt, frame),
      exited: (reason) => {
        this.exits.delete(exit);
        this.over(attempt, attempt.failure ?? { code: 'sources.crashed', message: this.clean(attempt, `the process ended: ${reason}`) });
        exited();
      },
    });
  }

  private told(attempt: Attempt, message: FromSource): void {
    if (attempt.isOver || attempt.isStopped) return;
    switch (message.kind) {
      case 'track': {
        const { track } = message;
        attempt.toHub.track({ ...track, config: Uint8Array.from(Buffer.from(track.config, 'base64')) });
        break;
      }
      case 'opened':
        this.format = message.format;
        this.log.info({ code: 'sources.opened', format: message.format, leftOut: message.leftOut }, 'the source is open');
        break;
      case 'failed':
        // What happened on the way says more than what FFmpeg made of it.
        attempt.failure ??= { code: message.code, message: this.clean(attempt, message.message) };
        break;
    }
  }

  private frame(attempt: Attempt, { channel, dts, pts, payload }: PipedFrame): void {
    if (attempt.isOver || attempt.isStopped || (attempt.publication === undefined && !this.publish(attempt))) return;
    const { clock } = this.needs;
    const now = clock.monotonic();
    this.framesIn++;
    attempt.failure = undefined;
    this.supervisor.frame(now);
    const kind = channel === CHANNEL.video ? 'video' : 'audio';
    attempt.toHub.frame({ kind, dts: known(dts), pts: known(pts), payload }, now, clock.wall());
  }

  /** With the first frame: a stream without any is no use to anybody. */
  private publish(attempt: Attempt): boolean {
    const { hub, clock } = this.needs;
    const { ref, url } = this.settings;
    const now = clock.monotonic();
    const evicted = (reason: Eviction): void => {
      attempt.publication = undefined;
      this.supervisor.fail({ code: `sources.${reason}`, message: EVICTED[reason] }, clock.monotonic());
    };
    const publisher = { protocol: 'pull', address: hostOf(url), agent: this.format ?? '' } as const;
    const publication = hub.publish(ref, publisher, { evicted }, 'reject', now, clock.wall());
    if (typeof publication === 'string') {
      this.supervisor.fail({ code: `sources.${publication}`, message: REFUSED[publication] }, now);
      return false;
    }
    attempt.publication = publication;
    this.log.info({ code: 'sources.published' }, 'the source is published');
    return true;
  }

  private refused(attempt: Attempt, error: SourceRefused): void {
    if (attempt.isOver || attempt.isStopped) return;
    this.supervisor.fail(failureOf(error), this.needs.clock.monotonic());
  }

  private stop(end: SourceEnd): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    attempt.isStopped = true;
    const now = this.needs.clock.monotonic();
    if (end === 'not-wanted') {
      this.log.info({ code: 'sources.stopped' }, 'the source is ended: nobody watches it');
      attempt.publication?.release(now);
    } else attempt.publication?.lost(now);
    attempt.publication = undefined;
    attempt.child?.kill();
  }

  private over(attempt: Attempt, failure: SourceFailure): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    attempt.prepared?.close();
    const now = this.needs.clock.monotonic();
    attempt.publication?.lost(now);
    attempt.publication = undefined;
    if (this.attempt !== attempt) return;
    this.malformedBefore += attempt.toHub.stats().malformedFrames;
    this.attempt = undefined;
    this.supervisor.exited(failure, now);
    this.noteState();
  }

  private clean(attempt: Attempt, text: string): string {
    return withoutCredentials(attempt.prepared?.clean(text) ?? text);
  }

  private noteState(): void {
    if (this.supervisor.state === this.knownState) return;
    this.knownState = this.supervisor.state;
    this.sinceMs = this.needs.clock.wall();
  }
}

const EVICTED = {
  'taken-over': 'another publisher took the stream over',
  deleted: 'the stream was ended by the operator',
  'over-limit': 'the publishers of the app send more than they may',
} as const;
const REFUSED = {
  'stream-taken': 'somebody else publishes the stream',
  'too-many-streams': 'the server has as many streams as it may (hub.streamsMax)',
} as const;

const known = (time: number): number | undefined => (Number.isNaN(time) ? undefined : time);
const hostOf = (url: string): string => /^[a-z+]+:\/\/([^/?#]*)/i.exec(displayUrl(url))?.[1] ?? '';

function failureOf(error: unknown): SourceFailure {
  const message = withoutCredentials(messageOf(error));
  return { code: error instanceof SluiceError ? error.code : 'sources.unreachable', message };
}

function hasViewers(viewers: ReadonlyMap<string, number>): boolean {
  for (const count of viewers.values()) if (count > 0) return true;
  return false;
}
