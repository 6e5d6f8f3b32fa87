import { describe, expect, it } from 'vitest';
import { monotonicMs, streamRef, wallMs } from '../core/mod.ts';
import type { VideoTrack } from '../media/mod.ts';
import { sourceFrame, videoTrack, WALL_ZERO_MS } from '../media/source-frames.fixture.ts';
import { makeHub } from './hub.fixture.ts';
import type { Hub, Publication, RenditionInput, Sink } from './mod.ts';

const show = streamRef('live', 'show');
const small: VideoTrack = { ...videoTrack, width: 640, height: 360 };
const at = (ms: number) => monotonicMs(ms);
const wall = (ms: number) => wallMs(WALL_ZERO_MS + ms);

/** A stream of 25 frames a second with a keyframe each 2 s, and what its makers put in beside it. */
class Scene {
  now = 0;
  changes = 0;
  readonly keyframesWanted: string[] = [];
  readonly hub = makeHub({}, { renditionsChanged: () => void this.changes++ });

  publish(name: string): Publication {
    const listener = { evicted: () => undefined, keyframeWanted: () => void this.keyframesWanted.push(name) };
    const publisher = { protocol: 'webrtc', address: '192.0.2.1', agent: name } as const;
    return this.hub.publish(show, publisher, listener, 'takeover', at(this.now), wall(this.now)) as Publication;
  }

  play(untilMs: number, publication: Publication, input?: RenditionInput): void {
    for (; this.now < untilMs; this.now += 40) {
      const isKeyframe = this.now % 2_000 === 0;
      publication.write(sourceFrame(videoTrack, this.now, isKeyframe), at(this.now), wall(this.now));
      input?.write(sourceFrame(small, this.now, isKeyframe), at(this.now));
    }
  }

  get names(): string[] {
    return [...(this.hub.stream(show.path)?.renditions.keys() ?? [])];
  }
}

function recordingSink(): { sink: Sink; calls: string[] } {
  const calls: string[] = [];
  const sink: Sink = {
    tracks: (tracks) => calls.push(`tracks ${tracks.map((track) => (track.kind === 'video' ? track.width : track.kind)).join()}`),
    frame: (frame) => calls.push(frame.isKeyframe ? 'key' : 'frame'),
    paused: () => calls.push('paused'),
    ended: () => calls.push('ended'),
  };
  return { sink, calls };
}

