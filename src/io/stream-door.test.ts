import { beforeEach, describe, expect, it, vi } from 'vitest';
import { streamRef } from '../core/mod.ts';
import { AUDIO } from '../gateways/hls-frames.fixture.ts';
import type { LiveStream } from '../hub/mod.ts';
import { emptyStream } from './broadcast.fixture.ts';
import { StreamDoor } from './stream-door.ts';

const SHOW = streamRef('live', 'show');

describe('the door', () => {
  let streams: Map<string, LiveStream>;
  let asked: string[];
  let door: StreamDoor;
  beforeEach(() => {
    streams = new Map();
    asked = [];
    door = new StreamDoor({ find: (path) => streams.get(path), waitMsMax: 50, waitersMax: 3 });
    door.add({ supply: () => false });
    door.add({
      supply: ({ path }) => {
        asked.push(path);
        return path !== 'live/none';
      },
    });
  });

  const streamWith = (tracks: LiveStream['tracks']) => Object.assign(emptyStream(), { tracks });

  it('keeps nothing of a stream that nobody brings', () => {
    expect(door.bring(streamRef('live', 'none'))).toBeUndefined();
    expect(door.waitingCount).toBe(0);
    expect(door.isAwaited('live/none')).toBe(false);
  });

  it('gives a stream that is here at once', async () => {
    streams.set(SHOW.path, streamWith([AUDIO]));
    expect(await door.bring(SHOW)).toBe(streams.get(SHOW.path));
    expect(asked).toEqual([]);
  });

  it('gives everybody a stream as soon as it has tracks', async () => {
    const both = Promise.all([door.bring(SHOW), door.bring(SHOW)]);
    expect(door.isAwaited(SHOW.path)).toBe(true);
    const stream = streamWith([]);
    streams.set(SHOW.path, stream);
    door.streamChanged(SHOW.path);
    expect(stream.sinks.size).toBe(1);
    stream.tracks = [AUDIO];
    for (const sink of stream.sinks) sink.tracks(stream.tracks);
    expect(await both).toEqual([stream, stream]);
    expect({ sinks: stream.sinks.size, waiting: door.waitingCount }).toEqual({ sinks: 0, waiting: 0 });
  });

  it('waits also for one that came without tracks before anybody asked', async () => {
    const stream = streamWith([]);
    streams.set(SHOW.path, stream);
    const brought = door.bring(SHOW);
    stream.tracks = [AUDIO];
    for (const sink of stream.sinks) sink.tracks(stream.tracks);
    expect(await brought).toBe(stream);
  });

  it('sends away who has waited long enough, and takes its sink along', async () => {
    const stream = streamWith([]);
    streams.set(SHOW.path, stream);
    expect(await door.bring(SHOW)).toBeUndefined();
    expect({ sinks: stream.sinks.size, waiting: door.waitingCount }).toEqual({ sinks: 0, waiting: 0 });
  });

  it('forgets who goes away meanwhile', async () => {
    const gone = new AbortController();
    const brought = door.bring(SHOW, gone.signal);
    gone.abort();
    expect(door.isAwaited(SHOW.path)).toBe(false);
    expect(await brought).toBeUndefined();
    expect(await door.bring(SHOW, gone.signal)).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  it('has room for so many, and sends everybody away when it closes', async () => {
    vi.useFakeTimers();
    const waiting = [1, 2, 3].map(async () => door.bring(SHOW));
    expect(await door.bring(SHOW)).toBeUndefined();
    expect(door.waitingCount).toBe(3);
    door.close();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    expect(await door.bring(SHOW)).toBeUndefined();
    expect(asked).toHaveLength(4);
    vi.useRealTimers();
  });
});
