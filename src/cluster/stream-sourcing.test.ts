import { beforeEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { type Held, StreamSourcing } from './stream-sourcing.ts';

const SHOW = 'live/show';

/** Node `e1` of region `eu`, and what it knows. */
class World {
  now = 0;
  readonly did: string[] = [];
  /** Of whose claims changes are to be told. */
  readonly followed = new Set<string>();
  readonly origins = new Map<string, Held>();
  readonly regionals = new Map<string, Held>();
  readonly draining = new Set<string>();
  readonly regions = new Map([
    ['e1', 'eu'],
    ['e2', 'eu'],
    ['e3', 'eu'],
    ['o-eu', 'eu'],
    ['o-us', 'us'],
    ['o2-us', 'us'],
  ]);
  readonly sourcing = new StreamSourcing(
    { node: 'e1', region: 'eu' },
    {
      origin: (name) => this.origins.get(name),
      regionalOrigin: (name) => this.regionals.get(name),
      regionOf: (node) => this.regions.get(node),
      isDraining: (node) => this.draining.has(node),
    },
    {
      pull: (name, { node, epoch }) => this.did.push(`pull ${name} from ${node} at ${epoch}`),
      stop: (name, isOver) => this.did.push(`stop ${name}${isOver ? ' for good' : ''}`),
      wanted: (name, isWanted) => (isWanted ? this.followed.add(name) : this.followed.delete(name)),
      claimRegion: (name) => this.did.push(`claim ${name}`),
      releaseRegion: (name) => this.did.push(`release ${name}`),
    },
  );

  want(): void {
    this.sourcing.want(SHOW, monotonicMs(this.now));
  }

  /** Changes what is known of the stream, and tells. */
  originIs(node: string, epoch: number, isAlive = true): void {
    this.origins.set(SHOW, { node, epoch, isAlive });
    this.changed();
  }

  regionalIs(node: string, isAlive = true): void {
    this.regionals.set(SHOW, { node, epoch: 1, isAlive });
    this.changed();
  }

  changed(): void {
    this.sourcing.changed(SHOW, monotonicMs(this.now));
  }

  broken(node: string): void {
    this.sourcing.broken(SHOW, { node, epoch: 1 }, monotonicMs(this.now));
  }

  sentOn(from: string, ...nodes: string[]): void {
    this.sourcing.sentOn(SHOW, { node: from, epoch: 1 }, nodes, monotonicMs(this.now));
  }

  pass(ms: number): void {
    this.now += ms;
    this.sourcing.tick(monotonicMs(this.now));
  }

  /** What was done since the last time. */
  take(): string[] {
    return this.did.splice(0);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('where a stream comes from', () => {
  it('is its origin where that is in the same region', () => {
    world.originIs('o-eu', 7);
    world.want();
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 7`]);
  });

  it("is the region's own regional origin where the origin is in another, and that one pulls from the origin", () => {
    world.originIs('o-us', 7);
    world.want();
    expect(world.take()).toEqual([`claim ${SHOW}`]);
    world.regionalIs('e1');
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);

    const other = new World();
    other.regionalIs('e2');
    other.originIs('o-us', 7);
    other.want();
    expect(other.take()).toEqual([`pull ${SHOW} from e2 at 7`]);
  });

  it('is whoever won where two nodes wanted to be the regional origin', () => {
    world.originIs('o-us', 7);
    world.want();
    world.regionalIs('e2');
    expect(world.take()).toEqual([`claim ${SHOW}`, `pull ${SHOW} from e2 at 7`]);
  });

  it('is the origin itself when the store does not answer in time', () => {
    world.originIs('o-us', 7);
    world.want();
    world.pass(999);
    expect(world.take()).toEqual([`claim ${SHOW}`]);
    world.pass(1);
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);
  });

  it('changes when another node has claimed the stream', () => {
    world.originIs('o-eu', 7);
    world.want();
    world.originIs('e2', 9);
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 7`, `pull ${SHOW} from e2 at 9`]);
  });

  it('is given up for the claim of the region when the regional origin is out of reach, before it counts as dead', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e2');
    world.want();
    world.take();
    world.broken('e2');
    expect(world.take()).toEqual([`claim ${SHOW}`]);
    expect(world.sourcing.isSuspect('e2', monotonicMs(world.now))).toBe(true);
    world.regionalIs('e1');
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);
  });

  it('stays the same where there is no other way', () => {
    world.originIs('o-eu', 7);
    world.want();
    world.take();
    world.broken('o-eu');
    world.pass(5_000);
    expect(world.take()).toEqual([]);
  });

  it('stays the same while an origin counts as dead: its viewers lose nothing by waiting', () => {
    world.originIs('o-eu', 7);
    world.want();
    world.originIs('o-eu', 7, false);
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 7`]);
  });

  it('is awaited for a while when the claim is gone, then viewers are told that the stream is over', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e1');
    world.want();
    world.take();
    world.origins.delete(SHOW);
    world.changed();
    world.pass(14_999);
    expect(world.take()).toEqual([]);
    world.pass(1);
    expect(world.take()).toEqual([`release ${SHOW}`, `stop ${SHOW} for good`]);
    expect(world.sourcing.isWanted(SHOW)).toBe(false);
  });

  it('is nowhere any more, nor the region claimed, once nobody watches', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e1');
    world.want();
    world.take();
    world.sourcing.unwant(SHOW);
    expect(world.take()).toEqual([`release ${SHOW}`, `stop ${SHOW}`]);
    world.originIs('o-us', 8);
    expect(world.take()).toEqual([]);
  });

  it('moves away from a regional origin that drains as soon as the region has another', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e2');
    world.want();
    world.take();
    world.draining.add('e2');
    world.changed();
    // It is pulled from until then.
    expect(world.take()).toEqual([`claim ${SHOW}`]);
    world.regionalIs('e1');
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);
  });

  it('gives the claim of the region up while this node drains, and follows whoever takes it', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e1');
    world.want();
    world.take();
    world.draining.add('e1');
    world.changed();
    expect(world.take()).toEqual([`release ${SHOW}`]);
    world.regionals.delete(SHOW);
    world.changed();
    world.pass(5_000);
    expect(world.take()).toEqual([]);
    world.regionalIs('e2');
    expect(world.take()).toEqual([`pull ${SHOW} from e2 at 7`]);
    world.draining.add('e2');
    world.changed();
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);
  });

  it('is claimed again after a drain that was undone', () => {
    world.originIs('o-us', 7);
    world.draining.add('e1');
    world.want();
    expect(world.take()).toEqual([`pull ${SHOW} from o-us at 7`]);
    world.draining.delete('e1');
    world.changed();
    expect(world.take()).toEqual([`claim ${SHOW}`]);
  });

  it('is this node itself as soon as its own claim holds', () => {
    world.originIs('o-eu', 7);
    world.want();
    world.take();
    world.originIs('e1', 9);
    expect(world.take()).toEqual([`stop ${SHOW}`]);
  });

  it('can be sourced only while another node that is alive has it', () => {
    expect(world.sourcing.canSource(SHOW)).toBe(false);
    world.originIs('o-us', 7, false);
    expect(world.sourcing.canSource(SHOW)).toBe(false);
    world.originIs('o-us', 7);
    expect(world.sourcing.canSource(SHOW)).toBe(true);
    world.originIs('e1', 8);
    expect(world.sourcing.canSource(SHOW)).toBe(false);
  });

  it('stays the same while a regional origin refuses for a moment: it may not have the stream itself yet', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e2');
    world.want();
    world.take();
    for (let refusals = 0; refusals < 9; refusals++) {
      world.sourcing.refused(SHOW, { node: 'e2', epoch: 7 }, monotonicMs(world.now));
      world.pass(200);
    }
    expect(world.take()).toEqual([]);
    world.pass(5_000);
    for (let refusals = 0; refusals < 12; refusals++) {
      world.sourcing.refused(SHOW, { node: 'e2', epoch: 7 }, monotonicMs(world.now));
      world.pass(200);
    }
    expect(world.take()).toEqual([`claim ${SHOW}`]);
  });

  it('is claimed for the region once more when the claim was lost to a node that is out of reach', () => {
    world.originIs('o-us', 7);
    world.regionalIs('e2');
    world.want();
    world.broken('e2');
    world.take();
    world.sourcing.regionLost(SHOW, monotonicMs(world.now));
    world.pass(400);
    expect(world.take()).toEqual([]);
    world.pass(100);
    expect(world.take()).toEqual([`claim ${SHOW}`]);
  });
});

describe('a stream whose holder has enough nodes below it', () => {
  beforeEach(() => {
    world.originIs('o-eu', 1);
    world.want();
    world.sentOn('o-eu', 'e2', 'e3');
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`, `pull ${SHOW} from e2 at 1`]);
  });

  it('comes from the node that it names, under each new claim, too', () => {
    world.changed();
    expect(world.take()).toEqual([]);
    world.originIs('o-eu', 2);
    expect(world.take()).toEqual([`pull ${SHOW} from e2 at 2`]);
  });

  it('comes from another one when that has enough, too', () => {
    world.sentOn('e2', 'e1', 'e3');
    expect(world.take()).toEqual([`pull ${SHOW} from e3 at 1`]);
  });

  it.each([
    ['is out of reach', () => world.broken('e2')],
    [
      'drains',
      () => {
        world.draining.add('e2');
        world.changed();
      },
    ],
    [
      'is no member any more',
      () => {
        world.regions.delete('e2');
        world.changed();
      },
    ],
  ])('is asked of the holder again when the node %s', (_what, happens) => {
    happens();
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`]);
    world.sentOn('o-eu', 'e2', 'e3');
    expect(world.take()).toEqual([`pull ${SHOW} from e3 at 1`]);
  });

  it('comes from a new holder when there is one', () => {
    world.regions.set('o2-eu', 'eu');
    world.originIs('o2-eu', 2);
    expect(world.take()).toEqual([`pull ${SHOW} from o2-eu at 2`]);
  });

  it('comes from one that is to be left where all that it names are, and stays there', () => {
    world.draining.add('e2').add('e3');
    world.broken('e3');
    world.changed();
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`]);
    world.sentOn('o-eu', 'e3', 'e2');
    expect(world.take()).toEqual([`pull ${SHOW} from e2 at 1`]);
    world.changed();
    expect(world.take()).toEqual([]);
  });

  it('comes from one that was out of reach a moment ago where there is no other, until it is so again', () => {
    world.broken('e2');
    world.sentOn('o-eu', 'e2');
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`, `pull ${SHOW} from e2 at 1`]);
    world.changed();
    expect(world.take()).toEqual([]);
    world.broken('e2');
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`]);
    // It is tried for as long as nothing better is named.
    world.sentOn('o-eu', 'e2', 'e3');
    expect(world.take()).toEqual([`pull ${SHOW} from e3 at 1`]);
  });

  it('is asked of the holder again when the last resort does not give it', () => {
    world.broken('e2');
    world.sentOn('o-eu', 'e2');
    world.take();
    for (let at = 0; at <= 2_000; at += 200) {
      world.sourcing.refused(SHOW, { node: 'e2', epoch: 1 }, monotonicMs(world.now));
      world.pass(200);
    }
    expect(world.take()).toEqual([`pull ${SHOW} from o-eu at 1`]);
  });

  it('is not looked for at nodes of other regions, at this node or where it came from', () => {
    world.sentOn('e2', 'o-us', 'e1', 'e2', 'o-eu', 'unknown');
    expect(world.take()).toEqual([]);
    expect(world.sourcing.upstreamOf(SHOW)).toEqual({ node: 'e2', epoch: 1 });
  });
});

