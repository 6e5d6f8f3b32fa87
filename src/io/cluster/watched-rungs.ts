import type { StreamAudience, WatchedRung } from '../../cluster/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';

/** The rungs of a stream that somebody watches here, with those of their viewers that this node serves. */
export function watchedRungs({ ref, renditions }: LiveStream): readonly WatchedRung[] {
  return [...renditions.values()].flatMap(({ name, kind, expected, isWatched, viewers }) =>
    expected === undefined || !isWatched
      ? []
      : {
          stream: ref.path,
          rung: name,
          viewers: [...viewers.values()].reduce((sum, count) => sum + count, 0),
          kind,
          codec: expected.codec,
          width: expected.width ?? 0,
          height: expected.height ?? 0,
          frameRate: expected.frameRate ?? 0,
        },
  );
}

/** Who watches a stream that has rungs here, whatever of it: nobody of a stream that has none. */
export function audienceOf({ ref, renditions, viewers }: LiveStream): readonly StreamAudience[] {
  const count = [...viewers.values()].reduce((sum, each) => sum + each, 0);
  const hasRungs = [...renditions.values()].some(({ expected }) => expected !== undefined);
  return count > 0 && hasRungs ? [{ stream: ref.path, viewers: count }] : [];
}
