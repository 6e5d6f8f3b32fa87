import { describe, expect, it } from 'vitest';
import { readClockBar } from './clock-bar.ts';
import { drawPictureClock } from './picture-clock.ts';

const picture = (width: number, height: number) => ({
  width,
  height,
  luma: new Uint8Array(width * height).fill(90),
  lumaStride: width,
  chroma: [new Uint8Array((width * height) >> 2), new Uint8Array((width * height) >> 2)] as const,
  chromaStride: width >> 1,
});

describe('the clock bar', () => {
  it.each([
    [1280, 720],
    [640, 360],
    [320, 180],
    [426, 240],
  ])('is read back from a %i x %i picture', (width, height) => {
    const drawn = picture(width, height);
    for (const unixMs of [0, 1, 1_795_271_404_123, 2 ** 44 - 1]) {
      drawPictureClock(drawn, unixMs);
      expect(readClockBar(width, (x, y) => drawn.luma[y * width + x] ?? 0)).toBe(unixMs);
    }
  });

  it('survives the noise of an encoder', () => {
    const drawn = picture(640, 360);
    drawPictureClock(drawn, 1_795_271_404_123);
    expect(readClockBar(640, (x, y) => (drawn.luma[y * 640 + x] ?? 0) + ((x * 31) % 41) - 20)).toBe(1_795_271_404_123);
  });

  it('is not seen where there is none', () => {
    expect(readClockBar(640, () => 200)).toBeUndefined();
    expect(readClockBar(640, (x) => (x % 24 < 12 ? 255 : 0))).toBeUndefined();
  });
});
