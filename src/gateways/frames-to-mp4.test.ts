import { describe, expect, it } from 'vitest';
import { findBox, readBoxes, readFragment } from '../containers/cmaf/box-reader.fixture.ts';
import { fragmentEndMs, trackTimescales } from '../containers/mod.ts';
import type { Frame } from '../media/mod.ts';
import { FramesToMp4 } from './frames-to-mp4.ts';
import { AUDIO, FrameSource, VIDEO } from './hls-frames.fixture.ts';

/** The frames in fragments of one GOP each. */
function fragmentsOf(frames: readonly Frame[]): Frame[][] {
  const fragments: Frame[][] = [];
  for (const frame of frames) {
    if (frame.track === VIDEO && frame.isKeyframe) fragments.push([]);
    fragments.at(-1)?.push(frame);
  }
  return fragments;
}

describe('a file of frames', () => {
  it('begins at 0 wherever on its timeline the stream is, and keeps pictures and sound together', () => {
    const source = new FrameSource();
    const all = source.add({ seconds: 10 });
    const fragments = fragmentsOf(all).slice(2);
    const mp4 = new FramesToMp4([VIDEO, AUDIO]);
    expect(readBoxes(mp4.header).map(({ type }) => type)).toEqual(['ftyp', 'moov']);
    const written = fragments.map((frames, index) => mp4.fragment(frames, fragments[index + 1]?.[0]));
    const [pictures, sound] = [1, 2].map((id) => written.flatMap((bytes) => readFragment(bytes).get(id) ?? []));
    const startS = (fragments[0]?.[0]?.dts ?? 0) / VIDEO.timescale;
    const from = (frames: readonly Frame[], track: typeof VIDEO | typeof AUDIO): number[] =>
      frames.filter((frame) => frame.track === track).map(({ dts }) => dts / track.timescale - startS);
    const seen = from(fragments.flat(), VIDEO);
    expect(pictures).toHaveLength(seen.length);
    for (const [index, { dts }] of pictures?.entries() ?? []) expect(dts / 90_000).toBeCloseTo(seen[index] ?? -1, 3);
    const heard = from(fragments.flat(), AUDIO);
    expect(sound).toHaveLength(heard.length);
    // Frames of one fragment follow one another by their lengths: no sample is off by more than one.
    for (const [index, { dts }] of sound?.entries() ?? []) expect(Math.abs(dts / 48_000 - (heard[index] ?? 0))).toBeLessThan(1024 / 48_000);
    expect(pictures?.[0]?.dts).toBe(0);
    expect(mp4.durationMs).toBeGreaterThanOrEqual(5_990);
    expect(mp4.durationMs).toBeLessThanOrEqual(6_030);
  });

  it('is as long as its boxes say', () => {
    const mp4 = new FramesToMp4([VIDEO, AUDIO]);
    const timescales = trackTimescales(findBox(readBoxes(mp4.header), 'moov').body);
    expect(timescales).toEqual([90_000, 48_000]);
    const fragments = fragmentsOf(new FrameSource().add({ seconds: 6 }));
    for (const [index, frames] of fragments.entries()) {
      const bytes = mp4.fragment(frames, fragments[index + 1]?.[0]);
      const endMs = fragmentEndMs(findBox(readBoxes(bytes), 'moof').body, timescales);
      expect(Math.abs(endMs - mp4.durationMs)).toBeLessThan(30);
    }
  });
});
