import { describe, expect, it } from 'vitest';
import { durationMs, type MonotonicMs, mediaTime, monotonicMs, sizeBytes, streamRef, wallMs } from '../core/mod.ts';
import { makeHub } from '../hub/hub.fixture.ts';
import type { Publication } from '../hub/mod.ts';
import type { Track } from '../media/mod.ts';
import { audioTrack, videoTrack, WALL_ZERO_MS } from '../media/source-frames.fixture.ts';
import { FeedSender, RelayHolderSession, RelayPullerSession, type RelayWish, type SendQueue } from '../protocols/relay/mod.ts';
import { waiting } from '../protocols/relay/relay.fixture.ts';
import { HubToHls, HubToRelay, RelayToHub } from './mod.ts';

const SEEDS = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 300) / 20);
const show = streamRef('live', 'show');

/** Deterministic numbers from 0 to 1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Bytes as characters, one for one. */
const decoder = new TextDecoder('latin1');

/** All files that a packager ever made. */
class Files {
  readonly all = new Map<string, string>();
  readonly hls = new HubToHls(this, { segmentsMax: 4, bytesMax: 1e9 });
  added(name: string, chunks: readonly Uint8Array[]): void {
    const text = chunks.map((chunk) => decoder.decode(chunk)).join('');
    // A name stands for the same bytes for ever.
    expect(this.all.get(name) ?? text).toBe(text);
    this.all.set(name, text);
  }
  removed(): void {}
  advanced(): void {}
  get playlist(): string {
    return decoder.decode(this.hls.playlists?.media);
  }
}

/** A publisher's node and an edge, with a connection between them that is slow, cuts as it likes, and breaks now and then. */
class Way {
  readonly origin = makeHub({ holdMs: durationMs(1e9), gopCacheBytesMax: sizeBytes(1e7) });
  readonly edge = makeHub({ holdMs: durationMs(1e9), gopCacheBytesMax: sizeBytes(1e7) });
  readonly originFiles = new Files();
  readonly edgeFiles = new Files();
  readonly said: string[] = [];
  readonly toHub: RelayToHub;
  publication: Publication;
  now: MonotonicMs = monotonicMs(0);
  private readonly chance: () => number;
  private feed: HubToRelay | undefined;
  private holder: RelayHolderSession | undefined;
  private puller: RelayPullerSession | undefined;
  private leave: () => void = () => undefined;
  private underWay: { readonly to: 'holder' | 'puller'; readonly bytes: Uint8Array; readonly at: number }[] = [];
  private frames = 0;
  private attached = false;
  /** The edge does not read. */
  isStuck = false;
  readonly drops: number[] = [];

  constructor(seed: number) {
    this.chance = random(seed);
    this.publication = this.publish();
    this.publication.stream.attach(this.originFiles.hls);
    const nothing = (): void => undefined;
    this.toHub = new RelayToHub(this.edge, show, {
      wanted: nothing,
      keyframeWanted: nothing,
      path: nothing,
      ended: nothing,
      evicted: nothing,
      broken: () => void this.said.push('broken'),
      refused: (_rendition, code) => void this.said.push(code),
      accepted: (_rendition, { isResumed }) => {
        this.said.push(isResumed ? 'resumed' : 'accepted');
        if (this.attached) return;
        this.attached = true;
        this.edge.stream(show.path)?.attach(this.edgeFiles.hls, 'segment');
      },
    });
  }

  publish(): Publication {
    const info = { protocol: 'rtmp', address: '', agent: '' } as const;
    const wall = wallMs(WALL_ZERO_MS + this.now);
    const publication = this.origin.publish(show, info, { evicted: () => undefined }, 'reject', this.now, wall);
    if (typeof publication === 'string') throw new Error(publication);
    return publication;
  }

  connect(): void {
    const peer = { cluster: 'c', versions: { min: 1, max: 1 } };
    const out = { wake: () => undefined, unsubscribed: () => undefined, keyframeWanted: () => undefined, closed: () => undefined };
    const holder = new RelayHolderSession(
      { ...out, subscribe: (id, wish) => this.serve(holder, id, wish) },
      { ...peer, node: 'a', peerNode: 'b' },
      this.now,
    );
    this.holder = holder;
    this.puller = new RelayPullerSession(
      { ...out, opened: () => undefined, hop: () => undefined },
      { ...peer, node: 'b', peerNode: 'a' },
      this.now,
    );
    const { position } = this.toHub.assembler;
    this.puller.subscribe({ ref: show, rendition: '', epoch: 0, hops: ['b'], ...(position === undefined ? {} : { position }) }, this.toHub);
  }

  break(): void {
    this.leave();
    this.underWay = [];
    this.holder = undefined;
    this.puller = undefined;
    this.toHub.broken(this.now);
  }

