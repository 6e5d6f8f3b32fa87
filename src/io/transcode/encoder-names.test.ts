import { describe, expect, it } from 'vitest';
import { encodersFor } from './encoder-names.ts';

describe('the encoders to try', () => {
  it('are hardware that is known to work, then software', () => {
    expect(encodersFor('h264', 'auto', (name) => name === 'h264_vaapi')).toEqual(['h264_vaapi', 'libx264']);
    expect(encodersFor('vp9', 'auto', () => false)).toEqual(['libvpx-vp9']);
  });

  it('are software alone, or the one that is named, where that is wished', () => {
    expect(encodersFor('av1', 'software', () => true)).toEqual(['libsvtav1']);
    expect(encodersFor('h264', 'h264_nvenc', () => false)).toEqual(['h264_nvenc']);
  });
});
