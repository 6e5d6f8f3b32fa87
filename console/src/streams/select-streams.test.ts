import { describe, expect, it } from 'vitest';
import { describeTracks, selectStreams } from './select-streams.ts';
import type { ListedStream } from './streams-answer.ts';

const stream = (app: string, name: string, tracks: ListedStream['tracks'] = []): ListedStream => ({
  app,
  name,
  state: 'live',
  startedMs: undefined,
  tracks,
  viewers: 0,
  bitrateBps: undefined,
});

describe('list of streams', () => {
  const streams = [stream('live', 'Morning-Show'), stream('live', 'chess'), stream('sport', 'show')];
  it('is narrowed by every word of a search', () => {
    expect(selectStreams(streams, ' SHOW  live ').map(({ name }) => name)).toEqual(['Morning-Show']);
    expect(selectStreams(streams, 'live/c').map(({ name }) => name)).toEqual(['chess']);
    expect(selectStreams(streams, '')).toHaveLength(3);
    expect(selectStreams(streams, '(')).toEqual([]);
  });
  it('tells what a stream is made of', () => {
    const tracks = [
      { kind: 'video', codec: 'h264', width: 1280, height: 720 },
      { kind: 'audio', codec: 'flac' },
    ];
    expect(describeTracks(stream('a', 'b', tracks))).toBe('1280 × 720 · H.264 · flac');
    expect(describeTracks(stream('a', 'b'))).toBe('');
  });
});
