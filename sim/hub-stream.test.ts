import { describe, expect, it } from 'vitest';
import type { HubStream, Source } from './hub-stream.ts';
import { run } from './run.ts';
import type { World } from './world.ts';

/** Where a stream comes from, looked up all the way. */
function walk(world: World, stream: HubStream | undefined, hops = 0): Source {
  if (stream === undefined || !stream.owner.process.isRunning) return undefined;
  if (hops > 16) return 'loop';
  if (stream.publication !== undefined) return stream;
  const source = stream.owner.pulls.get(stream.path)?.source;
  if (source === undefined || !world.isLinked(stream.owner.process, source.process)) return undefined;
  return walk(world, source.hub.get(stream.path), hops + 1);
}

describe('what is known of where a stream comes from', () => {
  it.each([1, 2, 3, 4])('is what is found when all is looked up, whatever goes wrong (seed %i)', (seed) => {
    let compared = 0;
    const progress = (world: World): void => {
      for (const party of world.audience.parties) {
        const { stream } = party;
        if (stream === undefined || stream.isOver) continue;
        const found = walk(world, stream);
        compared += 1;
        expect(stream.source()).toBe(found);
        if (found !== undefined && found !== 'loop') expect(world.now - party.servedAt).toBeLessThan(1_000);
      }
    };
    run({ seed, nodes: 12, seconds: 40, progress });
    expect(compared).toBeGreaterThan(1_000);
  });
});
