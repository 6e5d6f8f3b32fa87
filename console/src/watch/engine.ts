import type { FailureKind } from './player-machine.ts';

/** One choice of the quality menu; `index` is the engine's own number for it. */
export interface Quality {
  readonly index: number;
  readonly label: string;
}

/** What an engine knows about what it plays; whatever it cannot tell is left out. */
export interface EngineFigures {
  /** Distance of the picture from the end of the playlist. */
  readonly edgeLatencyMs?: number;
  /** Wall clock of the picture, from PROGRAM-DATE-TIME. */
  readonly pictureWallMs?: number;
  /** Of the media as it arrives, over the last seconds. */
  readonly bitrateBps?: number;
  readonly codecs?: string;
}

/** Told by an engine what happens; `qualities` when the menu or the choice made by `Auto` changed. */
export interface EngineListener {
  failed(kind: FailureKind, detail: string): void;
  qualities(): void;
}

/** Plays one stream into a video element until it is destroyed. */
export interface Engine {
  /** Shown to the viewer: `LL-HLS`, `HLS`, `HLS (native)`. */
  readonly protocol: string;
  /** Best first. */
  readonly qualities: readonly Quality[];
  /** Index of the quality on the screen, or -1. */
  readonly playing: number;
  /** Index of the chosen quality, or -1 for automatic choice. */
  readonly chosen: number;
  choose(index: number): void;
  /** Media time (seconds) to be at for live, or `undefined` when not known yet. */
  liveSeconds(): number | undefined;
  figures(): EngineFigures;
  recoverMedia(): void;
  resumeLoading(): void;
  destroy(): void;
}
