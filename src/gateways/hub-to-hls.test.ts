import { describe, expect, it } from 'vitest';
import { findBox, readBoxes, readFragment } from '../containers/cmaf/box-reader.fixture.ts';
import { utf8Decode } from '../core/mod.ts';
import type { Frame } from '../media/mod.ts';
import { renderMultivariantPlaylist } from '../protocols/hls/mod.ts';
import { AUDIO, type FixtureOptions, FrameSource, VIDEO } from './hls-frames.fixture.ts';
import { HubToHls } from './hub-to-hls.ts';

const LIMITS = { segmentsMax: 4, bytesMax: 64 * 1024 * 1024 };

class Recorder {
  readonly files = new Map<string, readonly Uint8Array[]>();
  advances = 0;
  readonly hls: HubToHls;

  constructor(limits: { segmentsMax: number; bytesMax: number } = LIMITS) {
    this.hls = new HubToHls(
      {
        added: (name, chunks) => this.files.set(name, chunks),
        removed: (name) => this.files.delete(name),
        advanced: () => this.advances++,
      },
      limits,
    );
  }

  feed(frames: readonly Frame[]): this {
    for (const frame of frames) this.hls.frame(frame);
    return this;
  }

  get media(): string {
    return utf8Decode(this.hls.playlists?.media ?? new Uint8Array());
  }
  get multivariant(): string {
    const { playlists } = this.hls;
    return playlists === undefined ? '' : renderMultivariantPlaylist([playlists.variant('source/media.m3u8')]);
  }
}

const frames = (options: FixtureOptions): Frame[] => new FrameSource().add(options);

