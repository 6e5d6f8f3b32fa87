import { describe, expect, it } from 'vitest';
import { thumbnailSize } from './thumbnail-size.ts';

describe('the size of a thumbnail', () => {
  const size = (width: number, height: number, pixelAspect = 1): string => {
    const small = thumbnailSize({ width, height, pixelAspect });
    return `${small.width}x${small.height}`;
  };

  it('is 320 wide with the shape of the picture', () => {
    expect(size(1920, 1080)).toBe('320x180');
    expect(size(1280, 720)).toBe('320x180');
    expect(size(1440, 1080)).toBe('320x240');
    expect(size(1080, 1920)).toBe('320x568');
  });

  it('is the shape on a screen where pixels are not square', () => {
    expect(size(720, 576, 64 / 45)).toBe('320x180');
    expect(size(1440, 1080, 4 / 3)).toBe('320x180');
  });

  it('is no larger than the picture, even, and at least something', () => {
    expect(size(160, 91)).toBe('160x92');
    expect(size(321, 241)).toBe('320x240');
    expect(size(1, 1)).toBe('2x2');
    expect(size(16_000, 2)).toBe('320x2');
    expect(size(2, 16_000)).toBe('2x640');
  });
});