  /** Publishes for `ms`, with the connection as it is. */
  run(ms: number, isPublishing = true): void {
    for (const until = this.now + ms; this.now < until; this.now = monotonicMs(this.now + 20)) {
      if (isPublishing) this.write(audioTrack, true);
      if (isPublishing && this.now % 40 === 0) this.write(videoTrack, this.now % 2_000 === 0);
      this.carry();
    }
  }

  /** Until everything has arrived. */
  settle(): void {
    do this.run(1_000, false);
    while (this.underWay.length > 0);
  }

  private write(track: Track, isKeyframe: boolean): void {
    const dts = mediaTime(Math.round((this.now * track.timescale) / 1000));
    const payload = new Uint8Array(isKeyframe && track.kind === 'video' ? 400 : 40).fill(this.frames++ & 0xff);
    this.publication.write({ track, dts, pts: dts, isKeyframe, payload }, this.now, wallMs(WALL_ZERO_MS + this.now));
  }

  private serve(holder: RelayHolderSession, id: number, wish: RelayWish): void {
    const { stream } = this.publication;
    this.feed ??= new HubToRelay(
      stream,
      1,
      () => this.now,
      () => undefined,
    );
    const { feed } = this;
    const limits = { subscriptionBytesMax: 4_000, connectionBytesMax: 1e9 };
    const sender = new FeedSender(
      { queue: holder.queue, wake: () => this.send(), dropped: (messages) => this.drops.push(messages) },
      feed.writer,
      limits,
      wish.position,
    );
    feed.join(sender, (isResumed) => holder.accept(id, 1, { epoch: 1, startedWallMs: 0, isResumed, hops: ['a'], agent: '' }));
    this.leave = () => feed.leave(sender);
  }

  private send(): void {
    if (!this.isStuck && this.holder !== undefined) this.push('puller', this.holder.queue);
  }

  /** What waits arrives in two pieces. */
  private push(to: 'holder' | 'puller', queue: SendQueue): void {
    if (queue.sizeBytes === 0) return;
    const sent = waiting(queue);
    const cut = Math.floor(this.chance() * sent.length);
    const at = Math.max(this.now + this.chance() * 100, this.underWay.findLast((other) => other.to === to)?.at ?? 0);
    this.underWay.push({ to, bytes: sent.subarray(0, cut), at }, { to, bytes: sent.subarray(cut), at });
  }

  private carry(): void {
    if (this.puller !== undefined) this.push('holder', this.puller.queue);
    if (this.chance() < 0.9) this.send();
    const due = this.underWay.filter(({ at }) => at <= this.now);
    this.underWay = this.underWay.filter(({ at }) => at > this.now);
    for (const { to, bytes } of due) (to === 'holder' ? this.holder : this.puller)?.receive(bytes, this.now);
  }

  /** What the edge lists is what the origin made. */
  compare(): void {
    for (const [name, text] of this.edgeFiles.all) expect(this.originFiles.all.get(name), name).toBe(text);
  }
}

describe('a relay between two hubs', () => {
  it('loses and repeats nothing over breaks that the cache covers', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const way = new Way(seed);
      const chance = random(seed + 1_000);
      way.run(3_000);
      way.connect();
      way.run(500 + Math.floor(chance() * 100) * 20);
      for (let turn = 0; turn < 4; turn++) {
        way.break();
        way.run(Math.floor(chance() * 80) * 20);
        way.connect();
        way.run(500 + Math.floor(chance() * 100) * 20);
      }
      way.run(10_000);
      way.settle();
      way.compare();
      expect(
        way.said.filter((word) => word === 'accepted'),
        `seed ${seed}`,
      ).toHaveLength(1);
      expect(way.edgeFiles.playlist, `seed ${seed}`).toBe(way.originFiles.playlist);
      expect(way.edgeFiles.playlist.length).toBeGreaterThan(400);
    }
  });

  it('never lists a segment in part, over breaks of any length, slow readers, and publishers that drop', () => {
    let drops = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const way = new Way(seed);
      const chance = random(seed + 2_000);
      way.run(1_000);
      way.connect();
      for (let turn = 0; turn < 6; turn++) {
        way.run(Math.floor(chance() * 200) * 20);
        const isBroken = chance() < 0.6;
        if (isBroken) way.break();
        way.run(Math.floor(chance() * 400) * 20);
        if (chance() < 0.4) {
          way.publication.lost(way.now);
          way.run(Math.floor(chance() * 100) * 20, false);
          way.publication = way.publish();
        }
        way.isStuck = chance() < 0.5;
        way.run(Math.floor(chance() * 200) * 20);
        way.isStuck = false;
        if (isBroken) way.connect();
      }
      way.run(20_000);
      way.settle();
      way.compare();
      drops += way.drops.length;
      expect(way.edgeFiles.playlist, `seed ${seed}`).toBe(way.originFiles.playlist);
    }
    expect(drops).toBeGreaterThan(SEEDS);
  });
});