describe('when sourcing is to be ticked', () => {
  it('is when a claim on the region has been awaited for long enough, and not before something happens when nothing is awaited', () => {
    const world = new World();
    expect(world.sourcing.wakeAt).toBe(Number.POSITIVE_INFINITY);
    world.originIs('o-us', 1);
    world.want();
    expect(world.sourcing.wakeAt).toBe(world.now + 1_000);
    world.regionalIs('e2');
    world.pass(1_000);
    expect(world.sourcing.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('is when a regional origin that was out of reach may be asked again, while there is nobody else', () => {
    const world = new World();
    world.originIs('o-us', 1);
    world.regionalIs('e2');
    world.want();
    world.broken('e2');
    world.pass(1_000);
    expect(world.take()).toEqual([`pull ${SHOW} from e2 at 1`, `claim ${SHOW}`, `pull ${SHOW} from o-us at 1`]);
    world.pass(world.sourcing.wakeAt - world.now);
    expect(world.take()).toEqual([`pull ${SHOW} from e2 at 1`]);
  });

  it('is not at once for a regional origin that counts as dead, when it would be asked again if it lived', () => {
    const world = new World();
    world.originIs('o-us', 1);
    world.regionalIs('e2');
    world.want();
    world.broken('e2');
    world.regionalIs('e2', false);
    world.pass(1_000);
    world.pass(world.sourcing.wakeAt - world.now);
    expect(world.sourcing.isSuspect('e2', monotonicMs(world.now))).toBe(false);
    expect(world.sourcing.wakeAt).toBeGreaterThan(world.now);
  });

  it('is when a node that was out of reach is trusted again', () => {
    const world = new World();
    world.originIs('o-eu', 1);
    world.want();
    world.broken('o-eu');
    expect(world.sourcing.wakeAt).toBeGreaterThan(world.now);
    expect(world.sourcing.wakeAt).toBeLessThan(world.now + 60_000);
    world.pass(60_000);
    expect(world.sourcing.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('many nodes that change at once', () => {
  it('are looked at together, with the next tick', () => {
    const world = new World();
    world.originIs('o-eu', 1);
    world.want();
    world.take();
    world.regions.set('o-eu', 'us');
    for (let node = 0; node < 1_000; node++) world.sourcing.nodesChanged(undefined, monotonicMs(world.now));
    expect(world.take()).toEqual([]);
    expect(world.sourcing.wakeAt).toBeLessThanOrEqual(world.now);
    world.pass(50);
    expect(world.take()).toEqual([`claim ${SHOW}`]);
  });

  it('concern those streams alone that come by way of them', () => {
    const world = new World();
    world.originIs('o-eu', 1);
    world.want();
    world.take();
    world.regions.set('o-eu', 'us');
    world.sourcing.nodesChanged('another', monotonicMs(world.now));
    expect(world.sourcing.wakeAt).toBe(Number.POSITIVE_INFINITY);
    world.pass(50);
    expect(world.take()).toEqual([]);
    world.sourcing.nodesChanged('o-eu', monotonicMs(world.now));
    world.pass(50);
    expect(world.take()).toEqual([`claim ${SHOW}`]);
    world.regions.set('o-eu', 'eu');
    world.sourcing.nodesChanged('another', monotonicMs(world.now));
    world.pass(50);
    expect(world.take()).toEqual([]);
  });

  it('concern streams that come by way of a node below the upstream, or of the regional origin', () => {
    const [below, regional] = [new World(), new World()];
    below.originIs('o-eu', 1);
    below.want();
    below.sentOn('o-eu', 'e2');
    regional.originIs('o-us', 1);
    regional.regionalIs('e2');
    regional.want();
    const pulls = { below: below.take().at(-1), regional: regional.take().at(-1) };
    expect(pulls).toEqual({ below: `pull ${SHOW} from e2 at 1`, regional: `pull ${SHOW} from e2 at 1` });
    for (const world of [below, regional]) {
      world.draining.add('e2');
      world.regions.set('e2', 'us');
      world.sourcing.nodesChanged('e2', monotonicMs(world.now));
      world.pass(50);
    }
    expect(below.take()).toEqual([`pull ${SHOW} from o-eu at 1`]);
    expect(regional.take()).toEqual([`claim ${SHOW}`]);
  });

  it('concern a node that watches nothing in no way', () => {
    const world = new World();
    world.originIs('o-eu', 1);
    world.want();
    world.sourcing.unwant(SHOW);
    for (const node of ['o-eu', 'e1', undefined]) world.sourcing.nodesChanged(node, monotonicMs(world.now));
    expect(world.sourcing.wakeAt).toBe(Number.POSITIVE_INFINITY);
    expect(world.sourcing.size).toBe(0);
  });
});
