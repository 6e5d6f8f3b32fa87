import { availableParallelism } from 'node:os';
import type pino from 'pino';
import { Spare } from '../ffmpeg/mod.ts';
import { TranscodeProcess } from './transcode-process.ts';
import { Transcoder } from './transcoder.ts';

/**
 * Children that load FFmpeg at a time, at most. It is half a second of a core's work each: all streams of a server at once would
 * each take as long as all together, and none would be made in time.
 */
const LOADING_MAX = Math.max(2, availableParallelism());
/** How long a child that nobody needs is kept ready. */
const SPARE_IDLE_MS_MAX = 10 * 60_000;
/**
 * Streams whose sound one child makes, by the failures that a stream has behind it. To be woken 50 times a second costs more than the sound itself, so
 * many share a child. What ends the child ends it for all of them; whichever stream it was is soon alone.
 */
const SOUNDS_PER_CHILD = [16, 4, 1] as const;

/** What a transcoder is for: pictures have a child of their own, sound shares one. */
export type ChildPurpose = 'video' | 'audio';

/** The transcoding children of this process: one for pictures and one for sound are kept warm, so that a first viewer does not wait for FFmpeg to load. */
export class TranscodeChildren {
  private readonly log: pino.Logger;
  private readonly script: string | undefined;
  private readonly loading = new Set<TranscodeProcess>();
  private shared: TranscodeProcess[] = [];
  private readonly spare: Spare<TranscodeProcess>;
  /** For sound, while there is no child with room for more. */
  private readonly spareForSound: Spare<TranscodeProcess>;

  /**
   * `isAlwaysReady`: somebody may want something at any moment, however long nobody has. `script`: the children's program, another than the one that
   * transcodes.
   */
  constructor(log: pino.Logger, isAlwaysReady = false, script?: string) {
    this.log = log;
    this.script = script;
    const idleMsMax = isAlwaysReady ? undefined : SPARE_IDLE_MS_MAX;
    this.spare = new Spare(() => this.load(), idleMsMax);
    this.spareForSound = new Spare(() => this.load(), idleMsMax);
  }

  /** Whether a transcoder may be taken now; ask again in a moment when not. `failures`: in a row, of those the stream had for this. */
  mayTake(purpose: ChildPurpose, failures = 0): boolean {
    if (purpose === 'audio' && this.sharedFor(failures) !== undefined) return true;
    for (const child of this.loading) if (child.hasStarted || child.isGone) this.loading.delete(child);
    const spare = purpose === 'audio' && failures === 0 ? this.spareForSound : this.spare;
    return spare.ready?.hasStarted === true || this.loading.size < LOADING_MAX;
  }

  /** Something may be wanted soon: has a child ready. */
  warm(): void {
    this.spare.warm();
    if (this.sharedFor(0) === undefined) this.spareForSound.warm();
  }

  /** A transcoder that has not begun; the caller owns it. */
  take(purpose: ChildPurpose, failures = 0): Transcoder {
    const taken = new Transcoder(this.log, purpose === 'audio' ? this.takeShared(failures) : this.spare.take());
    this.warm();
    return taken;
  }

  async close(): Promise<void> {
    await Promise.all([this.spare.close(), this.spareForSound.close()]);
  }

  private takeShared(failures: number): TranscodeProcess {
    const found = this.sharedFor(failures);
    if (found !== undefined) return found;
    const taken = failures === 0 ? this.spareForSound.take(true) : this.spare.take();
    taken.seatsMax = soundsPerChild(failures);
    this.shared.push(taken);
    return taken;
  }

  private sharedFor(failures: number): TranscodeProcess | undefined {
    this.shared = this.shared.filter(({ isOver }) => !isOver);
    return this.shared.find(({ seatsMax, hasRoom }) => hasRoom && seatsMax === soundsPerChild(failures));
  }

  private load(): TranscodeProcess {
    const child = new TranscodeProcess(this.script);
    this.loading.add(child);
    return child;
  }
}

const soundsPerChild = (failures: number): number => SOUNDS_PER_CHILD[failures] ?? 1;
