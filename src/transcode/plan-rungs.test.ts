import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioTrack, Track, VideoTrack } from '../media/mod.ts';
import { pictures, sound } from './ladder.fixture.ts';
import type { Ladder, Rung, VideoRung } from './ladder.ts';
import { type LadderTemplate, makeLadder, type RungSettings } from './ladder-templates.ts';
import { planRungs, RUNGS_MAX } from './plan-rungs.ts';

const template = (name: LadderTemplate, rungs: readonly RungSettings[] = []): Ladder =>
  makeLadder({ template: name, rungs, always: false, lingerMs: 10_000 }, 'auto');
const settings = (given: Partial<RungSettings>): RungSettings => ({
  name: 'one',
  codec: 'h264',
  height: 0,
  frameRateMax: 0,
  bitrateBps: 0,
  preset: 'veryfast',
  encoder: 'auto',
  channels: 0,
  ...given,
});
const custom = (...rungs: Partial<RungSettings>[]): Ladder => template('custom', rungs.map(settings));

/** `720p 1280x720 avc1.64001f 2628000`, and `-name: code` for those left out. */
function shown(ladder: Ladder, tracks: readonly Track[], hasReorderedFrames = false): string[] {
  const { planned, left } = planRungs(ladder, tracks, hasReorderedFrames);
  return [
    ...planned.map(({ rung, expected }) =>
      [
        rung.name,
        expected.width === undefined ? 'sound' : `${expected.width}x${expected.height}`,
        expected.codecString,
        expected.bitrateBps,
      ].join(' '),
    ),
    ...left.map(({ name, code }) => `-${name}: ${code}`),
  ];
}

describe('the template', () => {
  it('off makes nothing', () => {
    expect(shown(template('off'), [pictures(), sound()], true)).toEqual([]);
  });

  it('webrtc makes sound and pictures that WebRTC plays, where it does not play the source', () => {
    expect(shown(template('webrtc'), [pictures(), sound()], true)).toEqual([
      'opus sound opus 128000',
      'webrtc 1920x1080 avc1.640028 4718000',
    ]);
    expect(shown(template('webrtc'), [pictures(), sound()])).toEqual(['opus sound opus 128000', '-webrtc: not-needed']);
    expect(shown(template('webrtc'), [pictures(), sound({ codec: 'opus', codecString: 'opus' })], true)).toEqual([
      'webrtc 1920x1080 avc1.640028 4718000',
      '-opus: not-needed',
    ]);
  });

  it('abr adds smaller qualities of 30 frames a second at most', () => {
    expect(shown(template('abr'), [pictures({ frameRate: 60 }), sound()])).toEqual([
      'opus sound opus 128000',
      '720p 1280x720 avc1.64001f 2628000',
      '480p 854x480 avc1.64001f 1328000',
      '360p 640x360 avc1.64001e 728000',
      '-webrtc: not-needed',
    ]);
    const { planned } = planRungs(template('abr'), [pictures({ frameRate: 60 })], false);
    expect(planned.map(({ expected }) => expected.frameRate)).toEqual([30, 30, 30]);
  });

  it('custom makes the rungs that are given, with the encoder that all share where they name none', () => {
    const ladder = makeLadder(
      {
        template: 'custom',
        rungs: [settings({ name: 'a', height: 540, encoder: 'libx264' }), settings({ name: 'b', height: 270 })],
        always: true,
        lingerMs: 1,
      },
      'software',
    );
    expect(ladder.rungs.map((rung) => rung.kind === 'video' && rung.encoder)).toEqual(['libx264', 'software']);
    expect(ladder).toMatchObject({ always: true, lingerMs: 1 });
  });

  it('takes the encoder that all share only for rungs of its codec', () => {
    const rungs = [settings({ name: 'a' }), settings({ name: 'b', codec: 'vp9' }), settings({ name: 'c', codec: 'hevc' })];
    const encoders = (encoder: string) =>
      makeLadder({ template: 'custom', rungs, always: false, lingerMs: 0 }, encoder).rungs.map(
        (rung) => rung.kind === 'video' && rung.encoder,
      );
    expect(encoders('h264_nvenc')).toEqual(['h264_nvenc', 'auto', 'auto']);
    expect(encoders('libvpx-vp9')).toEqual(['auto', 'libvpx-vp9', 'auto']);
    expect(encoders('libx265')).toEqual(['auto', 'auto', 'libx265']);
  });
});

