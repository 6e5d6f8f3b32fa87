/** What an app uses at a time: of one node, or of all. */
export interface AppFigures {
  /** Published, or held over a drop; a stream counts on the node that has its publisher alone. */
  readonly streams: number;
  /** Of all protocols, each on the node that serves it. What nodes send one another is nobody's. */
  readonly viewers: number;
  readonly bitrateInBps: number;
  readonly bitrateOutBps: number;
  /** When the newest of its streams began, by the wall clock; 0 without any. */
  readonly newestStreamMs: number;
}

export const NO_FIGURES: AppFigures = { streams: 0, viewers: 0, bitrateInBps: 0, bitrateOutBps: 0, newestStreamMs: 0 };

export const addFigures = (a: AppFigures, b: AppFigures): AppFigures => ({
  streams: a.streams + b.streams,
  viewers: a.viewers + b.viewers,
  bitrateInBps: a.bitrateInBps + b.bitrateInBps,
  bitrateOutBps: a.bitrateOutBps + b.bitrateOutBps,
  newestStreamMs: Math.max(a.newestStreamMs, b.newestStreamMs),
});

export const isNothing = ({ streams, viewers, bitrateInBps, bitrateOutBps }: AppFigures): boolean =>
  streams === 0 && viewers === 0 && bitrateInBps === 0 && bitrateOutBps === 0;
