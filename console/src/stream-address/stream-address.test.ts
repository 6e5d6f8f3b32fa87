import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishInstructions } from './publish-instructions.ts';
import { parsePagePath, streamLinks } from './stream-address.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('watch path', () => {
  it('names a stream, with or without a slash at the end', () => {
    expect(parsePagePath('watch', '/watch/live/show')).toEqual({ app: 'live', name: 'show', path: 'live/show' });
    expect(parsePagePath('watch', '/watch/live/show/')?.path).toBe('live/show');
  });
  it.each([
    '/',
    '/watch',
    '/watch/live',
    '/watch/live/a/b',
    '/watch/live/..',
    '/watch/live/a%2fb',
    '/watch/%6cive/show',
    '/watch/live/<b>',
    '/see/live/show',
    '/watch//x',
  ])('is refused for %s', (path) => expect(parsePagePath('watch', path)).toBeUndefined());
  it('belongs to one page only', () => {
    expect(parsePagePath('publish', '/publish/live/show')?.path).toBe('live/show');
    expect(parsePagePath('publish', '/watch/live/show')).toBeUndefined();
  });
  it('never lets a character through that could change the meaning of a URL or of HTML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
        const address = parsePagePath('watch', `/watch/live/${text}`);
        if (address !== undefined) expect(address.path).toMatch(/^live\/[\w.-]{1,64}$/);
      }),
      { numRuns },
    );
  });
});

describe('links', () => {
  it('are those of the outward contract', () => {
    const links = streamLinks({ origin: 'http://[::1]:8080', hostname: '[::1]' }, { app: 'live', name: 'show', path: 'live/show' });
    expect(links).toMatchObject({
      watch: 'http://[::1]:8080/watch/live/show',
      whep: 'http://[::1]:8080/live/show/whep',
      hls: 'http://[::1]:8080/live/show/index.m3u8',
      flv: 'http://[::1]:8080/live/show.flv',
      rtmp: 'rtmp://[::1]/live/show',
    });
    expect(links.embedCode).toContain('<iframe src="http://[::1]:8080/watch/live/show?embed=1"');
  });
  it('tell an encoder where to publish', () => {
    const publish = publishInstructions('example.org');
    expect(publish).toMatchObject({ server: 'rtmp://example.org/live', streamKey: 'show' });
    expect(publish.ffmpeg).toMatch(/-f flv rtmp:\/\/example\.org\/live\/show$/);
  });
});
