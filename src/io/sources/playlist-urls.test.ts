import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlaylist, rewritePlaylist } from './playlist-urls.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const BASE = new URL('https://cdn.example/live/index.m3u8');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const change = (url: URL): string => `<${url.href}>`;

describe('a playlist', () => {
  it.each([
    ['#EXTM3U\n', true],
    ['\ufeff#EXTM3U\n', true],
    ['#EXT', undefined],
    ['', undefined],
    ['#EXTINF:2\n', false],
    ['G@\u0000\u0000', false],
  ])('is known by its first bytes: %j %s', (text, is) => {
    expect(isPlaylist(bytes(text))).toBe(is);
  });

  it('keeps its relative URLs, and has its absolute ones changed wherever they stand', () => {
    const text = [
      '#EXTM3U',
      '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/k?id=1",IV=0x00',
      '#EXT-X-MAP:URI="init.mp4"',
      '#EXT-X-MEDIA:TYPE=AUDIO,URI="//audio.example:81/a.m3u8"',
      'seg1.ts',
      '/root/seg2.ts',
      'http://10.0.0.1/seg3.ts?x=http://y.example/',
      'HTTPS://CDN.example/seg4.ts',
      '//other.example/seg5.ts',
    ].join('\n');
    expect(rewritePlaylist(text, BASE, change).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-KEY:METHOD=AES-128,URI="<https://keys.example/k?id=1>",IV=0x00',
      '#EXT-X-MAP:URI="init.mp4"',
      '#EXT-X-MEDIA:TYPE=AUDIO,URI="<https://audio.example:81/a.m3u8>"',
      'seg1.ts',
      '/root/seg2.ts',
      '<http://10.0.0.1/seg3.ts?x=http://y.example/>',
      '<https://cdn.example/seg4.ts>',
      '<https://other.example/seg5.ts>',
    ]);
  });

  it('may have whatever in it', () => {
    const part = fc.constantFrom('#EXTM3U\n', 'http://', '//', 'https://a.example', '"', ',', '[', ']', ':99999', '\r\n', '%', '@', 'URI=');
    const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary', maxLength: 20 }))).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (anything) => {
        rewritePlaylist(anything, BASE, change);
        isPlaylist(bytes(anything));
      }),
      RUNS,
    );
  });
});
