import { describe, expect, it } from 'vitest';
import { playWays, publishWays, rtmpAddress } from './publish-snippets.ts';

const page = { origin: 'https://example.org', hostname: 'example.org' };

describe('ways to publish', () => {
  it('name server, key, command and endpoint of the stream', () => {
    const [obs, ffmpeg, whip] = publishWays(page, rtmpAddress(page, undefined), 'live', 'show');
    expect(obs?.fields.map(({ value }) => value)).toEqual(['rtmp://example.org/live', 'show']);
    expect(ffmpeg?.fields[0]?.value).toMatch(/^ffmpeg -re .* -f flv "rtmp:\/\/example\.org\/live\/show"$/);
    expect(whip?.fields[0]?.value).toBe('https://example.org/live/show/whip');
  });
  it('carry a new key where it belongs', () => {
    const [obs, ffmpeg, whip] = publishWays(page, 'rtmp://example.org', 'live', 'show', { kind: 'key', value: 'K' });
    expect(obs?.fields[1]?.value).toBe('show?key=K');
    expect(ffmpeg?.fields[0]?.value).toContain('"rtmp://example.org/live/show?key=K"');
    expect(whip?.fields[1]).toEqual({ label: 'Bearer token', value: 'K' });
    expect(obs?.note).not.toContain('key=');
  });
  it('carry a signed token where it belongs', () => {
    const [obs, ffmpeg, whip] = publishWays(page, 'rtmp://example.org', 'live', 'show', { kind: 'token', value: 'T' });
    expect(obs?.fields[1]?.value).toBe('show?token=T');
    expect(ffmpeg?.fields[0]?.value).toContain('"rtmp://example.org/live/show?token=T"');
    expect(whip?.fields[1]).toEqual({ label: 'Bearer token', value: 'T' });
  });
  it('go by what a node says of itself', () => expect(rtmpAddress(page, 'rtmp://edge:1936')).toBe('rtmp://edge:1936'));
});

it('ways to play carry a signed token as each protocol takes it', () => {
  const values = playWays(page, 'rtmp://example.org', 'live', 'show', 'T').flatMap(({ fields }) => fields.map(({ value }) => value));
  expect(values).toEqual([
    'https://example.org/live/show/~T/index.m3u8',
    'https://example.org/live/show.flv?token=T',
    'rtmp://example.org/live/show?token=T',
    'ffplay -fflags nobuffer "https://example.org/live/show.flv?token=T"',
    'ffmpeg -i "https://example.org/live/show/~T/index.m3u8" -c copy show.mp4',
    'https://example.org/live/show/whep',
    'T',
  ]);
});
