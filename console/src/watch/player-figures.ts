import type { Engine } from './engine.ts';
import type { PlayerPhase, PlayerState } from './player-machine.ts';
import type { Transport, TransportDecision } from './transport-policy.ts';

/** What the player measures; whatever is not known is `undefined`. */
export interface PlayerFigures {
  readonly phase: PlayerPhase;
  /** `WebRTC`, `LL-HLS`, `HLS`, `HLS (native)`, or `''` before anything is loaded. */
  readonly protocol: string;
  readonly transport: Transport;
  /** Why it is not WebRTC; `undefined` where it is, or where the viewer chose. */
  readonly transportReason: string | undefined;
  /** What WebRTC leaves out and why. */
  readonly missing: readonly string[];
  /**
   * Picture behind the publisher's clock. By HLS: wall clock less PROGRAM-DATE-TIME; where that is missing, `edgeLatencyMs`. By WebRTC:
   * wall clock less abs-capture-time; `undefined` where the publisher does not send it.
   */
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
  /** As the menu names it. */
  readonly quality: string | undefined;
  /** Why it is this one; by WebRTC only. */
  readonly qualityReason: string | undefined;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly stalls: number;
  readonly fatalErrors: number;
  /** The rest by WebRTC only; ratios in [0, 1]. */
  readonly rttMs: number | undefined;
  readonly lossRatio: number | undefined;
  readonly jitterMs: number | undefined;
  readonly jitterBufferMs: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly freezes: number | undefined;
}

/** Reads everything at once. */
export function readFigures(
  player: PlayerState,
  video: HTMLVideoElement | undefined,
  engine: Engine | undefined,
  { transport, reason, missing }: TransportDecision,
): PlayerFigures {
  const told = engine?.figures() ?? {};
  const frames = video?.getVideoPlaybackQuality?.();
  const connection = told.connection;
  const clockLatencyMs = told.pictureWallMs === undefined ? undefined : Date.now() - told.pictureWallMs;
  return {
    phase: player.phase,
    protocol: engine?.protocol ?? '',
    transport,
    transportReason: reason,
    missing,
    latencyMs: connection ? connection.captureLatencyMs : (clockLatencyMs ?? told.edgeLatencyMs),
    edgeLatencyMs: told.edgeLatencyMs,
    currentTime: video?.currentTime ?? 0,
    bufferMs: video ? bufferAhead(video) * 1000 : 0,
    bitrateBps: told.bitrateBps,
    width: video?.videoWidth ?? 0,
    height: video?.videoHeight ?? 0,
    codecs: told.codecs,
    quality: engine?.qualities.find(({ index }) => index === engine.playing)?.label,
    qualityReason: told.qualityReason,
    droppedFrames: frames?.droppedVideoFrames ?? 0,
    totalFrames: frames?.totalVideoFrames ?? 0,
    stalls: player.stalls,
    fatalErrors: player.fatalErrors,
    rttMs: connection?.roundTripMs,
    lossRatio: connection?.lossRatio,
    jitterMs: connection?.jitterMs,
    jitterBufferMs: connection?.jitterBufferMs,
    framesPerSecond: connection?.framesPerSecond,
    freezes: connection?.freezes,
  };
}

function bufferAhead({ buffered, currentTime }: HTMLVideoElement): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) return buffered.end(i) - currentTime;
  }
  return 0;
}
