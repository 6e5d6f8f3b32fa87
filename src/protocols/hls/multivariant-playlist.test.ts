import { describe, expect, it } from 'vitest';
import { averageBitrateBps, peakBitrateBps, renderMultivariantPlaylist } from './multivariant-playlist.ts';

describe('renderMultivariantPlaylist', () => {
  it('tells of video and of audio alone only what they have', () => {
    const video = { uri: 'source/media.m3u8', bandwidthBps: 3, averageBandwidthBps: 2, codecs: ['avc1.64001f', 'mp4a.40.2'] };
    const text = renderMultivariantPlaylist([
      { ...video, resolution: { width: 1280, height: 720 }, frameRate: 30_000 / 1001 },
      { uri: 'audio/media.m3u8', bandwidthBps: 1, averageBandwidthBps: 1, codecs: ['opus'] },
    ]);
    expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=3,AVERAGE-BANDWIDTH=2,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970
source/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,CODECS="opus"
audio/media.m3u8
`);
  });
});

describe('bit rates', () => {
  const segments = [
    { sizeBytes: 1000, durationS: 2 },
    { sizeBytes: 3000, durationS: 2 },
    { sizeBytes: 500, durationS: 0.25 },
  ];

  it('peak: of runs between half and one and a half target durations, so a short segment does not count alone', () => {
    expect(peakBitrateBps(segments, 2)).toBe(Math.ceil((3500 * 8) / 2.25));
  });

  it('peak: falls back to the average where no run is long enough', () => {
    expect(peakBitrateBps([{ sizeBytes: 100, durationS: 0.5 }], 4)).toBe(1600);
  });

  it('average: all bits over all time', () => {
    expect(averageBitrateBps(segments)).toBe(Math.ceil((4500 * 8) / 4.25));
    expect(averageBitrateBps([])).toBe(0);
  });
});
