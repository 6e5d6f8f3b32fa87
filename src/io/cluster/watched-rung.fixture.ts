import { expect, vi } from 'vitest';
import type { Ladder } from '../../transcode/mod.ts';
import { makeSource, type Source } from '../transcode/test-media.fixture.ts';
import type { StreamNode } from './stream-node.fixture.ts';

export const WAIT = { timeout: 20_000, interval: 20 };
/** What is published. */
export const PATH = 'live/show';
/** The one rung of {@link LADDER}, made while somebody watches it. */
export const RUNG = '90p';
export const LADDER: Ladder = {
  rungs: [{ name: RUNG, kind: 'video', height: 90, codec: 'h264', bitrateBps: 100_000, preset: 'ultrafast', encoder: 'libx264' }],
  always: false,
  lingerMs: 500,
};

/** Four seconds of what the rung is made of. */
export const makeShow = (): Promise<Source> =>
  makeSource({
    video: { codec: 'h264', width: 320, height: 180, frameRate: 25, keyframeEvery: 25 },
    audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
    seconds: 4,
  });

/** Settles when the node offers the rendition, and watches it there. */
export const watch = (node: StreamNode, rendition: string = RUNG): Promise<void> =>
  vi.waitFor(() => expect(node.watch(PATH, rendition), `${node.id} has ${rendition}`).toBe(true), WAIT);

/** The rung's segments in the node's playlist. */
const segmentsOf = (node: StreamNode): readonly string[] => node.hls.get(RUNG)?.playlist.match(/^\d+\.m4s$/gm) ?? [];

/** Waits for further segments of the rung. */
export async function flows(node: StreamNode, count = 2): Promise<void> {
  const before = Number.parseInt(segmentsOf(node).at(-1) ?? '-1', 10);
  await vi.waitFor(() => {
    const fresh = segmentsOf(node).filter((name) => Number.parseInt(name, 10) > before);
    expect(fresh.length, `${node.id}: segments behind ${before} in ${node.hls.get(RUNG)?.playlist}`).toBeGreaterThanOrEqual(count);
  }, WAIT);
}

/** What the node itself says of the rung. */
export const rungOf = ({ transcoding }: StreamNode): ReturnType<StreamNode['transcoding']['rungsOf']>[number] | undefined =>
  transcoding.rungsOf(PATH).find(({ planned }) => planned.rung.name === RUNG);
