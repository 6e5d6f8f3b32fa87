import { describe, expect, it } from 'vitest';
import { durationMs, mediaTime, monotonicMs, sizeBytes, streamRef, wallMs } from '../core/mod.ts';
import type { Frame, Track } from '../media/mod.ts';
import { audioTrack, feed, sourceFrame, videoTrack, WALL_ZERO_MS } from '../media/source-frames.fixture.ts';
import { makeHub, noting } from './hub.fixture.ts';
import type { HubOptions, Publication, PublisherInfo, Sink, StreamEnd } from './mod.ts';

const show = streamRef('live', 'show');
const publisher: PublisherInfo = { protocol: 'rtmp', address: '192.0.2.1', agent: 'test' };
const wall = wallMs(WALL_ZERO_MS);
const at = (ms: number) => monotonicMs(ms);
/** The timeline begins at one second. */
const shiftMs = (ticks: number) => mediaTime(ticks + 90_000);

class RecordingSink implements Sink {
  readonly calls: string[] = [];
  readonly frames: Frame[] = [];
  inForce: readonly Track[] = [];
  tracks(tracks: readonly Track[]): void {
    this.inForce = tracks;
    this.calls.push('tracks');
  }
  frame(frame: Frame): void {
    this.frames.push(frame);
    this.calls.push('frame');
  }
  paused(): void {
    this.calls.push('paused');
  }
  ended(end: StreamEnd): void {
    this.calls.push(end === 'over' ? 'ended' : end);
  }
}

function setUp(options: Partial<HubOptions> = {}) {
  const events: string[] = [];
  const errors: unknown[] = [];
  const hub = makeHub(
    { holdMs: durationMs(10_000), ...options },
    { ...noting(events), sinkFailed: (_ref, error) => void errors.push(error) },
  );
  const evictions: string[] = [];
  const publish = (now = 0, policy: 'reject' | 'takeover' = 'reject', ref = show) =>
    hub.publish(ref, publisher, { evicted: (reason) => void evictions.push(reason) }, policy, at(now), wall);
  const start = (now = 0): Publication => publish(now) as Publication;
  return { hub, events, errors, evictions, publish, start };
}

describe('Hub', () => {
  it('starts a stream, hands its frames out and ends it', () => {
    const { hub, events, start } = setUp();
    const publication = start();
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    expect(sink.calls).toEqual([]);
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    expect(sink.calls.slice(0, 2)).toEqual(['tracks', 'frame']);
    expect(sink.inForce).toEqual([videoTrack, audioTrack]);
    expect(hub.stream('live/show')).toBe(publication.stream);
    publication.finish(at(1_000));
    expect(sink.calls.at(-1)).toBe('ended');
    expect(hub.stream('live/show')).toBeUndefined();
    expect([...hub.streams()]).toEqual([]);
    const { length } = sink.frames;
    feed(publication, { fromMs: 1_000, untilMs: 2_000 });
    expect(sink.frames).toHaveLength(length);
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });

  it('says when a stream is let go of without being over, also to who comes too late', () => {
    const { hub, events, start } = setUp();
    const publication = start();
    const [sink, late] = [new RecordingSink(), new RecordingSink()];
    publication.stream.attach(sink);
    publication.release(at(1_000));
    publication.finish(at(2_000));
    publication.stream.attach(late);
    expect([sink.calls, late.calls]).toEqual([['released'], ['released']]);
    expect(hub.stream('live/show')).toBeUndefined();
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });

  it('holds a lost stream, resumes it for whoever publishes next, and keeps its viewers', () => {
    const { hub, events, start } = setUp();
    const first = start();
    const sink = new RecordingSink();
    first.stream.attach(sink);
    feed(first, { fromMs: 0, untilMs: 3_000 });
    first.lost(at(3_000));
    expect(sink.calls.at(-1)).toBe('paused');
    expect(first.stream.state).toBe('held');
    expect(first.stream.stats().bitrateBps).toBe(0);
    expect(hub.wakeAt).toBe(13_000);
    const second = start(8_000);
    expect(second.stream).toBe(first.stream);
    expect(hub.wakeAt).toBeUndefined();
    feed(second, { fromMs: 8_000, untilMs: 9_000, sourceOffsetMs: -8_000 });
    expect(sink.frames.at(-1)?.segment.discontinuity).toBe(1);
    first.lost(at(9_000));
    expect(second.stream.state).toBe('live');
    expect(events).toEqual(['started live/show', 'held live/show', 'resumed live/show']);
  });

  it('ends a held stream when its time is over, also when somebody publishes at that moment', () => {
    const { hub, events, start } = setUp();
    const first = start();
    first.lost(at(0));
    hub.tick(at(9_999));
    expect(hub.stream('live/show')).toBe(first.stream);
    const second = start(10_000);
    expect(second.stream).not.toBe(first.stream);
    expect(events).toEqual(['started live/show', 'held live/show', 'ended live/show', 'started live/show']);
  });

  it('ends a lost stream at once when nothing is to be held', () => {
    const { events, start } = setUp({ holdMs: durationMs(0) });
    start().lost(at(5));
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });

  it('refuses a second publisher, or lets it take over', () => {
    const { evictions, publish, start } = setUp();
    const first = start();
    expect(publish(1)).toBe('stream-taken');
    const sink = new RecordingSink();
    first.stream.attach(sink);
    feed(first, { fromMs: 0, untilMs: 1_000 });
    const second = publish(1_000, 'takeover') as Publication;
    expect(evictions).toEqual(['taken-over']);
    feed(first, { fromMs: 1_000, untilMs: 1_500 });
    first.finish(at(1_500));
    expect(sink.calls).not.toContain('ended');
    const { length } = sink.frames;
    feed(second, { fromMs: 1_500, untilMs: 2_000 });
    expect(sink.frames[length]?.segment.discontinuity).toBe(1);
  });

  it('refuses more streams than it may have', () => {
    const { publish } = setUp({ streamsMax: 1 });
    publish();
    expect(publish(0, 'reject', streamRef('live', 'other'))).toBe('too-many-streams');
  });

  it('ends a deleted stream and evicts its source', () => {
    const { hub, events, evictions, start } = setUp();
    start();
    expect(hub.remove('live/other')).toBe(false);
    expect(hub.remove('live/show')).toBe(true);
    expect(evictions).toEqual(['deleted']);
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });
});

