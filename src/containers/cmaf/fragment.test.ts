import { describe, expect, it } from 'vitest';
import { findBox, readBoxes, readFragment } from './box-reader.fixture.ts';
import { type FragmentTrack, writeFragment } from './fragment.ts';

const LATE = 2 ** 40;
const video: FragmentTrack = {
  trackId: 1,
  kind: 'video',
  samples: [
    { dts: LATE, pts: LATE + 6000, isKeyframe: true, payload: Uint8Array.of(1, 1, 1) },
    { dts: LATE + 3000, pts: LATE + 1000, isKeyframe: false, payload: Uint8Array.of(2, 2) },
  ],
  durations: [3000, 2999],
};
const audio: FragmentTrack = {
  trackId: 2,
  kind: 'audio',
  samples: [{ dts: 77, pts: 77, isKeyframe: true, payload: Uint8Array.of(9) }],
  durations: [1024],
};

describe('writeFragment', () => {
  it('is one moof and one mdat that fill the buffer', () => {
    const bytes = writeFragment(7, [video, audio]);
    const boxes = readBoxes(bytes);
    expect(boxes.map((box) => box.type)).toEqual(['moof', 'mdat']);
    expect(boxes.reduce((sum, box) => sum + box.size, 0)).toBe(bytes.length);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('carries 64-bit times, negative composition offsets, durations, flags and payloads', () => {
    const tracks = readFragment(writeFragment(7, [video, audio]));
    expect(tracks.get(1)).toEqual([
      { dts: LATE, pts: LATE + 6000, duration: 3000, flags: 0x02000000, payload: Uint8Array.of(1, 1, 1) },
      { dts: LATE + 3000, pts: LATE + 1000, duration: 2999, flags: 0x01010000, payload: Uint8Array.of(2, 2) },
    ]);
    expect(tracks.get(2)).toEqual([{ dts: 77, pts: 77, duration: 1024, flags: 0x02000000, payload: Uint8Array.of(9) }]);
  });

  it('leaves out a track without samples', () => {
    const bytes = writeFragment(7, [video, { ...audio, samples: [], durations: [] }]);
    expect(findBox(readBoxes(bytes), 'moof').children.map((box) => box.type)).toEqual(['mfhd', 'traf']);
  });

  it('puts a time before zero at zero', () => {
    const [sample] = audio.samples;
    const early = { ...audio, samples: sample === undefined ? [] : [{ ...sample, dts: -5, pts: -5 }] };
    expect(readFragment(writeFragment(1, [early])).get(2)?.[0]?.dts).toBe(0);
  });
});
