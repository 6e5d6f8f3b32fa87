import type pino from 'pino';
import type { StreamRef } from '../core/mod.ts';
import type { HubListener, LiveStream } from '../hub/mod.ts';

/** An output that has to know when a stream begins, and when it is over. */
export interface StreamFollower {
  streamStarted(stream: LiveStream): void;
  /** It was held or resumed, or has other renditions. */
  streamChanged?(stream: LiveStream): void;
  streamEnded?(ref: StreamRef): void;
}

/** Logs what happens to streams, tells the outputs that follow streams from their start, and keeps the totals of streams that are over. */
export class StreamEvents implements HubListener {
  /** What streams that are over have received. */
  readonly retired: { bytesIn: number; framesIn: number } = { bytesIn: 0, framesIn: 0 };
  private readonly find: (path: string) => LiveStream | undefined;
  private readonly followers: () => readonly StreamFollower[];
  private readonly log: pino.Logger;
  private readonly streams = new Map<string, LiveStream>();

  constructor(find: (path: string) => LiveStream | undefined, followers: () => readonly StreamFollower[], log: pino.Logger) {
    this.find = find;
    this.followers = followers;
    this.log = log;
  }

  streamStarted(ref: StreamRef): void {
    this.log.info({ code: 'hub.stream-started', stream: ref.path }, 'stream started');
    const stream = this.find(ref.path);
    if (stream === undefined) return;
    this.streams.set(ref.path, stream);
    for (const follower of this.followers()) follower.streamStarted(stream);
  }

  streamHeld(ref: StreamRef): void {
    this.log.info({ code: 'hub.stream-held', stream: ref.path }, 'the publisher went away; the stream waits for it');
    this.changed(ref);
  }

  streamResumed(ref: StreamRef): void {
    this.log.info({ code: 'hub.stream-resumed', stream: ref.path }, 'the publisher is back');
    this.changed(ref);
  }

  streamEnded(ref: StreamRef): void {
    const stats = this.streams.get(ref.path)?.stats();
    this.streams.delete(ref.path);
    this.retired.bytesIn += stats?.bytesIn ?? 0;
    this.retired.framesIn += stats?.framesIn ?? 0;
    for (const follower of this.followers()) follower.streamEnded?.(ref);
    this.log.info({ code: 'hub.stream-ended', stream: ref.path }, 'stream ended');
  }

  renditionsChanged(ref: StreamRef): void {
    const names = [...(this.streams.get(ref.path)?.renditions.keys() ?? [])];
    this.log.info({ code: 'hub.renditions-changed', stream: ref.path, renditions: names }, 'renditions changed');
    this.changed(ref);
  }

  sinkFailed(ref: StreamRef, error: unknown): void {
    this.log.error({ code: 'hub.sink-failed', stream: ref.path, err: error }, 'an output failed and was taken off the stream');
  }

  private changed(ref: StreamRef): void {
    const stream = this.streams.get(ref.path);
    if (stream === undefined) return;
    for (const follower of this.followers()) follower.streamChanged?.(stream);
  }
}
