import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Decode } from '../core/mod.ts';
import type { Frame } from '../media/mod.ts';
import { renderMultivariantPlaylist } from '../protocols/hls/mod.ts';
import { AUDIO, FrameSource, VIDEO } from './hls-frames.fixture.ts';
import type { HlsSegment } from './hls-segment.ts';
import { readWindowRecord, writeWindowRecord } from './hls-window-record.ts';
import { HubToHls } from './hub-to-hls.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

/** A node that packages the stream. */
class Packager {
  readonly files = new Set<string>();
  readonly removed: string[] = [];
  readonly hls: HubToHls;

  constructor(limits = { segmentsMax: 4, bytesMax: 1e8 }) {
    const out = {
      added: (name: string) => void this.files.add(name),
      removed: (name: string) => {
        this.files.delete(name);
        this.removed.push(name);
      },
      advanced: () => undefined,
    };
    this.hls = new HubToHls(out, limits);
  }

  feed(frames: readonly Frame[]): this {
    for (const frame of frames) this.hls.frame(frame);
    return this;
  }

  /** What `other` tells of its window, as it is when it has been to the other node. */
  precedeFrom(other: Packager): readonly HlsSegment[] {
    return this.hls.precede(readWindowRecord(writeWindowRecord(other.hls.complete)));
  }

  /** All that players are told. */
  get told(): readonly string[] {
    const { playlists } = this.hls;
    if (playlists === undefined) return [];
    return [utf8Decode(playlists.media), utf8Decode(playlists.delta), renderMultivariantPlaylist([playlists.variant('source/media.m3u8')])];
  }
}

/** A stream over one or more publishers, as long as it is said. */
function streamOf(seconds: readonly number[], gopSeconds: number): readonly Frame[] {
  const source = new FrameSource();
  let from = 0;
  for (const [index, length] of seconds.entries()) {
    if (index > 0) source.newSource();
    source.add({ seconds: length, gopSeconds, from, tracks: index % 2 === 0 ? [VIDEO, AUDIO] : [VIDEO] });
    from += length + 3;
  }
  return source.frames;
}

/** Where the cache of a node begins that has come as far as `at`: with the last whole segment. */
function cacheStart(frames: readonly Frame[], at: number): number {
  const newest = frames[at]?.segment.sequence ?? 0;
  return frames.findIndex(({ segment, part, startsPart }) => segment.sequence >= newest - 1 && part === 0 && startsPart);
}

describe('a node that begins late', () => {
  it('has the playlists of one that was there from the beginning, whenever it begins and is told', () => {
    const streams = fc.record({
      seconds: fc.array(fc.integer({ min: 3, max: 25 }), { minLength: 1, maxLength: 3 }),
      gopSeconds: fc.constantFrom(1, 2, 3),
      begins: fc.double({ min: 0, max: 1, noNaN: true }),
      told: fc.double({ min: 0, max: 1, noNaN: true }),
      bytesMax: fc.constantFrom(1e8, 40_000, 90_000),
    });
    fc.assert(
      fc.property(streams, ({ seconds, gopSeconds, begins, told, bytesMax }) => {
        const limits = { segmentsMax: 4, bytesMax };
        const frames = streamOf(seconds, gopSeconds);
        const at = Math.floor(begins * (frames.length - 1));
        const toldAt = at + Math.floor(told * Math.min(200, frames.length - at));
        const first = new Packager(limits).feed(frames.slice(0, toldAt));
        const late = new Packager(limits).feed(frames.slice(cacheStart(frames, at), toldAt));
        fc.pre(late.hls.playlists !== undefined);
        late.precedeFrom(first);
        expect(late.told).toEqual(first.told);
        for (const frame of frames.slice(toldAt)) {
          first.hls.frame(frame);
          late.hls.frame(frame);
          if (frame.startsPart) expect(late.told).toEqual(first.told);
        }
      }),
      { numRuns: Math.ceil(RUNS.numRuns / 10) },
    );
  });

  it('tells the next one of what it was told itself', () => {
    const frames = streamOf([21], 2);
    const at = frames.length - 1;
    const first = new Packager().feed(frames);
    const second = new Packager().feed(frames.slice(cacheStart(frames, at)));
    second.precedeFrom(first);
    const third = new Packager().feed(frames.slice(cacheStart(frames, at)));
    third.precedeFrom(second);
    expect(third.told).toEqual(first.told);
  });

  it('says which files are the owner\u2019s to bring, and when they are not needed any more', () => {
    const source = new FrameSource();
    source.add({ seconds: 13 });
    const first = new Packager().feed(source.frames);
    const late = new Packager().feed(source.frames.slice(cacheStart(source.frames, source.frames.length - 1)));
    const kept = late.precedeFrom(first);
    expect(kept.map(({ uri }) => uri)).toEqual(first.hls.complete.slice(0, kept.length).map(({ uri }) => uri));
    expect(kept.every(({ uri }) => !late.files.has(uri))).toBe(true);
    const [oldest] = kept;
    late.feed(source.add({ seconds: 30, from: 13 }));
    expect(late.removed).toEqual(expect.arrayContaining([oldest?.uri, oldest?.parts[0]?.uri]));
  });

  it('begins with what it has where that is not told of, or does not fit', () => {
    const frames = streamOf([21], 2);
    const late = new Packager().feed(frames.slice(cacheStart(frames, frames.length - 1)));
    const before = late.told;
    expect(late.hls.precede([])).toEqual([]);
    expect(late.told).toEqual(before);
    const others = new Packager().feed(streamOf([5], 2));
    late.precedeFrom(others);
    expect(late.told[0]).toBe(before[0]);
    const small = new Packager({ segmentsMax: 4, bytesMax: 1_000 }).feed(frames.slice(cacheStart(frames, frames.length - 1)));
    const own = small.told;
    small.precedeFrom(new Packager().feed(frames));
    expect(small.told).toEqual(own);
    expect(new Packager().precedeFrom(others)).toEqual([]);
  });
});
