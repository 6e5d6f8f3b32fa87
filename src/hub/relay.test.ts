import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, streamRef, ticksToMs, wallMs } from '../core/mod.ts';
import { type Frame, Timeline } from '../media/mod.ts';
import { audioTrack, FIRST_NUMBER, feed, sourceFrame, videoTrack, WALL_ZERO_MS } from '../media/source-frames.fixture.ts';
import { makeHub, noting } from './hub.fixture.ts';
import type { Publication, RelayedPublication, Sink } from './mod.ts';

const show = streamRef('live', 'show');
const from = { node: 'origin-1', agent: 'OBS', startedWallMs: wallMs(WALL_ZERO_MS - 60_000) };
const at = (ms: number) => monotonicMs(ms);

class RecordingSink implements Sink {
  readonly calls: string[] = [];
  readonly frames: Frame[] = [];
  tracks = (): void => void this.calls.push('tracks');
  frame = (frame: Frame): void => void this.frames.push(frame);
  paused = (): void => void this.calls.push('paused');
  gap = (): void => void this.calls.push('gap');
  ended = (): void => void this.calls.push('ended');
}

const videoOf = (frames: readonly Frame[]): Frame[] => frames.filter(({ track }) => track.kind === 'video');

function stamped(untilMs: number): Frame[] {
  const frames: Frame[] = [];
  const options = { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 };
  feed(new Timeline({ frame: (frame) => void frames.push(frame) }, options), { fromMs: 0, untilMs });
  return frames;
}

function setUp(streamsMax = 10, isGivenUp = (): boolean => false) {
  const events: string[] = [];
  const hub = makeHub({ holdMs: durationMs(10_000), streamsMax, isGivenUp }, noting(events));
  const said: string[] = [];
  const listener = { evicted: (reason: string) => void said.push(reason), keyframeWanted: () => void said.push('keyframe') };
  const relay = (now = 0) => hub.relay(show, from, listener, at(now));
  const publish = (policy: 'reject' | 'takeover' = 'takeover') =>
    hub.publish(show, { protocol: 'rtmp', address: '', agent: '' }, listener, policy, at(0), wallMs(WALL_ZERO_MS));
  return { hub, events, said, relay, publish, start: (now = 0) => relay(now) as RelayedPublication };
}

