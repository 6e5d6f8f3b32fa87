import { describe, expect, it } from 'vitest';
import { redirectedPlaylist } from './redirected-playlist.ts';

describe('a playlist that another server answered', () => {
  it.each([
    [
      'http://a/live/x/source/media.m3u8',
      'http://b:81/live/x/source/media.m3u8?_HLS_msn=3&_HLS_part=1&via=n1.17',
      'http://b:81/live/x/source/media.m3u8',
    ],
    ['http://a/x.m3u8?token=t', 'https://a/x.m3u8?token=t&via=n1.17', 'https://a/x.m3u8?token=t'],
    ['http://a/x.m3u8', 'http://a/x.m3u8?_HLS_msn=4', undefined],
    ['http://a/x.m3u8', '', undefined],
    ['x.m3u8', 'http://b/x.m3u8', undefined],
  ])('is asked for there next time: %s, %s', (asked, answered, next) => expect(redirectedPlaylist(asked, answered)).toBe(next));
});
