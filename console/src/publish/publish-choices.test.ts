import { describe, expect, it } from 'vitest';
import { readClockBar } from '../../../src/io/demo/clock-bar.ts';
import { codecChoices, preferring } from './codec-choice.ts';
import { problemOf, sourceProblem } from './publish-problem.ts';
import { DEFAULT_SETTINGS, encodingsOf, settingsOf, widthOf } from './publish-settings.ts';
import { drawTestPicture } from './test-picture.ts';

describe('codecs', () => {
  const capabilities = [
    { mimeType: 'video/VP8' },
    { mimeType: 'video/rtx' },
    { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=0' },
    { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1' },
    { mimeType: 'video/ulpfec' },
  ];
  it('are offered with H.264 first, and without those that only repair', () => {
    expect(codecChoices(capabilities)).toEqual(['H264', 'VP8']);
  });
  it('stand first in the offer when chosen, H.264 in packetization mode 1, and the others stay behind', () => {
    expect(preferring(capabilities, 'H264').map(({ mimeType, sdpFmtpLine }) => sdpFmtpLine ?? mimeType)).toEqual([
      'packetization-mode=1',
      'packetization-mode=0',
      'video/VP8',
      'video/rtx',
      'video/ulpfec',
    ]);
  });
});

describe('settings', () => {
  it('are read from the address; what is not right is left as it is', () => {
    expect(settingsOf(new URLSearchParams('source=test&height=360&fps=15&bitrate=800&codec=VP8&simulcast=1'))).toMatchObject({
      source: 'test',
      height: 360,
      framesPerSecond: 15,
      bitrateBps: 800_000,
      codec: 'VP8',
      simulcast: true,
    });
    expect(settingsOf(new URLSearchParams('source=tv&height=7&fps=x&bitrate=-1&simulcast=2'))).toEqual(DEFAULT_SETTINGS);
  });
  it('give a picture of 16 to 9 with an even width', () => {
    expect([360, 480, 720, 1080].map(widthOf)).toEqual([640, 854, 1280, 1920]);
  });
  it('make one encoding, or with simulcast three that share the bitrate', () => {
    expect(encodingsOf(DEFAULT_SETTINGS)).toEqual([{ maxBitrate: 2_500_000, maxFramerate: 30 }]);
    const layers = encodingsOf({ ...DEFAULT_SETTINGS, simulcast: true });
    expect(layers.map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy])).toEqual([
      ['l', 4],
      ['m', 2],
      ['h', 1],
    ]);
    expect(layers.reduce((total, { maxBitrate }) => total + (maxBitrate ?? 0), 0)).toBe(2_500_000);
  });
});

describe('problems', () => {
  it('are told in words that help', () => {
    expect(problemOf(401, 'unknown key').title).toBe('The stream key is wrong');
    expect(problemOf(409, '').hint).toContain('another name');
    expect(problemOf(500, 'oops').code).toBe('server');
    expect(problemOf(418, 'teapot')).toMatchObject({ code: 'codec', hint: 'teapot.' });
    expect(sourceProblem('NotAllowedError', '').code).toBe('denied');
    expect(sourceProblem('NotFoundError', '').code).toBe('no-device');
    expect(sourceProblem('NotReadableError', '').code).toBe('device-busy');
    expect(sourceProblem('Strange', '').hint).toBe('Strange.');
  });
});

describe('the test picture', () => {
  it.each([
    [1280, 720, 1],
    [640, 360, 1],
    // As large as simulcast's middle layer makes it.
    [1280, 720, 2],
    [1280, 720, 4],
  ])('carries its time in squares that programs read, at %i × %i made smaller by %i', (width, height, scale) => {
    const light = new Uint8Array(width * height);
    const brush = {
      fillStyle: '',
      font: '',
      textAlign: 'start' as const,
      textBaseline: 'alphabetic' as const,
      fillText: () => undefined,
      beginPath: () => undefined,
      arc: () => undefined,
      fill: () => undefined,
      fillRect(left: number, top: number, wide: number, high: number) {
        for (let y = top; y < top + high; y++)
          light.fill(this.fillStyle === '#ffffff' ? 255 : 0, y * width + left, y * width + Math.min(width, left + wide));
      },
    };
    const unixMs = Date.UTC(2026, 4, 17, 12, 34, 56, 789);
    drawTestPicture(brush, width, height, unixMs, 'live/show');
    expect(readClockBar(width / scale, (x, y) => light[y * scale * width + x * scale] ?? 0)).toBe(unixMs);
  });
});
