import type { FrameSource } from '../../hub/mod.ts';
import { type Frame, sameConfiguration, type Track } from '../../media/mod.ts';
import { sentTracks } from '../../targets/mod.ts';

/** Whose pictures and whose sound a target is sent. */
export interface FeedChoice {
  readonly frames: FrameSource;
  readonly kinds: readonly Track['kind'][];
}

/** Told about the frames of a {@link FrameFeed}. */
export interface FeedListener {
  /** All tracks are known, or they are other ones now. */
  tracks(tracks: readonly Track[]): void;
  frame(frame: Frame): void;
}

/** The frames for one target, of one source or of two: attached like a viewer, so that rungs which are made on demand are made. */
export class FrameFeed {
  private readonly choices: readonly FeedChoice[];
  private readonly listener: FeedListener;
  private readonly known: (readonly Track[])[];
  private detach: readonly (() => void)[] = [];
  private isFlowing = false;
  private isEnded = false;
  private isDetached = false;

  constructor(choices: readonly FeedChoice[], listener: FeedListener) {
    this.choices = choices;
    this.listener = listener;
    this.known = choices.map(() => []);
  }

  /** A source of frames is over. */
  get hasEnded(): boolean {
    return this.isEnded;
  }

  /** What is sent, once all of it is known. */
  get tracks(): readonly Track[] {
    return sentTracks(this.known.flat());
  }

  /** Whether the pictures or the sound come from there. */
  takes(frames: FrameSource, kind: Track['kind']): boolean {
    return this.choices.some((choice) => choice.frames === frames && choice.kinds.includes(kind));
  }

  /** Finds the tracks out; frames do not flow yet. */
  attach(): void {
    this.detach = this.attachAll();
  }

  /** Frames flow from here on, from the last keyframe on. */
  flow(): void {
    const before = this.detach;
    this.isFlowing = true;
    // First the new, then the old: rungs without viewers stop.
    this.detach = this.attachAll();
    for (const act of before) act();
  }

  close(): void {
    this.isDetached = true;
    for (const act of this.detach) act();
    this.detach = [];
  }

  private attachAll(): readonly (() => void)[] {
    const isFlowing = this.isFlowing;
    return this.choices.map(({ frames, kinds }, index) =>
      frames.attach({
        tracks: (tracks) =>
          this.learn(
            index,
            sentTracks(tracks).filter(({ kind }) => kinds.includes(kind)),
          ),
        frame: (frame) => {
          // What was attached to learn the tracks stays silent when frames flow.
          const isWanted =
            isFlowing && !this.isDetached && this.known[index]?.some(({ id, kind }) => id === frame.track.id && kind === frame.track.kind);
          if (isWanted === true) this.listener.frame(frame);
        },
        paused: () => undefined,
        ended: () => {
          this.isEnded = true;
        },
      }),
    );
  }

  private learn(index: number, tracks: readonly Track[]): void {
    if (this.isDetached) return;
    const before = this.known[index] ?? [];
    const isSame = tracks.length === before.length && tracks.every((track, at) => isSameTrack(track, before[at]));
    this.known[index] = tracks;
    if (!isSame && this.known.every(({ length }) => length > 0)) this.listener.tracks(this.tracks);
  }
}

const isSameTrack = (track: Track, other: Track | undefined): boolean => other !== undefined && sameConfiguration(track, other);
