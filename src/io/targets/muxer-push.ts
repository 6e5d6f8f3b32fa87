import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Frame, Track } from '../../media/mod.ts';
import type { TargetReason } from '../../targets/mod.ts';
import { FramedChild } from '../ffmpeg/mod.ts';
import { pipedTrack } from '../transcode/messages.ts';
import type { FromMuxer, ToMuxer } from './muxer-messages.ts';
import type { TargetConnection, TargetConnectionListener } from './target-connection.ts';

export interface MuxerPushOptions {
  readonly format: 'mpegts' | 'whip';
  /** As FFmpeg takes it; may hold secrets. */
  readonly url: string;
  readonly tracks: readonly Track[];
  /** A better word for why the child failed, where somebody knows one. */
  readonly explain?: () => { readonly reason: TargetReason; readonly isFinal: boolean } | undefined;
  /** Called once, when the child is gone. */
  readonly gone?: () => void;
}

/** `[srt @ 0x7f1a68191c40] `: which of FFmpeg's objects speaks. */
const LOG_PREFIX = /\[[^\]]{1,40} @ 0x[0-9a-f]+\] ?/g;

/** Sends to a target by one of FFmpeg's muxers, in a child process. */
export class MuxerPush implements TargetConnection {
  private readonly options: MuxerPushOptions;
  private readonly listener: TargetConnectionListener;
  private readonly child: FramedChild<ToMuxer, FromMuxer>;
  private readonly kinds: readonly Track['kind'][];
  private isOver = false;
  private failure: Extract<FromMuxer, { kind: 'failed' }> | undefined = undefined;
  private givenBytes = 0;
  private writtenBytes = 0;

  constructor(options: MuxerPushOptions, listener: TargetConnectionListener) {
    this.options = options;
    this.listener = listener;
    this.kinds = options.tracks.map(({ kind }) => kind);
    // From dist it is JavaScript; from the sources, as in tests, TypeScript that Node runs as it is.
    const script = fileURLToPath(new URL(`./muxer-worker${extname(import.meta.url)}`, import.meta.url));
    this.child = new FramedChild<ToMuxer, FromMuxer>(
      script,
      {},
      {
        control: (message) => this.control(message),
        frame: () => undefined,
        exited: (reason) => this.exited(reason),
      },
    );
    const { format, url, tracks } = options;
    this.child.send({ kind: 'open', format, url, tracks: tracks.map(pipedTrack) });
  }

  get backlogBytes(): number {
    return this.givenBytes - this.writtenBytes;
  }

  get sentBytes(): number {
    return this.writtenBytes;
  }

  tracks(): boolean {
    return false;
  }

  frame({ track, isKeyframe, dts, pts, captureMs, payload }: Frame): void {
    this.givenBytes += payload.length;
    this.child.sendFrame({ channel: this.kinds.indexOf(track.kind), isKeyframe, dts, pts, captureMs, payload });
  }

  tick(): void {
    // The supervisor's times are all that there is to watch.
  }

  async finish(): Promise<void> {
    this.isOver = true;
    await this.child.close({ kind: 'finish' });
  }

  destroy(): void {
    this.isOver = true;
    this.child.kill();
  }

  private control(message: FromMuxer): void {
    if (message.kind === 'written') this.writtenBytes = message.bytes;
    else if (message.kind === 'failed') {
      this.failure = message;
      this.child.kill();
    } else if (!this.isOver) this.listener.connected();
  }

  /** What FFmpeg writes about a failure is complete only now. */
  private exited(reason: string): void {
    const { failure } = this;
    const [how, ...said] = reason.split('; ');
    const words = said.join(' ').replaceAll(LOG_PREFIX, '');
    if (failure === undefined) this.end({ code: 'targets.child', message: `the child process ended: ${how} ${words}` }, false);
    else this.end({ code: failure.code, message: words === '' ? failure.message : `${failure.message} (${words})` }, failure.isFinal);
    this.options.gone?.();
  }

  private end(reason: TargetReason, isFinal: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    const better = this.options.explain?.();
    this.listener.ended(better?.reason ?? reason, better?.isFinal ?? isFinal);
  }
}
