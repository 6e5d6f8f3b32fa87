import { describe, expect, it } from 'vitest';
import { monotonicMs, streamRef } from '../core/mod.ts';
import { makeHub } from '../hub/hub.fixture.ts';
import type { RenditionExpectation } from '../hub/mod.ts';
import { WALL_ZERO_MS } from '../media/source-frames.fixture.ts';
import type { RelayRendition } from '../protocols/relay/mod.ts';
import { stampedFrames } from '../protocols/relay/relay.fixture.ts';
import { RelayToHub, relayRenditions } from './mod.ts';

const show = streamRef('live', 'show');
const at = (ms: number) => monotonicMs(ms);
const SETTLE_MS = 5_000;

const expected: RenditionExpectation = { codec: 'h264', codecString: 'avc1.42c01f', width: 640, height: 360, bitrateBps: 600_000 };
const pictures = (name: string): RelayRendition => ({ name, kind: 'video', audience: 'everybody', expected });
const sound: RelayRendition = {
  name: 'opus',
  kind: 'audio',
  audience: 'everybody',
  expected: { codec: 'opus', codecString: 'opus', bitrateBps: 128_000 },
};

/** A node that pulls the stream, with a viewer of each rendition that is watched. */
class Puller {
  readonly hub = makeHub();
  readonly made = new Set<string>();
  /** What is to be pulled, and not any more. */
  readonly wanted: string[] = [];
  /** What viewers were told. */
  readonly told: string[] = [];
  readonly toHub: RelayToHub;

  constructor() {
    const nothing = (): void => undefined;
    this.toHub = new RelayToHub(this.hub, show, {
      wanted: (rendition, isWanted) => void this.wanted.push(`${isWanted ? '+' : '-'}${rendition}`),
      makes: (rendition) => this.made.has(rendition),
      keyframeWanted: nothing,
      accepted: nothing,
      refused: nothing,
      path: nothing,
      broken: nothing,
      ended: nothing,
      evicted: nothing,
    });
  }

  accepted(node: string, now: number): void {
    this.toHub.accepted({ epoch: 1, startedWallMs: WALL_ZERO_MS, isResumed: false, hops: [node], agent: '' }, at(now));
  }

  lists(now: number, ...renditions: RelayRendition[]): void {
    this.toHub.renditions(renditions, at(now));
  }

  watch(name: string): void {
    const tell = (what: string) => (): void => void this.told.push(`${name} ${what}`);
    this.rendition(name)?.attach({ tracks: () => undefined, frame: tell('frame'), paused: tell('paused'), ended: tell('ended') });
  }

  rendition(name: string) {
    return this.hub.stream(show.path)?.renditions.get(name);
  }

  get offered(): string[] {
    return [...(this.hub.stream(show.path)?.renditions.keys() ?? [])];
  }
}

/** One that has the stream from node `a`, which offers pictures and sound that are watched. */
function watching(): Puller {
  const puller = new Puller();
  puller.accepted('a', 0);
  puller.lists(0, sound, pictures('webrtc'));
  puller.watch('opus');
  puller.watch('webrtc');
  expect(puller.wanted).toEqual(['+opus', '+webrtc']);
  return puller;
}

describe('the renditions of a stream that comes from another node than before', () => {
  it('keep their viewers while the node offers nothing yet, and go on when it does', () => {
    const puller = watching();
    puller.toHub.broken(at(10_000));
    puller.accepted('b', 11_000);
    puller.lists(11_000);
    puller.toHub.tick(at(11_500));
    puller.lists(11_600, pictures('webrtc'));
    expect(puller.offered).toEqual(['opus', 'webrtc']);
    // Whoever pulls from here, and every playlist, is told of both all the time.
    expect(relayRenditions(puller.hub.stream(show.path)!).map(({ name }) => name)).toEqual(['opus', 'webrtc']);
    puller.lists(11_700, sound, pictures('webrtc'));
    puller.toHub.tick(at(11_000 + SETTLE_MS));
    puller.toHub.tick(at(60_000));
    expect(puller.wanted).toEqual(['+opus', '+webrtc']);
    const [frame] = stampedFrames({ fromMs: 0, untilMs: 4_000, audio: undefined });
    puller.toHub.receiver('webrtc')?.frame(frame!, at(12_000));
    expect(puller.told).toEqual(['webrtc frame']);
  });

  it('are withdrawn when they stay away', () => {
    const puller = watching();
    puller.accepted('b', 11_000);
    puller.lists(11_000);
    puller.lists(11_600, sound);
    puller.toHub.tick(at(11_000 + SETTLE_MS - 1));
    expect(puller.told).toEqual([]);
    puller.toHub.tick(at(11_000 + SETTLE_MS));
    expect(puller.told).toEqual(['webrtc ended']);
    expect(puller.offered).toEqual(['opus']);
    expect(puller.toHub.receiver('webrtc')).toBeUndefined();
    expect(puller.wanted).toEqual(['+opus', '+webrtc', '-webrtc']);
  });

  it('are withdrawn at once when that node, or the former one, has had its time', () => {
    const puller = watching();
    puller.lists(100, sound);
    expect(puller.told).toEqual(['webrtc ended']);
    puller.accepted('b', 11_000);
    puller.lists(11_000, sound);
    puller.toHub.tick(at(11_000 + SETTLE_MS));
    puller.lists(11_001 + SETTLE_MS);
    expect(puller.told).toEqual(['webrtc ended', 'opus ended']);
  });

  it('wait as long for each further node, and while there is none', () => {
    const puller = watching();
    puller.accepted('b', 11_000);
    puller.lists(11_000);
    puller.toHub.broken(at(12_000));
    puller.toHub.tick(at(30_000));
    puller.accepted('c', 40_000);
    puller.lists(40_000);
    puller.toHub.tick(at(40_000 + SETTLE_MS - 1));
    expect(puller.told).toEqual([]);
    puller.toHub.tick(at(40_000 + SETTLE_MS));
    expect(puller.told.toSorted()).toEqual(['opus ended', 'webrtc ended']);
  });

  it('are left to this node where it makes them by then', () => {
    const puller = watching();
    puller.accepted('b', 11_000);
    puller.lists(11_000);
    puller.made.add('webrtc');
    puller.hub.rendition(show.path, pictures('webrtc'), {}, at(11_100));
    puller.lists(11_200, sound);
    puller.toHub.tick(at(11_000 + SETTLE_MS));
    expect(puller.told).toEqual([]);
    expect(puller.wanted).toEqual(['+opus', '+webrtc', '-webrtc']);
  });

  it('have room once those of the former node are gone', () => {
    const puller = new Puller();
    const twelve = (prefix: string) => Array.from({ length: 12 }, (_, index) => pictures(`${prefix}${index}`));
    puller.accepted('a', 0);
    puller.lists(0, ...twelve('old'));
    puller.accepted('b', 11_000);
    puller.lists(11_000, ...twelve('new'));
    expect(puller.offered).toHaveLength(16);
    puller.toHub.tick(at(11_000 + SETTLE_MS));
    expect(puller.offered.toSorted()).toEqual(
      twelve('new')
        .map(({ name }) => name)
        .toSorted(),
    );
  });
});
