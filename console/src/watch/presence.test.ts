import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiPresenceOf, firstRendition, presenceOf } from './presence.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const playlist = (body: string): { status: number; body: string } => ({ status: 200, body });

describe('first rendition', () => {
  it('is the URI behind the first EXT-X-STREAM-INF', () => {
    const text =
      '#EXTM3U\r\n#EXT-X-VERSION:9\r\n\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\nsource/media.m3u8\r\n#EXT-X-STREAM-INF:BANDWIDTH=2\r\n720p/media.m3u8\r\n';
    expect(firstRendition(text)).toBe('source/media.m3u8');
  });
  it('is not found in a media playlist, a cut one, or a page of HTML', () => {
    for (const text of ['#EXTM3U\n#EXTINF:2,\n1.m4s\n', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n', '<html>', ''])
      expect(firstRendition(text)).toBeUndefined();
  });
});

describe('presence', () => {
  const live = playlist('#EXTM3U\n#EXTINF:2,\n1.m4s\n');
  it('is told by the playlist', () => {
    expect(presenceOf(live, undefined)).toBe('live');
    expect(presenceOf(playlist('#EXTM3U\n#EXTINF:2,\n1.m4s\n#EXT-X-ENDLIST\n'), undefined)).toBe('absent');
    expect(presenceOf({ status: 404, body: '' }, undefined)).toBe('absent');
    expect(presenceOf({ status: 503, body: '' }, undefined)).toBe('unreachable');
    expect(presenceOf(undefined, undefined)).toBe('unreachable');
  });
  it('takes a hold from the API, and does without the API', () => {
    expect(presenceOf(live, { status: 200, body: '{"state":"held"}' })).toBe('held');
    expect(presenceOf(live, { status: 200, body: '{"state":"live"}' })).toBe('live');
    expect(presenceOf(live, { status: 500, body: '' })).toBe('live');
    expect(presenceOf(live, { status: 200, body: 'null' })).toBe('live');
    expect(presenceOf(live, { status: 200, body: '{' })).toBe('live');
  });
  it('is told by the API alone where that is enough', () => {
    expect(apiPresenceOf({ status: 200, body: '{"state":"live"}' })).toBe('live');
    expect(apiPresenceOf({ status: 200, body: '{"state":"held"}' })).toBe('held');
    for (const status of [401, 404, 500]) expect(apiPresenceOf({ status, body: '' })).toBeUndefined();
    expect(apiPresenceOf(undefined)).toBeUndefined();
  });
  it('never throws, whatever the answers are', () => {
    const answer = fc.option(fc.record({ status: fc.integer(), body: fc.oneof(fc.string(), fc.json()) }), { nil: undefined });
    fc.assert(
      fc.property(answer, answer, (media, api) => {
        firstRendition(media?.body ?? '');
        expect(['live', 'held', 'absent', 'unreachable']).toContain(presenceOf(media, api));
      }),
      { numRuns },
    );
  });
});