describe('a rendition', () => {
  it('is listed once it can be played, and newcomers begin at its keyframe', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const input = publication.rendition('h', at(0));
    expect(scene.names).toEqual([]);
    expect(publication.stream.renditionCount).toBe(0);
    scene.play(4_400, publication, input);
    expect(scene.names).toEqual(['h']);
    expect(publication.stream.renditionCount).toBe(1);
    const { sink, calls } = recordingSink();
    const rendition = publication.stream.renditions.get('h');
    rendition?.attach(sink);
    expect(calls.slice(0, 3)).toEqual(['tracks 640', 'key', 'frame']);
    expect(calls).toHaveLength(11);
    rendition?.requestKeyframe();
    expect(scene.keyframesWanted).toEqual(['one']);
    expect(rendition?.stats().bitrateBps).toBeGreaterThan(0);
  });

  it('is described by its first whole segment, and anew when it has far more or fewer bits a second', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const input = publication.rendition('h', at(0));
    const described = () => publication.stream.renditions.get('h')?.described;
    const playWith = (untilMs: number, sizeBytes: number): void => {
      for (; scene.now < untilMs; scene.now += 40) {
        const isKeyframe = scene.now % 2_000 === 0;
        publication.write(sourceFrame(videoTrack, scene.now, isKeyframe), at(scene.now), wall(scene.now));
        input?.write(sourceFrame(small, scene.now, isKeyframe, sizeBytes), at(scene.now));
      }
    };
    expect(described()).toBeUndefined();
    playWith(1_100, 1_000);
    const { codec, codecString } = small;
    expect(described()).toEqual({ codec, codecString, width: 640, height: 360, bitrateBps: 0 });
    playWith(4_000, 1_000);
    const first = described();
    expect(first?.bitrateBps).toBe(25 * 1_000 * 8);
    playWith(10_000, 1_200);
    expect(described()).toBe(first);
    expect(scene.changes).toBe(2);
    playWith(14_000, 2_000);
    expect(described()?.bitrateBps).toBe(25 * 2_000 * 8);
    expect(scene.changes).toBe(3);
    playWith(18_000, 1_000);
    expect(described()?.bitrateBps).toBe(25 * 1_000 * 8);
    expect(scene.changes).toBe(4);
  });

  it('is not measured by a segment that it began in the midst of', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    scene.play(3_000, publication);
    const input = publication.rendition('h', at(3_000));
    for (; scene.now < 8_000; scene.now += 40) {
      publication.write(sourceFrame(videoTrack, scene.now, scene.now % 2_000 === 0), at(scene.now), wall(scene.now));
      input?.write(sourceFrame(small, scene.now, scene.now % 1_000 === 0, 1_000), at(scene.now));
    }
    const rates = publication.stream.renditions.get('h')?.described?.bitrateBps;
    expect([0, 25 * 1_000 * 8]).toContain(rates);
  });

  it('ends some segments after its maker has', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const input = publication.rendition('h', at(0));
    scene.play(4_000, publication, input);
    const { sink, calls } = recordingSink();
    publication.stream.renditions.get('h')?.attach(sink);
    input?.end();
    input?.write(sourceFrame(small, 4_000, true), at(4_000));
    scene.play(12_000, publication);
    expect(scene.names).toEqual(['h']);
    scene.play(20_000, publication);
    expect(scene.names).toEqual([]);
    expect(calls.at(-1)).toBe('ended');
    // It began, was measured, and ended.
    expect(scene.changes).toBe(3);
  });

  it('goes on with another maker, and no more with the former one', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const former = publication.rendition('h', at(0));
    const latter = publication.rendition('h', at(0));
    scene.play(2_000, publication, former);
    expect(scene.names).toEqual([]);
    former?.end();
    scene.play(4_000, publication, latter);
    expect(scene.names).toEqual(['h']);
  });

  it('of a publisher that was taken over ends, though nobody said so', () => {
    const scene = new Scene();
    const former = scene.publish('one');
    scene.play(4_000, former, former.rendition('h', at(0)));
    const latter = scene.publish('two');
    scene.play(20_000, latter);
    expect(scene.names).toEqual([]);
    latter.stream.renditions.get('h')?.requestKeyframe();
    expect(scene.keyframesWanted).toEqual([]);
  });

  it('is held with its stream, and goes on with the publisher who comes back', () => {
    const scene = new Scene();
    const former = scene.publish('one');
    const stale = former.rendition('h', at(0));
    scene.play(4_000, former, stale);
    const { sink, calls } = recordingSink();
    former.stream.renditions.get('h')?.attach(sink);
    former.lost(at(scene.now));
    expect(calls.at(-1)).toBe('paused');
    expect(former.rendition('q', at(scene.now))).toBeUndefined();
    const latter = scene.publish('one');
    const input = latter.rendition('h', at(scene.now));
    stale?.write(sourceFrame(small, scene.now, true), at(scene.now));
    scene.play(10_000, latter, input);
    expect(scene.names).toEqual(['h']);
    expect(calls.filter((call) => call.startsWith('tracks'))).toHaveLength(1);
    expect(calls.at(-1)).toBe('frame');
  });

  it('of another maker than the publisher stays over a change of publisher', () => {
    const scene = new Scene();
    const former = scene.publish('one');
    const made = scene.hub.rendition(show.path, { name: 'made', kind: 'video' }, {}, at(0));
    // Its times are the timeline's, which begins at 1 s.
    const write = (input: RenditionInput | undefined, publication: Publication, untilMs: number): void => {
      for (; scene.now < untilMs; scene.now += 40) {
        const isKeyframe = scene.now % 2_000 === 0;
        publication.write(sourceFrame(videoTrack, scene.now, isKeyframe), at(scene.now), wall(scene.now));
        input?.write(sourceFrame(small, scene.now + 1_000, isKeyframe), at(scene.now));
      }
    };
    write(made, former, 4_000);
    expect(scene.names).toEqual(['made']);
    write(made, scene.publish('two'), 20_000);
    expect(scene.names).toEqual(['made']);
  });

  it('begins with the next segment where another node makes it from then on, or this one again', () => {
    const scene = new Scene();
    const elsewhere = new Scene();
    const publications = [scene.publish('one'), elsewhere.publish('one')] as const;
    const offer = { name: 'made', kind: 'video', expected: { codec: 'h264', codecString: 'avc1', bitrateBps: 1 } } as const;
    const watched: boolean[] = [];
    const maker = { watched: (isWatched: boolean) => void watched.push(isWatched) };
    const made = elsewhere.hub.rendition(show.path, offer, {}, at(0));
    let here = scene.hub.rendition(show.path, offer, maker, at(0));
    const rendition = scene.hub.stream(show.path)?.renditions.get('made');
    const frames: [number, string][] = [];
    let maketh = '';
    const gap = (): void => void frames.push([scene.now, 'gap']);
    rendition?.attach({
      tracks: () => undefined,
      frame: () => void frames.push([scene.now, maketh]),
      paused: () => undefined,
      ended: () => undefined,
      gap,
    });
    expect(watched).toEqual([true]);
    const there: { input: ReturnType<Hub['relayRendition']> } = { input: undefined };
    elsewhere.hub
      .stream(show.path)
      ?.renditions.get('made')
      ?.attach({
        tracks: () => undefined,
        frame: (frame) => there.input?.write(frame, at(scene.now)),
        paused: () => undefined,
        ended: () => undefined,
      });
    const play = (untilMs: number): void => {
      for (; scene.now < untilMs; scene.now += 40) {
        for (const publication of publications)
          publication.write(sourceFrame(videoTrack, scene.now, scene.now % 2_000 === 0), at(scene.now), wall(scene.now));
        for (const input of [here, made]) input?.write(sourceFrame(small, scene.now + 1_000, scene.now % 2_000 === 0), at(scene.now));
      }
    };
    maketh = 'here';
    play(3_000);
    there.input = scene.hub.relayRendition(show.path, offer, maker, at(scene.now));
    maketh = 'there';
    play(5_000);
    there.input?.remade();
    maketh = 'another';
    play(7_000);
    here = scene.hub.rendition(show.path, offer, maker, at(scene.now));
    maketh = 'here again';
    play(10_000);
    expect(watched).toEqual([true, true, true]);
    const begins = frames.filter(([, by], index) => by !== frames[index - 1]?.[1]);
    expect(begins).toEqual([
      // The stream's first second is gathered.
      [1_000, 'here'],
      [3_000, 'gap'],
      [4_000, 'there'],
      [5_000, 'gap'],
      [6_000, 'another'],
      [7_000, 'gap'],
      [8_000, 'here again'],
    ]);
  });

  it.each([
    ['with the next segment where its maker is another one', false, 6_000],
    ['with the next part that begins with a keyframe where its maker was lost', true, 4_960],
  ])('goes on %s', (_title, isLost, goesOnMs) => {
    const scene = new Scene();
    const elsewhere = new Scene();
    const publications = [scene.publish('one'), elsewhere.publish('one')] as const;
    const offer = { name: 'made', kind: 'video', expected: { codec: 'h264', codecString: 'avc1', bitrateBps: 1 } } as const;
    const made = elsewhere.hub.rendition(show.path, offer, {}, at(0));
    const input = scene.hub.relayRendition(show.path, offer, {}, at(0));
    const taken: number[] = [];
    const nothing = (): void => undefined;
    const sink = (frame: Sink['frame']): Sink => ({ tracks: nothing, frame, paused: nothing, ended: nothing });
    elsewhere.hub
      .stream(show.path)
      ?.renditions.get('made')
      ?.attach(sink((frame) => input?.write(frame, at(scene.now))));
    scene.hub
      .stream(show.path)
      ?.renditions.get('made')
      ?.attach(sink(() => void taken.push(scene.now)));
    const play = (untilMs: number, keyframesMs: readonly number[] = []): void => {
      for (; scene.now < untilMs; scene.now += 40) {
        const isKeyframe = scene.now % 2_000 === 0;
        for (const publication of publications)
          publication.write(sourceFrame(videoTrack, scene.now, isKeyframe), at(scene.now), wall(scene.now));
        made?.write(sourceFrame(small, scene.now + 1_000, isKeyframe || keyframesMs.includes(scene.now)), at(scene.now));
      }
    };
    play(4_600);
    expect(taken.at(-1)).toBe(4_560);
    if (isLost) input?.lost();
    input?.remade();
    // One in the middle of a part, and one at the beginning of the next.
    play(8_000, [4_800, 4_960]);
    expect(taken.find((ms) => ms > 4_560)).toBe(goesOnMs);
  });

  it('that is made of cached pictures begins with these', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    scene.play(5_000, publication);
    const offer = { name: 'made', kind: 'video', expected: { codec: 'h264', codecString: 'avc1', bitrateBps: 1 } } as const;
    const made = scene.hub.rendition(show.path, offer, {}, at(scene.now));
    const { sink, calls } = recordingSink();
    publication.stream.renditions.get('made')?.attach(sink);
    for (let ms = 4_000; ms < 5_000; ms += 40) made?.write(sourceFrame(small, ms + 1_000, ms === 4_000), at(scene.now));
    expect(calls).toEqual(['tracks 640', 'key', ...Array.from({ length: 24 }, () => 'frame')]);
  });

  it('is refused beyond sixteen, and where there is no stream', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const inputs = Array.from({ length: 20 }, (_, index) => publication.rendition(`r${index}`, at(0)));
    expect(inputs.filter((input) => input !== undefined)).toHaveLength(16);
    expect(publication.rendition('r0', at(0))).toBeDefined();
    expect(scene.hub.rendition('live/none', { name: 'x', kind: 'video' }, {}, at(0))).toBeUndefined();
  });

  it('ends behind its stream, also when its maker withdraws it because of that', () => {
    const scene = new Scene();
    const publication = scene.publish('one');
    const offer = { name: 'made', kind: 'video', expected: { codec: 'h264', codecString: 'avc1', bitrateBps: 1 } } as const;
    const watched: boolean[] = [];
    const made = scene.hub.rendition(show.path, offer, { watched: (isWatched) => void watched.push(isWatched) }, at(0));
    scene.play(4_000, publication, publication.rendition('h', at(0)));
    const ended: string[] = [];
    const sink = (name: string, act: () => void = () => undefined): Sink => ({
      ...recordingSink().sink,
      ended: () => {
        ended.push(name);
        act();
      },
    });
    const { stream } = publication;
    stream.attach(sink('maker', () => made?.end()));
    for (const name of ['h', 'made']) stream.renditions.get(name)?.attach(sink(name));
    stream.attach(sink('viewer', () => expect(scene.names).toEqual([])));
    const { changes } = scene;
    publication.finish(at(scene.now));
    expect(ended).toEqual(['maker', 'viewer', 'made', 'h']);
    expect([scene.changes, stream.renditions.size, watched]).toEqual([changes, 0, [true]]);
  });
});
