import { describe, expect, it } from 'vitest';
import { type MediaPlaylist, type PlaylistSegment, renderMediaPlaylist } from './media-playlist.ts';

function segment(sequence: number, more: Partial<PlaylistSegment> = {}): PlaylistSegment {
  const parts = [0, 1, 2, 3].map((part) => ({ uri: `${sequence}.${part}.m4s`, durationS: 0.5, isIndependent: part === 0 }));
  const startMs = 1_800_000_000_000 + sequence * 2000;
  return { sequence, uri: `${sequence}.m4s`, durationS: 2, startMs, discontinuity: 3, mapUri: 'a.mp4', parts, isComplete: true, ...more };
}

function playlist(count: number, more: Partial<MediaPlaylist> = {}): MediaPlaylist {
  const segments = Array.from({ length: count }, (_, i) => segment(100 + i));
  return { targetDurationS: 2, partTargetMs: 500, segments, isEnded: false, renditionReports: [], ...more };
}

describe('renderMediaPlaylist', () => {
  it('begins with the tags that hold for all, obeying the minimum hold-backs', () => {
    expect(renderMediaPlaylist(playlist(1), false)).toBe(
      `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6,CAN-SKIP-UNTIL=12
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="a.mp4"
#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:03:20.000Z
#EXT-X-PART:DURATION=0.5,URI="100.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.5,URI="100.1.m4s"
#EXT-X-PART:DURATION=0.5,URI="100.2.m4s"
#EXT-X-PART:DURATION=0.5,URI="100.3.m4s"
#EXTINF:2,
100.m4s
`,
    );
  });

  it('lists parts only within the last three target durations', () => {
    const text = renderMediaPlaylist(playlist(10), false);
    expect(text.match(/#EXT-X-PART:/g)).toHaveLength(12);
    expect(text).not.toContain('106.3.m4s');
  });

  it('shows a growing segment by its parts alone, then the hint', () => {
    const open = segment(101, { isComplete: false, durationS: 0.5, parts: [{ uri: '101.0.m4s', durationS: 0.5, isIndependent: true }] });
    const text = renderMediaPlaylist(playlist(1, { segments: [segment(100), open], preloadHintUri: '101.1.m4s' }), false);
    expect(text).not.toContain('101.m4s');
    expect(text.endsWith('URI="101.0.m4s",INDEPENDENT=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="101.1.m4s"\n')).toBe(true);
  });

  it('marks each step of the discontinuity number and repeats the map where it changes', () => {
    const segments = [
      segment(100),
      segment(101, { discontinuity: 4, mapUri: 'b.mp4' }),
      segment(102, { discontinuity: 6, mapUri: 'b.mp4' }),
    ];
    const text = renderMediaPlaylist(playlist(0, { segments }), false);
    expect(text).toContain('100.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="b.mp4"\n#EXT-X-PROGRAM');
    expect(text).toContain('101.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM');
    expect(text.match(/EXT-X-MAP/g)).toHaveLength(2);
  });

  it('skips in a delta update what is further back than the skip boundary, and nothing else', () => {
    const text = renderMediaPlaylist(playlist(10), true);
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:100\n');
    expect(text).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:03:26.000Z\n#EXTINF:2,\n103.m4s\n');
    expect(text).not.toContain('102.m4s');
    expect(text).not.toContain('EXT-X-MAP');
  });

  it('gives the full playlist as delta update while there is nothing to skip, and once it has ended', () => {
    expect(renderMediaPlaylist(playlist(6), true)).toBe(renderMediaPlaylist(playlist(6), false));
    const ended = playlist(10, { isEnded: true });
    expect(renderMediaPlaylist(ended, true)).toBe(renderMediaPlaylist(ended, false));
    expect(renderMediaPlaylist(ended, false).endsWith('109.m4s\n#EXT-X-ENDLIST\n')).toBe(true);
  });

  it('reports other renditions', () => {
    const text = renderMediaPlaylist(
      playlist(1, { renditionReports: [{ uri: '../720p/media.m3u8', lastSequence: 101, lastPart: 2 }] }),
      false,
    );
    expect(text.endsWith('#EXT-X-RENDITION-REPORT:URI="../720p/media.m3u8",LAST-MSN=101,LAST-PART=2\n')).toBe(true);
  });
});
