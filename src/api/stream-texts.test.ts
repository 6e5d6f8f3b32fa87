import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamRef, type WallMs, wallMs } from '../core/mod.ts';
import type { Track } from '../media/mod.ts';
import { type RenditionSource, type StreamResourceOptions, type StreamSource, streamResource } from './stream-resource.ts';
import { StreamTexts } from './stream-texts.ts';
import type { LeftOutSource, RungSource } from './transcoding.ts';

const STARTED = wallMs(Date.UTC(2026, 0, 2, 3, 4, 5));

const audio = (codec: 'aac' | 'opus'): Track => ({
  kind: 'audio',
  id: 1,
  codec,
  timescale: 48_000,
  config: new Uint8Array(),
  codecString: codec === 'aac' ? 'mp4a.40.2' : 'opus',
  sampleRate: 48_000,
  channels: 2,
});

const rung: RungSource = {
  planned: { rung: { name: '360p', kind: 'video', codec: 'h264' }, expected: { codecString: 'avc1.64001e', bitrateBps: 800_000.4 } },
  condition: 'offered',
  reason: undefined,
  by: undefined,
};

const LEFT_OUT: readonly LeftOutSource[] = [
  { name: '720p', kind: 'video', codec: 'h264', code: 'near-source', reason: 'the source has nearly this size' },
];

/** A stream of which everything can change, as the hub's can. */
class ChangingStream implements StreamSource {
  readonly ref: StreamSource['ref'];
  publisher: StreamSource['publisher'] = { protocol: 'rtmp', address: '192.0.2.7', agent: 'OBS "30" – Größe' };
  tracks: readonly Track[] = [audio('aac')];
  state: 'live' | 'held' = 'live';
  readonly startedWallMs = STARTED;
  hasReorderedFrames = false;
  readonly renditions = new Map<string, RenditionSource>();
  readonly viewers = new Map<string, number>();
  rungs: readonly RungSource[] = [];
  counters = {
    framesIn: 10,
    bytesIn: 1000,
    bitrateBps: 2_500_000.4,
    frameRate: 29.97003,
    keyframeIntervalMs: 2000.2,
    timestampJumps: 0,
    driftMs: 0,
  };
  latency: StreamSource['latency'];

  constructor(name: string) {
    this.ref = streamRef('live', name);
  }

  stats(): ReturnType<StreamSource['stats']> {
    return { ...this.counters };
  }
}

const changes: Readonly<Record<string, (stream: ChangingStream) => void>> = {
  'frames come': ({ counters }) => {
    counters.framesIn += 30;
    counters.bytesIn += 30_000;
    counters.bitrateBps = counters.bitrateBps * 1.1 + 0.3;
    counters.frameRate += 0.017;
  },
  'timestamps jump': ({ counters }) => void counters.timestampJumps++,
  'timestamps drift': ({ counters }) => {
    counters.driftMs -= 7;
  },
  'its latency is known': (stream) => {
    stream.latency = { p50Ms: 1.5, p95Ms: 7 };
  },
  'a viewer comes': ({ viewers }) => void viewers.set('hls', (viewers.get('hls') ?? 0) + 1),
  'a viewer of another protocol comes': ({ viewers }) => void viewers.set('flv', (viewers.get('flv') ?? 0) + 1),
  'all viewers leave': ({ viewers }) => viewers.clear(),
  'its publisher drops': (stream) => {
    stream.state = 'held';
    stream.counters.bitrateBps = 0;
  },
  'another publisher goes on': (stream) => {
    stream.publisher = { protocol: 'webrtc', address: '192.0.2.8', agent: '' };
    stream.state = 'live';
  },
  'its tracks change': (stream) => {
    stream.tracks = [audio(stream.tracks[0]?.codec === 'aac' ? 'opus' : 'aac')];
  },
  'frames are reordered': (stream) => {
    stream.hasReorderedFrames = !stream.hasReorderedFrames;
  },
  'a rendition comes': ({ renditions }) => void renditions.set('opus', { name: 'opus', kind: 'audio', expected: { codec: 'opus' } }),
  'the rendition goes': ({ renditions }) => renditions.clear(),
  'a ladder comes': (stream) => {
    stream.rungs = [rung];
  },
  'its rung fails': (stream) => {
    stream.rungs = stream.rungs.map((one) => ({ ...one, condition: 'failed', reason: 'the "encoder" is not there', by: 'node-2' }));
  },
};

/** Says all that it goes by. */
const webrtcOf: StreamResourceOptions['webrtcOf'] = ({ tracks, hasReorderedFrames, renditions }) => {
  const codec = tracks[0]?.codec ?? '';
  if (codec === 'opus') return { audio: { playable: true } };
  if (renditions.has('opus')) return { audio: { playable: true, rendition: 'opus' } };
  return { audio: { playable: false, reason: 'codec', message: `${codec}, ${hasReorderedFrames ? 're' : ''}ordered` } };
};

/** What is said of it beside what it says itself. */
const REST = { origin: { node: 'n1' }, makers: [] };

describe('the text of a stream', () => {
  const setUp = (): { streams: ChangingStream[]; texts: StreamTexts; options: StreamResourceOptions; pass: (ms: number) => void } => {
    const streams = ['a', 'b', 'c'].map((name) => new ChangingStream(name));
    let now: WallMs = STARTED;
    const rungsOf = (path: string): readonly RungSource[] => streams.find(({ ref }) => ref.path === path)?.rungs ?? [];
    const leftOutOf = (path: string): readonly LeftOutSource[] => (rungsOf(path).length === 0 ? [] : LEFT_OUT);
    const options = { wall: () => now, webrtcOf, rungsOf, leftOutOf };
    const pass = (ms: number): void => {
      now = wallMs(now + ms);
    };
    return { streams, texts: new StreamTexts(options), options, pass };
  };

  it('says of each stream what is so now, whatever changed since the last page, to everybody what they may see', () => {
    const names = Object.keys(changes);
    const step = fc.record({ name: fc.constantFrom(...names), at: fc.nat(2), isPrivileged: fc.boolean(), ms: fc.nat(3000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const { streams, texts, options, pass } = setUp();
        for (const { name, at, isPrivileged, ms } of steps) {
          changes[name]?.(streams[at] as ChangingStream);
          pass(ms);
          for (const stream of streams) {
            const said = JSON.parse(texts.text(stream, REST, isPrivileged, options.wall())) as object;
            expect(said).toEqual({ ...streamResource(stream, options, isPrivileged), ...REST });
          }
        }
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