describe('HubToHls', () => {
  it('has no playlist before the first part is complete, and one from then on', () => {
    const recorder = new Recorder();
    const all = frames({ seconds: 1 });
    const second = all.findIndex((frame) => frame.startsPart && frame.part === 1);
    recorder.feed(all.slice(0, second));
    expect(recorder.hls.playlists).toBeUndefined();
    recorder.feed(all.slice(second, second + 1));
    expect(recorder.media).toContain('#EXT-X-PART:DURATION=0.5,URI="1800000000.0.m4s",INDEPENDENT=YES\n');
    expect(recorder.media).toContain('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1800000000.1.m4s"\n');
  });

  it('hints exactly the part that comes next, also over the end of a segment', () => {
    const recorder = new Recorder();
    for (const frame of frames({ seconds: 9 })) {
      const hinted = recorder.hls.playlists?.hintedName;
      const advances = recorder.advances;
      recorder.hls.frame(frame);
      if (recorder.advances > advances && hinted !== undefined) expect(recorder.files.has(hinted)).toBe(true);
    }
    expect(recorder.advances).toBeGreaterThan(15);
  });

  it('keeps every frame once, in parts whose times join without gap, and a segment is its parts', () => {
    const recorder = new Recorder({ ...LIMITS, segmentsMax: 20 });
    const all = frames({ seconds: 6.5 });
    recorder.feed(all);
    recorder.hls.ended();
    let nextDts: number | undefined;
    let count = 0;
    for (const [name, chunks] of recorder.files) {
      if (!/^\d+\.\d+\.m4s$/.test(name) || chunks[0] === undefined) continue;
      const tracks = readFragment(chunks[0]);
      for (const sample of tracks.get(1) ?? []) {
        if (nextDts !== undefined) expect(sample.dts).toBe(nextDts);
        expect(sample.pts - sample.dts).toBe(3000);
        nextDts = sample.dts + sample.duration;
      }
      for (const samples of tracks.values()) count += samples.length;
      const segment = recorder.files.get(`${name.split('.')[0]}.m4s`);
      expect(segment).toContain(chunks[0]);
    }
    expect(count).toBe(all.length);
  });

  it('tells the exact codecs, resolution, frame rate and bit rates', () => {
    const recorder = new Recorder().feed(frames({ seconds: 9, frameRate: 30 }));
    expect(recorder.multivariant).toMatch(
      /#EXT-X-STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30.000\nsource\/media.m3u8\n/,
    );
    const [, peak, average] = /BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)/.exec(recorder.multivariant) ?? [];
    expect(Number(peak)).toBeGreaterThanOrEqual(Number(average));
  });

  it('names a target duration that no segment exceeds, though GOPs are longer than the target', () => {
    const recorder = new Recorder().feed(frames({ seconds: 21, gopSeconds: 5 }));
    expect(recorder.media).toContain('#EXT-X-TARGETDURATION:5\n');
    expect(recorder.media).toContain('#EXTINF:5,');
  });

  it('packages audio alone, with every part independent and no resolution', () => {
    const recorder = new Recorder().feed(frames({ seconds: 9, tracks: [AUDIO] }));
    expect(recorder.multivariant).toContain('CODECS="mp4a.40.2"\n');
    expect(recorder.multivariant).not.toContain('RESOLUTION');
    const parts = recorder.media.match(/#EXT-X-PART:.*/g) ?? [];
    expect(parts.length).toBeGreaterThan(4);
    expect(parts.every((part) => part.endsWith('INDEPENDENT=YES'))).toBe(true);
  });

  it('packages video alone', () => {
    const recorder = new Recorder().feed(frames({ seconds: 5, tracks: [VIDEO] }));
    expect(recorder.multivariant).toContain('CODECS="avc1.64001f",RESOLUTION=1280x720');
    expect(recorder.media).toContain('#EXTINF:2,');
  });

  it('leaves a track out of the fragments that have no frame of it', () => {
    const source = new FrameSource();
    const recorder = new Recorder().feed(source.add({ seconds: 2.1 }).filter((frame) => frame.track !== AUDIO || frame.part !== 1));
    const chunk = recorder.files.get('1800000000.1.m4s')?.[0] ?? new Uint8Array();
    expect([...readFragment(chunk).keys()]).toEqual([1]);
  });

  it('flushes and closes the segment on a pause, and goes on behind a discontinuity with the next number and a new map', () => {
    const source = new FrameSource();
    const recorder = new Recorder().feed(source.add({ seconds: 3.2 }));
    recorder.hls.paused();
    expect(recorder.media.endsWith('1800000001.m4s\n')).toBe(true);
    expect(recorder.hls.playlists?.hintedName).toBeUndefined();
    source.newSource();
    const wider = { ...VIDEO, width: 1920, height: 1080 };
    recorder.feed(source.add({ seconds: 3, tracks: [wider, AUDIO], from: 7 }));
    expect(recorder.media).toMatch(
      /1800000001\.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-1-[0-9a-f]{16}\.mp4"\n#EXT-X-PROGRAM-DATE-TIME/,
    );
    expect(recorder.media).toContain('1800000002.m4s');
    expect(recorder.multivariant).toContain('RESOLUTION=1920x1080');
  });

  it('ends with ENDLIST and no hint', () => {
    const recorder = new Recorder().feed(frames({ seconds: 5 }));
    recorder.hls.ended();
    expect(recorder.media.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
    expect(recorder.media).not.toContain('PRELOAD-HINT');
    expect(recorder.hls.playlists?.isEnded).toBe(true);
  });

  it('bounds what it keeps: the playlist by segments, older ones for as long again, then files and maps go', () => {
    const recorder = new Recorder().feed(frames({ seconds: 60 }));
    expect(recorder.media.match(/#EXTINF/g)).toHaveLength(4);
    const segments = [...recorder.files.keys()].filter((name) => /^\d+\.m4s$/.test(name));
    expect(segments).toHaveLength(9);
    expect([...recorder.files.keys()].filter((name) => name.startsWith('init-'))).toHaveLength(1);
  });

  it('gives up older segments, then playlist length down to three, for the byte limit', () => {
    const recorder = new Recorder({ segmentsMax: 10, bytesMax: 40_000 }).feed(frames({ seconds: 60 }));
    expect(recorder.media.match(/#EXTINF/g)?.length).toBe(3);
    expect(recorder.hls.sizeBytes).toBeLessThan(100_000);
  });

  it('ignores what it cannot place: the rest of a segment it did not see begin, and a foreign track', () => {
    const all = frames({ seconds: 5 });
    const recorder = new Recorder().feed(all.slice(20));
    expect(recorder.media).toContain('#EXT-X-MEDIA-SEQUENCE:1800000001\n');
    const [first] = all;
    if (first !== undefined) expect(() => recorder.feed([{ ...first, track: { ...VIDEO, id: 9 } }])).not.toThrow();
  });

  const opus = { ...AUDIO, codec: 'opus', config: new Uint8Array(11), codecString: 'opus' } as const;
  const mp3 = { ...AUDIO, codec: 'mp3', config: new Uint8Array(0), codecString: 'mp4a.40.34' } as const;
  const aac = { ...AUDIO, config: new Uint8Array(0) } as const;
  it.each([
    ['Opus, empty', opus, []],
    ['Opus, of a wrong length', opus, [0xff]],
    ['MP3, empty', mp3, []],
    ['MP3, not a header', mp3, [1, 2, 3, 4]],
    ['AAC, of a track whose configuration is broken', aac, [1, 2, 3]],
  ])('survives audio packets that do not tell their length (%s)', (_title, track, payload) => {
    const broken = (frame: Frame): Frame => (frame.track.kind === 'audio' ? { ...frame, payload: Uint8Array.from(payload) } : frame);
    const muxed = frames({ seconds: 2.5, tracks: [VIDEO, track] }).map(broken);
    expect(new Recorder().feed(muxed).media).toContain('#EXTINF:2,');
    const alone = frames({ seconds: 5, tracks: [track] }).map(broken);
    expect(() => new Recorder().feed(alone).hls.ended()).not.toThrow();
  });

  it('lists the segment that frames are missing of as missing, with the parts that are there, and goes on with the next one', () => {
    const all = frames({ seconds: 9 });
    const torn = all.findIndex(({ segment, part }) => segment.sequence === 1800000002 && part === 2);
    const goesOn = all.findIndex(({ segment }) => segment.sequence === 1800000003);
    const recorder = new Recorder().feed(all.slice(0, torn));
    const listed = recorder.media;
    recorder.hls.gap();
    // The rest of the segment does not count, and a playlist never takes back what it said.
    recorder.feed(all.slice(torn + 30, goesOn));
    expect(recorder.media).toBe(listed);
    expect(recorder.files.has('1800000002.0.m4s')).toBe(true);
    recorder.hls.gap();
    recorder.feed(all.slice(goesOn));
    expect(recorder.media).toContain('#EXT-X-MEDIA-SEQUENCE:1800000000\n');
    expect(recorder.media).toMatch(/1800000001\.m4s\n(?!#EXT-X-(?:MAP|DISCONTINUITY))(?:#.*\n)*#EXT-X-GAP\n#EXTINF:2,\n1800000002\.m4s\n/);
    expect([...recorder.files.keys()].filter((name) => name.startsWith('1800000002'))).toEqual(['1800000002.0.m4s']);
    expect([...recorder.files.keys()].filter((name) => name.startsWith('init-'))).toHaveLength(1);
    recorder.hls.ended();
    expect(recorder.media).toContain('1800000003.m4s');
  });

  describe.each([
    ['another part', 2, 2, 3],
    ['the same part', 2, 2, 2],
    ['another segment', 2, 3, 1],
    ['a segment behind a whole one that is missing', 2, 4, 2],
  ])('behind missing frames goes on with a keyframe in %s', (_title, from, to, part) => {
    const all = frames({ seconds: 14 });
    const begins = ({ segment, part: of, startsPart }: Frame, sequence: number, index: number): boolean =>
      segment.sequence === 1_800_000_000 + sequence && of === index && startsPart;
    const torn = all.findIndex((frame) => begins(frame, from, 1)) + 5;
    const goesOn = all.findIndex((frame) => begins(frame, to, part));
    const keyframe = { ...(all[goesOn] as Frame), isKeyframe: true };
    const rest = [keyframe, ...all.slice(goesOn + 1)];
    const partsOf = (media: string): string[] =>
      [...media.matchAll(/#EXT-X-PART:DURATION=(.*),URI="180000000(.*)\.m4s"(.*)/g)].map(
        ([, duration, name, more]) => `${name} ${duration}${more}`,
      );

    it('without a hole in numbers and times', () => {
      const recorder = new Recorder({ ...LIMITS, segmentsMax: 20 }).feed(all.slice(0, torn));
      recorder.hls.gap();
      recorder.feed(rest);
      const { media } = recorder;
      expect(media.match(/#EXT-X-MAP/g)).toHaveLength(1);
      const listed = [
        ...media.matchAll(/PROGRAM-DATE-TIME:(.*Z)\n(?:#EXT-X-PART:.*\n)*(#EXT-X-GAP\n)?#EXTINF:(.*),\n180000000(\d)\.m4s/g),
      ].map(([, time = '', gap, duration, name]) => ({
        name: Number(name),
        beginsS: Date.parse(time) / 1000 - 1_800_000_000,
        isGap: gap !== undefined,
        durationS: Number(duration),
      }));
      const isGap = (name: number): boolean => name >= from && name <= to;
      expect(listed).toEqual(
        Array.from({ length: 6 }, (_, name) => ({ name, beginsS: 2 * name, isGap: isGap(name), durationS: expect.closeTo(2, 3) })),
      );
      for (const { name } of listed) expect(recorder.files.has(`180000000${name}.m4s`)).toBe(!isGap(name));
      for (const [, name = '', gap] of media.matchAll(/#EXT-X-PART:DURATION=.*,URI="(.*?)"(,GAP=YES)?/g))
        expect(recorder.files.has(name), name).toBe(gap === undefined);
    });

    it('with the same parts under the same names wherever frames were missing from', () => {
      const recorder = new Recorder().feed(all.slice(0, torn));
      recorder.hls.gap();
      recorder.feed(rest.slice(0, 60));
      const other = new Recorder().feed(
        all.slice(
          0,
          all.findIndex((frame) => begins(frame, from, 0)),
        ),
      );
      other.hls.gap();
      other.feed(rest.slice(0, 60));
      const there = partsOf(recorder.media);
      const present = partsOf(other.media).filter((line) => !line.includes('GAP') && Number(line[0]) >= to);
      expect(present.length).toBeGreaterThan(0);
      expect(there).toEqual(expect.arrayContaining(present));
      for (const line of present) {
        const name = `180000000${line.split(' ')[0]}.m4s`;
        expect(recorder.files.get(name)).toEqual(other.files.get(name));
      }
    });
  });

  it('takes nothing twice that comes again behind missing frames', () => {
    const all = frames({ seconds: 9 });
    const begins = (sequence: number, part: number): number =>
      all.findIndex((frame) => frame.segment.sequence === sequence && frame.part === part && frame.startsPart);
    const recorder = new Recorder().feed(all.slice(0, begins(1_800_000_002, 2) + 5));
    recorder.hls.gap();
    recorder.feed(all.slice(begins(1_800_000_001, 0), begins(1_800_000_003, 1) + 1));
    const parts = [...recorder.media.matchAll(/#EXT-X-PART:DURATION=0.5,URI="(.*?)\.m4s"/g)].map(([, name]) => name);
    expect(new Set(parts).size).toBe(parts.length);
    expect(parts.filter((name) => name?.startsWith('1800000002'))).toEqual(['1800000002.0', '1800000002.1']);
    expect(recorder.media).toMatch(/#EXT-X-GAP\n#EXTINF:2,\n1800000002\.m4s\n(?:#.*\n)*#EXT-X-PART:DURATION=0.5,URI="1800000003.0/);
  });

  it('begins anew where too much is missing, or another source goes on', () => {
    const source = new FrameSource();
    const all = source.add({ seconds: 18 });
    const far = all.findIndex(({ segment }) => segment.sequence === 1_800_000_007);
    const recorder = new Recorder().feed(all.slice(0, 200));
    recorder.hls.gap();
    recorder.feed(all.slice(far));
    expect(recorder.media).toContain('#EXT-X-MEDIA-SEQUENCE:1800000007\n');
    recorder.hls.gap();
    source.newSource();
    recorder.feed(source.add({ seconds: 5, from: 20 }));
    expect(recorder.media).not.toContain('#EXT-X-GAP');
    expect(recorder.media).toMatch(/#EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
  });

  it('waits for the next segment where another init segment is needed', () => {
    const other = { ...VIDEO, config: Uint8Array.of(1, 0x42, 0, 0x1e, 0xff, 0xe1, 0, 0) };
    const all = frames({ seconds: 9, tracks: [VIDEO] });
    const torn = all.findIndex(({ segment, part }) => segment.sequence === 1_800_000_002 && part === 1);
    const goesOn = all.findIndex(({ segment, part }) => segment.sequence === 1_800_000_002 && part === 2);
    const rest = all.slice(goesOn).map((frame, index) => ({
      ...frame,
      track: other,
      isKeyframe: frame.isKeyframe || index === 0,
      segment: { ...frame.segment, tracks: [other] },
    }));
    const recorder = new Recorder().feed(all.slice(0, torn));
    recorder.hls.gap();
    recorder.feed(rest);
    expect(recorder.media).not.toContain('GAP=YES');
    expect(recorder.media).toMatch(/#EXT-X-GAP\n#EXTINF:2,\n1800000002\.m4s\n#EXT-X-MAP/);
  });

  it('goes on in the middle of a segment behind frames that nobody made, with times that join', () => {
    const recorder = new Recorder();
    const all = frames({ seconds: 9, tracks: [VIDEO] });
    const seconds = ({ dts }: Frame): number => (dts - (all[0]?.dts ?? 0)) / 90_000;
    // From the second segment's middle until a keyframe in the third one's.
    const made = all
      .filter((frame) => seconds(frame) < 3.1 || seconds(frame) >= 4.6)
      .map((frame) => (seconds(frame) === 4.6 ? { ...frame, isKeyframe: true, startsPart: true } : frame));
    recorder.feed(made);
    expect(recorder.media).toMatch(/#EXT-X-MEDIA-SEQUENCE:1800000000\n/);
    expect(recorder.media.match(/#EXT-X-MAP/g)).toHaveLength(1);
    expect(recorder.media).not.toContain('#EXT-X-DISCONTINUITY\n');
    const listed = [...recorder.media.matchAll(/PROGRAM-DATE-TIME:(.*Z)\n(?:#EXT-X-PART:.*\n)*#EXTINF:(.*),\n(\d+)\.m4s/g)];
    expect(listed.map(([, time = '', duration]) => [Date.parse(time) / 1000 - 1_800_000_000, Number(duration)])).toEqual([
      [0, 2],
      [2, 2.6],
      [expect.closeTo(4.6), 1.4],
      [6, 2],
    ]);
    expect(listed.map(([, , , sequence]) => Number(sequence) - 1_800_000_000)).toEqual([0, 1, 2, 3]);
  });

  it('lists another init segment where the configuration changes, with and without a discontinuity', () => {
    const other = { ...VIDEO, config: Uint8Array.of(1, 0x42, 0, 0x1e, 0xff, 0xe1, 0, 0) };
    const all = frames({ seconds: 9, tracks: [VIDEO] });
    const changed = (discontinuity: number): Frame[] => {
      const stamps = new Map<number, Frame['segment']>();
      return all.map((frame) => {
        const { segment } = frame;
        if (segment.sequence < 1_800_000_002) return frame;
        const stamp = stamps.get(segment.sequence) ?? { ...segment, discontinuity, tracks: [other] };
        stamps.set(segment.sequence, stamp);
        return { ...frame, track: other, segment: stamp };
      });
    };
    for (const [discontinuity, tag] of [
      [1, '#EXT-X-DISCONTINUITY\n'],
      [0, ''],
    ] as const) {
      const { media } = new Recorder().feed(changed(discontinuity));
      expect(media).toContain('#EXT-X-MEDIA-SEQUENCE:1800000000\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n');
      expect(media).toContain(`1800000001.m4s\n${tag}#EXT-X-MAP:URI="init-${discontinuity}-`);
      expect(media.match(/#EXT-X-MAP/g)).toHaveLength(2);
    }
    // A maker that knows nothing of what another one made before: numbers that go back cannot be listed.
    const { media: anew } = new Recorder().feed(changed(-1));
    expect(anew).toContain('#EXT-X-MEDIA-SEQUENCE:1800000002\n#EXT-X-DISCONTINUITY-SEQUENCE:-1\n');
    expect(anew.match(/#EXT-X-MAP/g)).toHaveLength(1);
  });

  it('forgets the init segment of a segment that was given up, unless another one needs it', () => {
    const source = new FrameSource();
    const recorder = new Recorder().feed(source.add({ seconds: 1 }));
    recorder.hls.gap();
    source.newSource();
    recorder.feed(source.add({ seconds: 3, from: 10, tracks: [VIDEO] }));
    expect([...recorder.files.keys()].filter((name) => name.startsWith('init-'))).toHaveLength(1);
  });

  it('writes init segments that name the tracks of the muxed fragments', () => {
    const recorder = new Recorder().feed(frames({ seconds: 1 }));
    const name = [...recorder.files.keys()].find((candidate) => candidate.startsWith('init-0-')) ?? '';
    const boxes = readBoxes(recorder.files.get(name)?.[0] ?? new Uint8Array());
    expect(findBox(boxes, 'moov').children.filter((box) => box.type === 'trak')).toHaveLength(2);
  });
});
