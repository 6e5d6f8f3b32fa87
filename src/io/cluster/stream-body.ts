import type { StreamBody } from '../../cluster/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';

/** What an origin says of its stream in a directory, but for who makes its renditions. */
export const streamBodyOf = ({ startedWallMs, discontinuity, state, publisher, tracks, renditions }: LiveStream): StreamBody => ({
  startedWallMs,
  discontinuity,
  state,
  protocol: publisher.protocol,
  tracks: tracks.map((track) => ({
    kind: track.kind,
    codec: track.codec,
    ...(track.kind === 'video' ? { width: track.width, height: track.height } : {}),
  })),
  renditions: [...renditions.keys()],
});