describe('a rung', () => {
  const small = custom({ name: '720p', height: 720, bitrateBps: 2_000_000 });

  it('is never larger than the source, and not nearly as large', () => {
    expect(shown(small, [pictures({ width: 1278, height: 718 })])).toEqual(['-720p: upscale']);
    expect(shown(small, [pictures({ width: 1280, height: 720 })])).toEqual(['-720p: near-source']);
    expect(shown(small, [pictures({ width: 1440, height: 810 })])).toEqual(['-720p: near-source']);
    expect(shown(small, [pictures({ width: 1460, height: 822 })])).toEqual(['720p 1278x720 avc1.64001f 2000000']);
  });

  it("of nearly the source's size is made where it is of use", () => {
    const source = { width: 1280, height: 720 };
    const inAnotherCodec = pictures({ ...source, codec: 'av1', codecString: 'av01.0.05M.08' });
    expect(shown(small, [inAnotherCodec])).toEqual(['720p 1280x720 avc1.64001f 2000000']);
    expect(shown(small, [pictures(source)], true)).toEqual(['720p 1280x720 avc1.64001f 2000000']);
    expect(shown(custom({ height: 720, frameRateMax: 30 }), [pictures({ ...source, frameRate: 60 })])).toEqual([
      'one 1280x720 avc1.64001f 2500000',
    ]);
    // The rung of the source's own size is the same already.
    expect(shown(template('abr'), [pictures(source)], true)).toContain('-720p: near-source');
    expect(shown(template('abr'), [pictures({ ...source, codec: 'hevc' })])).toContain('-720p: near-source');
  });

  it('takes the shorter side of a portrait source for its height', () => {
    const { planned } = planRungs(small, [pictures({ width: 1080, height: 1920 })], false);
    expect(planned[0]).toMatchObject({ rung: { height: 1280 }, expected: { width: 720, height: 1280 } });
  });

  it('has even sides, whatever the source', () => {
    expect(shown(custom({ height: 0 }), [pictures({ width: 853, height: 481 })], true)).toEqual(['one 852x480 avc1.64001f 1360000']);
    expect(shown(custom({ height: 360 }), [pictures({ width: 853, height: 481 })])).toEqual(['one 638x360 avc1.64001e 880000']);
  });

  it('is left out where there is nothing to make it of', () => {
    expect(shown(template('abr'), [sound()])).toEqual([
      'opus sound opus 128000',
      '-webrtc: no-pictures',
      '-720p: no-pictures',
      '-480p: no-pictures',
      '-360p: no-pictures',
    ]);
    expect(shown(template('webrtc'), [pictures()], true)).toEqual(['webrtc 1920x1080 avc1.640028 4590000', '-opus: no-sound']);
    expect(shown(small, [pictures({ width: 0, height: 0 })])).toEqual(['-720p: size']);
    expect(shown(custom({ height: 0 }), [pictures({ width: 8, height: 8 })], true)).toEqual(['-one: size']);
    expect(shown(small, [])).toEqual(['-720p: no-pictures']);
  });

  it('has a name of its own', () => {
    expect(shown(custom({ height: 360 }, { height: 180 }), [pictures()])).toEqual(['one 640x360 avc1.64001e 880000', '-one: name-taken']);
  });

  it('of the source itself is made for what browsers cannot play by WebRTC', () => {
    const safe = custom({ height: 0 });
    const needsRung = (track: Partial<VideoTrack>): boolean => planRungs(safe, [pictures(track)], false).planned.length === 1;
    expect(needsRung({ codec: 'hevc', codecString: 'hvc1.1.6.L93.90' })).toBe(true);
    expect(needsRung({ codecString: 'avc1.6e0028' })).toBe(true);
    expect(needsRung({ codec: 'vp9', codecString: 'vp09.02.40.10' })).toBe(true);
    expect(needsRung({ codec: 'av1', codecString: 'av01.0.08M.10' })).toBe(true);
    expect(needsRung({ codec: 'av1', codecString: 'av01.0.08M.08' })).toBe(false);
    expect(needsRung({ codec: 'vp8', codecString: 'vp08.00.40.08' })).toBe(false);
    expect(needsRung({ codec: 'vp9', codecString: 'vp09.00.40.08' })).toBe(false);
  });
});