describe('a relayed stream', () => {
  it('delivers frames as they are, and tells where the stream comes from', () => {
    const { hub, events, said, start } = setUp();
    const relayed = start();
    const sink = new RecordingSink();
    relayed.stream.attach(sink);
    const frames = stamped(6_000);
    for (const frame of frames) relayed.write(frame, at(0));
    expect(sink.frames.every((frame, index) => frame === frames[index])).toBe(true);
    expect(relayed.stream).toMatchObject({
      publisher: { protocol: 'relay', address: 'origin-1', agent: 'OBS' },
      startedWallMs: from.startedWallMs,
      tracks: [videoTrack, audioTrack],
    });
    relayed.stream.requestKeyframe();
    hub.remove(show.path);
    expect(said).toEqual(['keyframe', 'deleted']);
    relayed.write(frames[0] as Frame, at(0));
    relayed.finish(at(0));
    expect(events).toEqual(['started live/show', 'ended live/show']);
  });

  it('goes on behind the last frame after it was lost, without a word to its sinks', () => {
    const { hub, events, start } = setUp();
    const first = start();
    const sink = new RecordingSink();
    first.stream.attach(sink);
    const frames = stamped(6_000);
    for (const frame of frames.slice(0, 200)) first.write(frame, at(0));
    first.lost(at(0));
    first.write(frames[200] as Frame, at(0));
    expect(first.stream.state).toBe('held');
    expect(first.stream.stats().bitrateBps).toBe(0);
    const late = new RecordingSink();
    first.stream.attach(late, 'segment');
    const second = start(5_000);
    expect(second.stream).toBe(first.stream);
    for (const frame of frames.slice(200)) second.write(frame, at(5_000));
    expect(sink.frames).toEqual(frames);
    expect([sink.calls, late.calls]).toEqual([['tracks'], ['tracks']]);
    expect(second.stream.state).toBe('live');
    expect(hub.wakeAt).toBeUndefined();
    expect(events).toEqual(['started live/show', 'held live/show', 'resumed live/show']);
  });

  it('says when frames are missing, and keeps none from before for newcomers', () => {
    const { start } = setUp();
    const relayed = start();
    const sink = new RecordingSink();
    relayed.stream.attach(sink);
    for (const frame of stamped(3_000)) relayed.write(frame, at(0));
    relayed.gap();
    expect(sink.calls).toEqual(['tracks', 'gap']);
    const late = new RecordingSink();
    relayed.stream.attach(late, 'segment');
    expect(late.frames).toEqual([]);
  });

  it('ends with what is whole when nobody brings it back in time', () => {
    const { hub, events, start } = setUp();
    const relayed = start();
    const sink = new RecordingSink();
    relayed.stream.attach(sink);
    for (const frame of stamped(3_000)) relayed.write(frame, at(0));
    relayed.lost(at(0));
    hub.tick(at(10_000));
    expect(sink.calls).toEqual(['tracks', 'gap', 'ended']);
    expect(events.at(-1)).toBe('ended live/show');
  });

  it('is held for as long as it is held where it comes from', () => {
    const { hub, events, start } = setUp();
    const relayed = start();
    const sink = new RecordingSink();
    relayed.stream.attach(sink);
    const frames = stamped(6_000);
    for (const frame of frames.slice(0, 100)) relayed.write(frame, at(0));
    relayed.paused();
    relayed.paused();
    expect([sink.calls, relayed.stream.state, hub.wakeAt]).toEqual([['tracks', 'paused'], 'held', undefined]);
    relayed.write(frames[100] as Frame, at(60_000));
    expect(relayed.stream.state).toBe('live');
    expect(events).toEqual(['started live/show', 'held live/show', 'resumed live/show']);
  });

  it('is not published here as well while it is live, and a stream that is published here is not relayed', () => {
    const relayed = setUp();
    relayed.start();
    expect([relayed.publish('reject'), relayed.relay()]).toEqual(['stream-taken', 'stream-taken']);
    const published = setUp(1);
    published.publish('reject');
    expect(published.relay()).toBe('stream-taken');
    expect(published.hub.relay(streamRef('live', 'other'), from, { evicted: () => undefined }, at(0))).toBe('too-many-streams');
  });

  it('is there for a publisher of this node as soon as the node that it comes from is to be left', () => {
    const { said, publish, start, hub } = setUp(10, () => true);
    start();
    expect(publish('reject')).not.toBe('stream-taken');
    expect(said).toEqual(['taken-over']);
    expect(hub.stream(show.path)?.publisher.protocol).toBe('rtmp');
    expect(publish('reject')).toBe('stream-taken');
  });

  it('goes on with a publisher of this node when it is paused or lost, behind all that was relayed, and its viewers stay', () => {
    const { hub, start, publish, said, events } = setUp();
    const relayed = start();
    const sink = new RecordingSink();
    relayed.stream.attach(sink);
    for (const frame of stamped(6_000)) relayed.write(frame, at(6_000));
    const last = sink.frames.at(-1) as Frame;
    relayed.paused();
    const publication = publish('reject') as Publication;
    expect(said).toEqual(['taken-over']);
    expect(events.at(-1)).toBe('resumed live/show');
    for (const ms of [0, 40]) publication.write(sourceFrame(videoTrack, ms, ms === 0), at(20_000 + ms), wallMs(WALL_ZERO_MS + 20_000 + ms));
    publication.write(sourceFrame(audioTrack, 0, true), at(20_040), wallMs(WALL_ZERO_MS + 20_040));
    const next = sink.frames[sink.frames.indexOf(last) + 1];
    expect(next?.segment.sequence).toBe(FIRST_NUMBER + 20);
    expect(next?.segment.discontinuity).toBe(1);
    // It began a minute before its first frame, on the other node.
    expect(ticksToMs(next?.dts ?? 0, videoTrack.timescale)).toBe(1_000 + 60_000 + 20_000);
    expect(hub.stream(show.path)).toBe(relayed.stream);
    expect(sink.calls).not.toContain('ended');
  });

  it('takes the place of one that was published here, whose viewers stay', () => {
    const { hub, relay, publish, said, events } = setUp();
    const publication = publish('reject') as Publication;
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    expect(hub.handOver(show.path, at(0))).toBe(true);
    expect(said).toEqual(['taken-over']);
    expect(events.at(-1)).toBe('held live/show');
    const relayed = relay() as RelayedPublication;
    for (const frame of stamped(2_000)) relayed.write(frame, at(0));
    expect(sink.frames.length).toBeGreaterThan(50);
    expect(hub.handOver(show.path, at(0))).toBe(false);
  });

  it('is replaced by what is published here, with greater numbers, from the newest keyframe on', () => {
    const { hub, publish, said } = setUp();
    const publication = publish('reject') as Publication;
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    feed(publication, { fromMs: 0, untilMs: 3_000 });
    const before = sink.frames.splice(0);
    const newest = videoOf(before).slice(-25);
    hub.takePlace(show.path, { discontinuity: 4, headMs: undefined }, wallMs(WALL_ZERO_MS + 3_000));
    expect(said).toEqual([]);
    expect(sink.calls).toEqual(['tracks', 'tracks']);
    expect(sink.frames.map(({ payload }) => payload)).toEqual(newest.map(({ payload }) => payload));
    expect(sink.frames[0]).toMatchObject({ isKeyframe: true, startsPart: true, part: 0, segment: { tracks: [videoTrack, audioTrack] } });
    const late = new RecordingSink();
    publication.stream.attach(late, 'segment');
    expect(late.frames).toEqual(sink.frames);
    feed(publication, { fromMs: 3_000, untilMs: 7_000, keyframeMs: 1_000 });
    expect(late.frames).toEqual(sink.frames);
    expect([...new Set(sink.frames.map(({ segment: { sequence, discontinuity } }) => `${sequence} ${discontinuity}`))]).toEqual([
      `${FIRST_NUMBER + 4} 5`,
      `${FIRST_NUMBER + 5} 5`,
      `${FIRST_NUMBER + 6} 5`,
    ]);
    // Its first segment is cut where it would have been had it begun with its keyframe's first time.
    const starts = sink.frames
      .filter(({ part, startsPart }) => part === 0 && startsPart)
      .map(({ segment }) => segment.startMs - WALL_ZERO_MS);
    expect(starts).toEqual([2_960, 4_000, 6_000]);
    const times = videoOf([...before, ...sink.frames]).map(({ dts }) => dts);
    expect(times).toEqual([...new Set(times)].toSorted((left, right) => left - right));
    // What came later has its own times.
    const last = sink.frames.findLast(({ track }) => track.kind === 'video') as Frame;
    expect(ticksToMs(last.dts, last.track.timescale)).toBe(1_000 + 6_960);
  });

  it('is replaced with times behind all that came from the other node, whose encoder was ahead, sound and pictures alike', () => {
    const { hub, publish } = setUp();
    const publication = publish('reject') as Publication;
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    feed(publication, { fromMs: 0, untilMs: 3_000 });
    const headMs = publication.stream.headMs ?? 0;
    expect(headMs).toBeCloseTo(1_000 + 2_987, -1);
    const before = sink.frames.length;
    hub.takePlace(show.path, { discontinuity: 4, headMs: headMs + 2_500 }, wallMs(WALL_ZERO_MS + 3_000));
    feed(publication, { fromMs: 3_000, untilMs: 7_000, keyframeMs: 1_000 });
    const msOf = ({ dts, track }: Frame): number => ticksToMs(dts, track.timescale);
    const after = sink.frames.slice(before);
    expect(Math.min(...after.map(msOf))).toBeGreaterThan(headMs + 2_460);
    expect(msOf(videoOf(after)[0] as Frame)).toBeGreaterThan(headMs + 2_460);
    for (const kind of ['video', 'audio']) {
      const times = sink.frames.filter(({ track }) => track.kind === kind).map(({ dts }) => dts);
      expect(times).toEqual([...new Set(times)].toSorted((left, right) => left - right));
      const last = after.findLast(({ track }) => track.kind === kind) as Frame;
      expect(msOf(last)).toBeCloseTo(1_000 + 2_500 + (kind === 'video' ? 6_960 : 6_989), -1.5);
    }
    // One that is ahead itself stays where it is.
    hub.takePlace(show.path, { discontinuity: 9, headMs: 1_000 }, wallMs(WALL_ZERO_MS + 7_000));
    feed(publication, { fromMs: 7_000, untilMs: 8_000 });
    expect(publication.stream.headMs).toBeCloseTo(1_000 + 2_500 + 7_987, -1.5);
  });

  it('is replaced by what is published here from the next keyframe on where no other is kept', () => {
    const { hub, publish, said } = setUp();
    const publication = publish('reject') as Publication;
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    const write = (ms: number, isKeyframe: boolean, wall: number, sizeBytes = 100): void =>
      publication.write(sourceFrame(videoTrack, ms, isKeyframe, sizeBytes), at(ms), wallMs(WALL_ZERO_MS + wall));
    for (let ms = 0; ms < 3_000; ms += 40) write(ms, ms % 2_000 === 0, ms, 50_000);
    const before = sink.frames.length;
    hub.takePlace(show.path, { discontinuity: 4, headMs: undefined }, wallMs(WALL_ZERO_MS + 3_000));
    expect(said).toEqual(['keyframe']);
    const late = new RecordingSink();
    publication.stream.attach(late);
    write(3_000, false, 300_000);
    expect(sink.frames.length).toBe(before);
    write(3_040, true, 300_040);
    expect(late.frames.map(({ segment: { sequence, discontinuity } }) => [sequence, discontinuity])).toEqual([[FIRST_NUMBER + 300, 5]]);
  });

  it('is replaced from the next keyframe on where the publisher makes renditions, or is away', () => {
    const { hub, publish, said } = setUp();
    const publication = publish('reject') as Publication;
    const layer = publication.rendition('low', at(0));
    const sink = new RecordingSink();
    publication.stream.attach(sink);
    feed(publication, { fromMs: 0, untilMs: 3_000 });
    const before = sink.frames.length;
    hub.takePlace(show.path, { discontinuity: 4, headMs: undefined }, wallMs(WALL_ZERO_MS + 3_000));
    expect([said, sink.frames.length]).toEqual([['keyframe'], before]);
    layer?.end();
    publication.lost(at(3_000));
    hub.takePlace(show.path, { discontinuity: 4, headMs: undefined }, wallMs(WALL_ZERO_MS + 3_000));
    expect([sink.calls.at(-1), sink.frames.length]).toEqual(['paused', before]);
  });

  it('has renditions that come with their places and are made only while they are watched', () => {
    const { events, start } = setUp();
    const relayed = start();
    const frames = stamped(6_000);
    for (const frame of frames.slice(0, 100)) relayed.write(frame, at(0));
    const expected = { codec: 'h264', codecString: 'avc1.4d401e', bitrateBps: 600_000 } as const;
    const watched: boolean[] = [];
    const maker = { watched: (is: boolean) => void watched.push(is) };
    const input = relayed.rendition({ name: '360p', kind: 'video', expected }, maker, at(0));
    expect(events.at(-1)).toBe('renditions live/show');
    const rendition = relayed.stream.renditions.get('360p');
    const sink = new RecordingSink();
    const leave = rendition?.attach(sink);
    for (const frame of frames) input?.write(frame, at(0));
    for (const frame of frames.slice(100)) relayed.write(frame, at(0));
    expect(sink.frames).toEqual(frames);
    relayed.paused();
    expect(sink.calls).toEqual(['tracks']);
    input?.paused();
    input?.gap();
    expect(sink.calls).toEqual(['tracks', 'paused', 'gap']);
    // Another maker takes over while somebody watches.
    const other = relayed.rendition({ name: '360p', kind: 'video', expected }, maker, at(0));
    input?.end();
    leave?.();
    expect(watched).toEqual([true, true, false]);
    other?.rest();
    other?.lost();
    expect(rendition?.tracks).toEqual([]);
    other?.end();
    expect(relayed.stream.renditions.size).toBe(0);
  });

  it.each(['taken over', 'lost before'])(
    'leaves no renditions behind that nobody makes where it is published here from then on: %s',
    (how) => {
      const { events, start, publish } = setUp(10, () => true);
      const relayed = start();
      for (const frame of stamped(2_000)) relayed.write(frame, at(0));
      const offer = (name: string) =>
        ({ name, kind: 'video', expected: { codec: 'h264', codecString: 'avc1.4d401e', bitrateBps: 600_000 } }) as const;
      const sinks = { kept: new RecordingSink(), gone: new RecordingSink() };
      for (const [name, sink] of Object.entries(sinks)) {
        const input = relayed.rendition(offer(name), {}, at(0));
        relayed.stream.renditions.get(name)?.attach(sink);
        for (const frame of stamped(2_000)) input?.write(frame, at(0));
      }
      if (how === 'lost before') relayed.lost(at(0));
      const publication = publish('reject') as Publication;
      const names = (): string[] => [...publication.stream.renditions.keys()];
      expect(names()).toEqual(['kept', 'gone']);
      publication.rendition('kept', at(0));
      feed(publication, { fromMs: 0, untilMs: 6_000 });
      expect(names()).toContain('gone');
      feed(publication, { fromMs: 6_000, untilMs: 20_000 });
      expect(sinks.gone.calls.at(-1)).toBe('ended');
      expect(sinks.kept.calls).not.toContain('ended');
      expect(names()).not.toContain('gone');
      expect(events.at(-1)).toBe('renditions live/show');
    },
  );
});
