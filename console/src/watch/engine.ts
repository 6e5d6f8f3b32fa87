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
  /** Why the quality is the one it is. */
  readonly qualityReason?: string;
  /** What only a WebRTC connection can tell. */
  readonly connection?: ConnectionFigures;
}

/** Of a WebRTC connection; times in milliseconds. */
export interface ConnectionFigures {
  /** From capture to the screen; only where the publisher sends capture times. */
  readonly captureLatencyMs?: number;
  readonly roundTripMs?: number;
  /** In [0, 1], over the last second. */
  readonly lossRatio?: number;
  readonly jitterMs?: number;
  readonly jitterBufferMs?: number;
  readonly framesPerSecond?: number;
  readonly freezes?: number;
}

/** Told by an engine what happens; `qualities` when the menu or the choice made by `Auto` changed. */
export interface EngineListener {
  failed(kind: FailureKind, detail: string): void;
  qualities(): void;
  /** Something new was put into the video element and is to be played. */
  ready(): void;
  /** Something came that can be shown; only from an engine that tells progress. */
  progressed(): void;
  /** The picture stands still for want of data, and the video element does not tell. */
  starved(): void;
  /** The server has no such stream. */
  absent(): void;
  /** This transport does not work here; another may. */
  unusable(detail: string): void;
}

/** Plays one stream into a video element until it is destroyed. */
export interface Engine {
  /** Shown to the viewer: `WebRTC`, `LL-HLS`, `HLS`, `HLS (native)`. */
  readonly protocol: string;
  /** The clock of the video element runs on while nothing comes; the engine itself says what it got. */
  readonly tellsProgress: boolean;
  /** What it plays has an end: a stream of this name that is live is another one. */
  readonly isOver: boolean;
  /** Best first. */
  readonly qualities: readonly Quality[];
  /** Index of the quality on the screen, or -1. */
  readonly playing: number;
  /** Index of the chosen quality, or -1 for automatic choice. */
  readonly chosen: number;
  choose(index: number): void;
  /** Somebody looks at the qualities; an engine that has to ask for them does so. */
  refreshQualities(): void;
  /** Media time (seconds) to be at for live, or `undefined` when not known yet. */
  liveSeconds(): number | undefined;
  figures(): EngineFigures;
  recoverMedia(): void;
  resumeLoading(): void;
  destroy(): void;
}