describe('a rung of sound', () => {
  const sounds = custom({ name: 'opus', codec: 'opus' }, { name: 'aac', codec: 'aac', bitrateBps: 96_000, channels: 1 });
  const of = (audio: Partial<AudioTrack>): string[] => shown(sounds, [sound(audio)]);

  it('is made where the source has another codec, or more channels than WebRTC takes', () => {
    expect(of({ codec: 'aac' })).toEqual(['opus sound opus 128000', '-aac: not-needed']);
    expect(of({ codec: 'opus', codecString: 'opus' })).toEqual(['aac sound mp4a.40.2 96000', '-opus: not-needed']);
    expect(of({ codec: 'mp3', codecString: 'mp4a.40.34' })).toEqual(['opus sound opus 128000', 'aac sound mp4a.40.2 96000']);
    expect(of({ codec: 'opus', channels: 6 })).toEqual(['opus sound opus 128000', 'aac sound mp4a.40.2 96000']);
  });

  it('has no more channels than the source', () => {
    const { planned } = planRungs(sounds, [sound({ codec: 'mp3', channels: 1 })], false);
    expect(planned.map(({ rung }) => rung.kind === 'audio' && rung.channels)).toEqual([1, 1]);
    expect(planned.map(({ expected }) => expected.bitrateBps)).toEqual([64_000, 96_000]);
  });
});

describe('expected codecs', () => {
  const codec = (rung: Partial<VideoRung>, track: Partial<VideoTrack> = {}): string | undefined => {
    const base: VideoRung = {
      name: 'x',
      kind: 'video',
      height: 720,
      codec: 'h264',
      bitrateBps: 2_000_000,
      preset: 'veryfast',
      encoder: 'auto',
    };
    return planRungs({ rungs: [{ ...base, ...rung }], always: false, lingerMs: 0 }, [pictures(track)], false).planned[0]?.expected
      .codecString;
  };

  it.each([
    [{}, {}, 'avc1.64001f'],
    [{}, { frameRate: 60 }, 'avc1.640020'],
    [{ preset: 'ultrafast' }, {}, 'avc1.42c01f'],
    [{ height: 1080 }, { width: 3840, height: 2160 }, 'avc1.640028'],
    [{ height: 1080 }, { width: 3840, height: 2160, frameRate: 60 }, 'avc1.64002a'],
    [{ height: 2160 }, { width: 7680, height: 4320 }, 'avc1.640033'],
    [{ height: 240 }, {}, 'avc1.640015'],
    [{ codec: 'hevc' }, {}, 'hvc1.1.6.L93.90'],
    [{ codec: 'vp8' }, {}, 'vp08.00.40.08'],
    [{ codec: 'vp9' }, {}, 'vp09.00.40.08'],
    [{ codec: 'vp9', height: 360 }, {}, 'vp09.00.30.08'],
    [{ codec: 'av1' }, {}, 'av01.0.05M.08'],
    [{ codec: 'av1', height: 1080 }, { width: 3840, height: 2160 }, 'av01.0.08M.08'],
  ] as const)('%j of %j is %s', (rung, track, expected) => {
    expect(codec(rung, track)).toBe(expected);
  });
});