describe('LiveStream', () => {
  it('gives a new sink the frames since the last keyframe, then every further one once', () => {
    const { start } = setUp();
    const publication = start();
    const early = new RecordingSink();
    publication.stream.attach(early);
    feed(publication, { fromMs: 0, untilMs: 3_000 });
    const late = new RecordingSink();
    publication.stream.attach(late);
    expect(late.calls[0]).toBe('tracks');
    expect(late.frames[0]).toMatchObject({ isKeyframe: true, startsPart: true });
    feed(publication, { fromMs: 3_000, untilMs: 5_000 });
    expect(late.frames).toEqual(early.frames.slice(-late.frames.length));
    expect(late.frames.length).toBeGreaterThan(50);
  });

  it('gives a sink that asks for it the last whole segment as well', () => {
    const { start } = setUp();
    const publication = start();
    const early = new RecordingSink();
    publication.stream.attach(early);
    feed(publication, { fromMs: 0, untilMs: 9_000 });
    const late = new RecordingSink();
    publication.stream.attach(late, 'segment');
    const newest = early.frames.at(-1)?.segment.sequence ?? 0;
    expect(late.frames[0]).toMatchObject({ isKeyframe: true, startsPart: true, part: 0, segment: { sequence: newest - 1 } });
    expect(late.frames).toEqual(early.frames.slice(-late.frames.length));
  });

  it('tells a sink that comes to a held stream so', () => {
    const { start } = setUp();
    const publication = start();
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    publication.lost(at(1_000));
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    expect([sink.calls[0], sink.calls[1], sink.calls.at(-1)]).toEqual(['tracks', 'frame', 'paused']);
  });

  it('does not keep a GOP above the limit', () => {
    const { start } = setUp({ gopCacheBytesMax: sizeBytes(5_000) });
    const publication = start();
    feed(publication, { fromMs: 0, untilMs: 1_900 });
    expect(publication.stream.stats().gopBytes).toBe(0);
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    expect(sink.calls).toEqual(['tracks']);
  });

  it('detaches a sink that throws and goes on with the others', () => {
    const { errors, start } = setUp();
    const publication = start();
    const bad = new RecordingSink();
    bad.frame = () => {
      throw new Error('bug');
    };
    const good = new RecordingSink();
    publication.stream.attach(bad);
    publication.stream.attach(good);
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    expect(errors).toHaveLength(1);
    expect(good.frames.length).toBeGreaterThan(20);
  });

  it('lets sinks attach and detach from inside a call', () => {
    const { errors, start } = setUp();
    const publication = start();
    const inner = new RecordingSink();
    const victim = new RecordingSink();
    const outer = new RecordingSink();
    let dropVictim = (): void => undefined;
    outer.frame = (frame) => {
      outer.frames.push(frame);
      if (outer.frames.length === 3) publication.stream.attach(inner);
      if (outer.frames.length === 5) dropVictim();
    };
    publication.stream.attach(outer);
    dropVictim = publication.stream.attach(victim);
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    expect(errors).toEqual([]);
    expect(inner.frames).toEqual(outer.frames);
    expect(victim.frames).toHaveLength(4);
    expect(outer.frames.length).toBeGreaterThan(20);
  });

  it('measures bitrate, frame rate and keyframe interval', () => {
    const { start } = setUp();
    const publication = start();
    feed(publication, { fromMs: 0, untilMs: 10_000, audio: undefined });
    publication.write(sourceFrame(videoTrack, 10_000, true), at(10_000), wall);
    const stats = publication.stream.stats();
    expect(stats).toMatchObject({ framesIn: 251, bytesIn: 25_100, keyframeIntervalMs: 2_000, timestampJumps: 0 });
    expect(stats.frameRate).toBeCloseTo(25, 0);
    expect(stats.bitrateBps / 20_000).toBeCloseTo(1, 1);
    expect(stats).toMatchObject(publication.stream.counts());
    expect(publication.stream.counts()).toMatchObject({ framesIn: 251, keyframeIntervalMs: 2_000, gopBytes: stats.gopBytes });
  });

  it('does not take frames that come all at once for a greater frame rate', () => {
    const { start } = setUp();
    const publication = start();
    // What an encoder kept back while it started, then one after the other.
    for (let ms = 0; ms < 3_000; ms += 40) publication.write(sourceFrame(videoTrack, ms, ms % 2_000 === 0), at(Math.max(1_000, ms)), wall);
    expect(publication.stream.stats().frameRate).toBeCloseTo(25, 0);
  });

  it('carries renditions on the timeline of their source: same segments, same parts, same sound', () => {
    const { hub, events, start } = setUp();
    const publication = start();
    const low = { ...videoTrack, width: 640, height: 360 };
    const input = publication.rendition('low', at(0));
    const sourceSink = new RecordingSink();
    publication.stream.attach(sourceSink);
    const feedBoth = (fromMs: number, untilMs: number): void => {
      // The small picture comes first: it has to wait for the source's cuts.
      feed({ write: (frame, now) => input?.write(frame, now) }, { fromMs, untilMs, sourceOffsetMs: 70_000, video: low, audio: undefined });
      feed(publication, { fromMs, untilMs, sourceOffsetMs: 70_000 });
    };
    feedBoth(0, 2_000);
    feedBoth(2_000, 4_000);
    const rendition = hub.stream('live/show')?.renditions.get('low');
    expect(events).toContain('renditions live/show');
    expect(rendition?.tracks).toEqual([low, audioTrack]);
    const sink = new RecordingSink();
    rendition?.attach(sink, 'segment');
    feedBoth(4_000, 8_000);
    publication.finish(at(8_000));
    const places = (frames: readonly Frame[], kind: string) =>
      frames
        .filter(({ track }) => track.kind === kind)
        .map(({ dts, segment, part, startsPart }) => [dts, segment.sequence, part, startsPart].join(' '));
    const inLast = (frames: readonly Frame[]): readonly Frame[] => frames.filter(({ dts, track }) => dts > (6 + 1) * track.timescale);
    expect(places(inLast(sink.frames), 'video').slice(0, 40)).toEqual(places(inLast(sourceSink.frames), 'video').slice(0, 40));
    expect(places(sink.frames, 'audio').length).toBeGreaterThan(100);
    expect(sink.calls.at(-1)).toBe('ended');
  });

  it('ends a rendition that nobody feeds any more, and takes nothing from a maker that was replaced', () => {
    const { hub, start } = setUp();
    const publication = start();
    const first = publication.rendition('low', at(0));
    const second = publication.rendition('low', at(0));
    const sink = new RecordingSink();
    feed(publication, { fromMs: 0, untilMs: 2_000 });
    feed({ write: (frame, now) => first?.write(frame, now) }, { fromMs: 0, untilMs: 2_000, audio: undefined });
    expect(hub.stream('live/show')?.renditions.size).toBe(0);
    feed({ write: (frame, now) => second?.write(frame, now) }, { fromMs: 0, untilMs: 2_000, audio: undefined });
    hub.stream('live/show')?.renditions.get('low')?.attach(sink);
    expect(hub.stream('live/show')?.renditions.size).toBe(1);
    second?.end();
    feed(publication, { fromMs: 2_000, untilMs: 20_000 });
    expect(hub.stream('live/show')?.renditions.size).toBe(0);
    expect(sink.calls.at(-1)).toBe('ended');
  });

  it('asks the source for a keyframe, and tells pictures that come out of order', () => {
    const { hub } = setUp();
    let asked = 0;
    const publication = hub.publish(show, publisher, { evicted: () => undefined, keyframeWanted: () => asked++ }, 'reject', at(0), wall);
    if (typeof publication === 'string') throw new Error(publication);
    publication.stream.requestKeyframe();
    expect(asked).toBe(1);
    feed(publication, { fromMs: 0, untilMs: 1_500 });
    expect(publication.stream.hasReorderedFrames).toBe(false);
    const frame = sourceFrame(videoTrack, 1_520, false);
    publication.write({ ...frame, pts: mediaTime(frame.dts + 18_000) }, at(1_520), wall);
    publication.write(sourceFrame(videoTrack, 1_560, false), at(1_560), wall);
    expect(publication.stream.hasReorderedFrames).toBe(true);
  });

  it('offers a rendition before it is made, says when somebody watches, and begins afresh after a rest', () => {
    const { hub, events, start } = setUp();
    const publication = start();
    const watched: boolean[] = [];
    const low = { ...videoTrack, width: 640, height: 360 };
    const expected = { codec: 'h264', codecString: 'avc1.4d401e', width: 640, height: 360, bitrateBps: 600_000 } as const;
    const input = hub.rendition('live/show', { name: '360p', kind: 'video', expected }, { watched: (is) => void watched.push(is) }, at(0));
    const rendition = hub.stream('live/show')?.renditions.get('360p');
    expect(rendition?.expected).toEqual(expected);
    expect(events).toContain('renditions live/show');
    const feedBoth = (fromMs: number, untilMs: number): void => {
      feed(publication, { fromMs, untilMs });
      feed(
        { write: (frame, now) => input?.write({ ...frame, dts: shiftMs(frame.dts), pts: shiftMs(frame.pts) }, now) },
        { fromMs, untilMs, video: low, audio: undefined },
      );
    };
    feed(publication, { fromMs: 0, untilMs: 2_000 });
    const sink = new RecordingSink();
    const detach = rendition?.attach(sink);
    expect(watched).toEqual([true]);
    feedBoth(2_000, 6_000);
    expect(sink.inForce).toEqual([low, audioTrack]);
    detach?.();
    detach?.();
    expect(watched).toEqual([true, false]);
    input?.rest();
    const late = new RecordingSink();
    rendition?.attach(late);
    expect(late.frames).toEqual([]);
    feedBoth(6_000, 8_000);
    expect(late.frames[0]?.isKeyframe).toBe(true);
    input?.end();
    expect(late.calls.at(-1)).toBe('ended');
    expect(hub.stream('live/show')?.renditions.size).toBe(0);
  });

  it('shows its newest keyframe, without a copy, while new viewers start from it', () => {
    const { start } = setUp({ gopCacheBytesMax: sizeBytes(10_000) });
    const publication = start();
    expect(publication.stream.keyframe).toBeUndefined();
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    feed(publication, { fromMs: 0, untilMs: 2_900 });
    const newest = sink.frames.findLast(({ track, isKeyframe }) => track.kind === 'video' && isKeyframe);
    expect(publication.stream.keyframe).toBe(newest);
    expect(publication.stream.keyframe?.segment.sequence).toBe(sink.frames.at(-1)?.segment.sequence);
    publication.write(sourceFrame(videoTrack, 2_900, false, 20_000), at(2_900), wall);
    expect(publication.stream.keyframe).toBeUndefined();
  });

  it('has no keyframe where there is sound alone', () => {
    const { start } = setUp();
    const publication = start();
    feed(publication, { fromMs: 0, untilMs: 2_900, video: undefined });
    expect(publication.stream.tracks).toHaveLength(1);
    expect(publication.stream.keyframe).toBeUndefined();
  });

  it('carries sound in another codec as a rendition of its own', () => {
    const { hub, start } = setUp();
    const publication = start();
    const opus = { ...audioTrack, codec: 'opus', codecString: 'opus' } as const;
    const expected = { codec: 'opus', codecString: 'opus', bitrateBps: 96_000 } as const;
    const input = hub.rendition('live/show', { name: 'opus', kind: 'audio', expected }, {}, at(0));
    const sink = new RecordingSink();
    hub.stream('live/show')?.renditions.get('opus')?.attach(sink);
    feed(publication, { fromMs: 0, untilMs: 4_000 });
    feed({ write: (frame, now) => input?.write(frame, now) }, { fromMs: 1_000, untilMs: 4_000, video: undefined, audio: opus });
    expect(sink.inForce).toEqual([opus]);
    expect(sink.frames.length).toBeGreaterThan(100);
    expect(new Set(sink.frames.map(({ track }) => track.codec))).toEqual(new Set(['opus']));
  });
});
