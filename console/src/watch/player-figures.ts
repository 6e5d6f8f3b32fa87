import type { Engine } from './engine.ts';
import type { PlayerPhase, PlayerState } from './player-machine.ts';

/** What the player measures; whatever is not known is `undefined`. */
export interface PlayerFigures {
  readonly phase: PlayerPhase;
  /** `LL-HLS`, `HLS`, `HLS (native)`, or `''` before anything is loaded. */
  readonly protocol: string;
  /** Picture behind the publisher's clock: wall clock less PROGRAM-DATE-TIME; where that is missing, `edgeLatencyMs`. */
  readonly latencyMs: number | undefined;
  /** Picture behind the end of the playlist. */
  readonly edgeLatencyMs: number | undefined;
  /** Media time, seconds. */
  readonly currentTime: number;
  readonly bufferMs: number;
  readonly bitrateBps: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly codecs: string | undefined;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly stalls: number;
  readonly fatalErrors: number;
}

/** Reads everything at once. */
export function readFigures(player: PlayerState, video: HTMLVideoElement | undefined, engine: Engine | undefined): PlayerFigures {
  const told = engine?.figures() ?? {};
  const frames = video?.getVideoPlaybackQuality?.();
  const clockLatencyMs = told.pictureWallMs === undefined ? undefined : Date.now() - told.pictureWallMs;
  return {
    phase: player.phase,
    protocol: engine?.protocol ?? '',
    latencyMs: clockLatencyMs ?? told.edgeLatencyMs,
    edgeLatencyMs: told.edgeLatencyMs,
    currentTime: video?.currentTime ?? 0,
    bufferMs: video ? bufferAhead(video) * 1000 : 0,
    bitrateBps: told.bitrateBps,
    width: video?.videoWidth ?? 0,
    height: video?.videoHeight ?? 0,
    codecs: told.codecs,
    droppedFrames: frames?.droppedVideoFrames ?? 0,
    totalFrames: frames?.totalVideoFrames ?? 0,
    stalls: player.stalls,
    fatalErrors: player.fatalErrors,
  };
}

function bufferAhead({ buffered, currentTime }: HTMLVideoElement): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) return buffered.end(i) - currentTime;
  }
  return 0;
}
