import { describe, expect, it } from 'vitest';
import { profileOf } from './play-tracks.ts';

describe('the profile that a codec string names', () => {
  it.each([
    ['avc1.64001f', { h264ProfileLevelId: '64001f' }],
    ['avc1.42e01f', { h264ProfileLevelId: '42e01f' }],
    ['hvc1.1.6.L93.B0', { profile: 1 }],
    ['hev1.A2.4.L120', { profile: 2 }],
    ['av01.0.04M.08', { profile: 0 }],
    ['vp09.02.10.10', { profile: 2 }],
    ['vp8', {}],
    ['opus', {}],
  ])('%s', (codecString, profile) => {
    expect(profileOf(codecString)).toEqual(profile);
  });
});