describe('planRungs of anything', () => {
  const number = fc.oneof(fc.integer({ min: -2, max: 20_000 }), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0.5, -1, 2 ** 40));
  const size = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 4400 }) }, { weight: 1, arbitrary: number });
  const video = fc.record(
    {
      width: size,
      height: size,
      codec: fc.constantFrom('h264', 'hevc', 'av1', 'vp8', 'vp9'),
      frameRate: number,
      codecString: fc.string(),
      config: fc.uint8Array(),
    },
    { requiredKeys: ['width', 'height'] },
  );
  const audio = fc.record({ codec: fc.constantFrom('aac', 'opus', 'mp3'), channels: number });
  const tracks = fc
    .tuple(fc.option(video), fc.option(audio))
    .map(([picture, tone]): Track[] => [
      ...(picture === null ? [] : [pictures(picture as Partial<VideoTrack>)]),
      ...(tone === null ? [] : [sound(tone as Partial<AudioTrack>)]),
    ]);
  const rung = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    codec: fc.constantFrom('h264', 'vp8', 'vp9', 'av1', 'hevc', 'aac', 'opus'),
    height: fc.integer({ min: 0, max: 2200 }).map((height) => height * 2),
    frameRateMax: fc.integer({ min: 0, max: 120 }),
    bitrateBps: fc.integer({ min: 0, max: 10_000_000 }),
    channels: fc.integer({ min: 0, max: 2 }),
  });
  const ladder = fc.oneof(
    fc.array(rung, { maxLength: 20 }).map((rungs) => custom(...(rungs as Partial<RungSettings>[]))),
    fc.constantFrom<LadderTemplate>('off', 'webrtc', 'abr').map((name) => template(name)),
  );

  it('is even, no larger than the source, bounded, and says of every rung what becomes of it', () => {
    fc.assert(
      fc.property(ladder, tracks, fc.boolean(), (given, source, hasReorderedFrames) => {
        const { planned, left } = planRungs(given, source, hasReorderedFrames);
        const { width = 0, height = 0, frameRate } = source.find((track): track is VideoTrack => track.kind === 'video') ?? {};
        expect(planned.length + left.length).toBe(given.rungs.length);
        expect(planned.length).toBeLessThanOrEqual(RUNGS_MAX);
        expect(new Set(planned.map(({ rung: { name } }) => name)).size).toBe(planned.length);
        for (const { rung: made, expected } of planned) {
          expect(expected.bitrateBps).toBeGreaterThan(0);
          expect(made.bitrateBps).toBeGreaterThan(0);
          expect(expected.codecString).toMatch(
            /^(avc1\.[0-9a-f]{6}|hvc1\.1\.6\.L\d+\.90|vp0[89]\.00\.\d\d\.08|av01\.0\.\d\dM\.08|opus|mp4a\.40\.2)$/,
          );
          if (made.kind === 'audio') continue;
          expect(expected.height).toBe(made.height);
          for (const side of [expected.width ?? 0, expected.height ?? 0]) expect(side % 2).toBe(0);
          expect(expected.width).toBeLessThanOrEqual(width);
          expect(expected.height).toBeLessThanOrEqual(height);
          if (expected.frameRate !== undefined && frameRate !== undefined && frameRate >= 1 && frameRate <= 240)
            expect(expected.frameRate).toBeLessThanOrEqual(frameRate);
        }
        for (const { reason } of left) expect(reason).not.toBe('');
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });

  it('keeps the shape of the source', () => {
    const shape = fc.record({ width: fc.integer({ min: 200, max: 4000 }), height: fc.integer({ min: 200, max: 4000 }) });
    fc.assert(
      fc.property(shape, fc.integer({ min: 50, max: 600 }), ({ width, height }, half) => {
        const made = planRungs(custom({ height: half * 2 }), [pictures({ width, height })], false).planned[0];
        if (made === undefined) return;
        const { width: madeWidth = 0, height: madeHeight = 0 } = made.expected;
        expect(Math.min(madeWidth, madeHeight)).toBe(half * 2);
        // Half a pixel pair off at most, on the longer side.
        expect(
          Math.abs(Math.max(madeWidth, madeHeight) - (half * 2 * Math.max(width, height)) / Math.min(width, height)),
        ).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('leaves no rung of the ladder to choose by size', () => {
    const rungs: readonly Rung[] = planRungs(template('abr'), [pictures(), sound()], true).planned.map(({ rung: made }) => made);
    expect(rungs.map(({ bitrateBps }) => bitrateBps)).toEqual([128_000, 4_590_000, 2_500_000, 1_200_000, 600_000]);
  });
});
