import { beforeEach, describe, expect, it } from 'vitest';
import { type MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';
import { type OwnStreamState, type SecondPublisher, StreamDirectory } from './stream-directory.ts';
import type { StreamBody } from './stream-record.ts';

const SHOW = 'live/show';
const BODY: StreamBody = {
  startedWallMs: 1,
  discontinuity: 0,
  state: 'live',
  protocol: 'rtmp',
  tracks: [{ kind: 'video', codec: 'h264' }],
  renditions: [],
};

let engine: MemoryEngine;
let nodes: Map<string, Node>;

beforeEach(() => {
  engine = new MemoryEngine();
  nodes = new Map();
});

class Node {
  readonly did: string[] = [];
  readonly client: MemoryClient = engine.client();
  readonly directory: StreamDirectory;
  readonly region: string;
  /** What it has itself. */
  readonly own = new Map<string, OwnStreamState>();
  /** As the others judge it. */
  isAlive = true;
  isJudging = true;
  secondPublisher: SecondPublisher = 'reject';
  private readonly endTicks: () => void;

  constructor(id: string, region = 'eu') {
    this.region = region;
    nodes.set(id, this);
    const isJudging = (): boolean => this.isJudging;
    this.directory = new StreamDirectory(
      {
        store: this.client.store,
        bus: this.client.bus,
        own: { node: id, incarnation: 1 },
        region,
        nodes: {
          isAlive: (node, incarnation) => incarnation === 1 && nodes.get(node)?.isAlive === true,
          regionOf: (node) => nodes.get(node)?.region,
          isDraining: () => false,
          isSweeper: true,
          get isJudging() {
            return isJudging();
          },
        },
        now: () => engine.now(),
        ownState: (name) => this.own.get(name) ?? 'none',
        secondPublisher: () => this.secondPublisher,
      },
      {
        pull: (name, { node }) => this.did.push(`pull ${name} from ${node}`),
        stop: (name, isOver) => this.did.push(`stop ${name}${isOver ? ' for good' : ''}`),
        held: (name) => this.did.push(`held ${name}`),
        evict: (name, to) => this.did.push(`evict ${name} for ${to}`),
        standBy: (name, origin) => this.did.push(`stand by ${name} for ${origin}`),
        changed: () => undefined,
      },
    );
    this.directory.start();
    this.endTicks = engine.every(50, () => this.directory.tick(engine.now()));
  }

  publish(name = SHOW): void {
    this.own.set(name, 'live');
    this.directory.publish(name, BODY);
  }

  /** As kill -9 does: the engine forgets its subscriptions at once, the others believe in it until its heartbeats are missed. */
  kill(): void {
    this.endTicks();
    this.directory.close();
    this.client.cut();
  }

  buried(): void {
    this.isAlive = false;
    for (const node of nodes.values()) node.directory.nodesChanged();
  }

  take(): string[] {
    return this.did.splice(0);
  }
}

describe('a stream that is published on one node', () => {
  it('is known to the others, can be pulled from there, and ends everywhere when it ends', () => {
    const [origin, edge] = [new Node('o1'), new Node('e1')];
    origin.publish();
    engine.advance(50);
    expect(edge.directory.stream(SHOW)?.body).toEqual(BODY);
    expect(edge.directory.canSource(SHOW)).toBe(true);
    expect(origin.directory.canSource(SHOW)).toBe(false);
    edge.directory.want(SHOW);
    expect(edge.take()).toEqual([`pull ${SHOW} from o1`]);
    origin.directory.unpublish(SHOW);
    engine.advance(20_000);
    expect(edge.take()).toEqual([`stop ${SHOW} for good`]);
    expect(edge.directory.canSource(SHOW)).toBe(false);
  });

  it('is refused to a second publisher elsewhere while the first one is there', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.publish();
    engine.advance(50);
    second.publish();
    engine.advance(500);
    expect(second.take()).toEqual([`evict ${SHOW} for o1`]);
    expect(first.take()).toEqual([`held ${SHOW}`]);
  });

  it('goes to a second publisher where the app says so, and the first one is told', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    second.secondPublisher = 'takeover';
    first.publish();
    engine.advance(50);
    const before = first.directory.ownEpoch(SHOW) ?? 0;
    second.publish();
    engine.advance(500);
    expect(first.take()).toEqual([`held ${SHOW}`, `evict ${SHOW} for o2`]);
    expect(second.directory.ownEpoch(SHOW)).toBeGreaterThan(before);
  });

  it('goes on elsewhere at once when its publisher dropped, without waiting for anything', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.publish();
    engine.advance(50);
    first.own.set(SHOW, 'held');
    second.publish();
    engine.advance(50);
    expect(second.take()).toEqual([`held ${SHOW}`]);
    expect(first.take()).toEqual([`held ${SHOW}`, `evict ${SHOW} for o2`]);
  });

  it('goes on elsewhere at once when its node was killed, before that counts as dead', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    const edge = new Node('e1');
    first.publish();
    engine.advance(50);
    edge.directory.want(SHOW);
    first.kill();
    second.publish();
    engine.advance(50);
    expect(second.take()).toEqual([`held ${SHOW}`]);
    expect(edge.take()).toEqual([`pull ${SHOW} from o1`, `pull ${SHOW} from o2`]);
  });

  it.each([
    ['is killed', (node: Node): void => node.kill()],
    ['loses its publisher', (node: Node): void => void node.own.set(SHOW, 'held')],
    ['ends the stream', (node: Node): void => node.directory.unpublish(SHOW)],
  ])('goes to the one who stands by within a second when its node %s', (_what, end) => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    second.secondPublisher = 'standby';
    first.publish();
    engine.advance(50);
    second.publish();
    engine.advance(5_000);
    expect(second.take()).toEqual([`stand by ${SHOW} for o1`]);
    end(first);
    engine.advance(1_000);
    expect(second.take()).toEqual([`held ${SHOW}`]);
  });

  it('stays where it is when the one who stood by leaves', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    second.secondPublisher = 'standby';
    first.publish();
    engine.advance(50);
    second.publish();
    engine.advance(500);
    second.directory.unpublish(SHOW);
    first.own.set(SHOW, 'held');
    engine.advance(5_000);
    expect(first.directory.ownEpoch(SHOW)).toBeDefined();
    expect(second.take()).toEqual([`stand by ${SHOW} for o1`]);
  });

  it('is not taken from a holder that cannot be judged, until it can be', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.publish();
    engine.advance(50);
    second.isJudging = false;
    second.publish();
    engine.advance(5_000);
    expect(second.take()).toEqual([]);
    second.isJudging = true;
    engine.advance(5_000);
    expect(second.take()).toEqual([`evict ${SHOW} for o1`]);
  });
});

describe('two nodes that want the same stream for ever', () => {
  it('do not take it from each other when the app says `takeover`: whoever was taken over gives way', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.secondPublisher = 'takeover';
    second.secondPublisher = 'takeover';
    first.publish();
    engine.advance(50);
    second.publish();
    engine.advance(5_000);
    expect(first.take()).toEqual([`held ${SHOW}`, `evict ${SHOW} for o2`]);
    expect(second.take()).toEqual([`held ${SHOW}`]);
  });

  it('do not take it from each other when both stand by and both are without their publishers', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.secondPublisher = 'standby';
    second.secondPublisher = 'standby';
    first.publish();
    engine.advance(50);
    second.publish();
    engine.advance(1_000);
    first.own.set(SHOW, 'held');
    second.own.set(SHOW, 'held');
    engine.advance(5_000);
    expect(first.take()).toEqual([`held ${SHOW}`]);
    expect(second.take()).toEqual([`stand by ${SHOW} for o1`]);
  });

  it('have epochs of their own also when the store has lost everything', () => {
    const nodesOf = [new Node('o1'), new Node('o2')];
    const [first, second] = nodesOf;
    first?.publish();
    engine.advance(50);
    const epochs = new Set([first?.directory.ownEpoch(SHOW)]);
    engine.stop();
    engine.wipe();
    engine.start();
    for (let turn = 0; turn < 6; turn++) {
      const [to, from] = turn % 2 === 0 ? [second, first] : [first, second];
      from?.own.delete(SHOW);
      from?.directory.unpublish(SHOW);
      to?.publish();
      engine.advance(5_000);
      expect(to?.directory.ownEpoch(SHOW)).toBeDefined();
      epochs.add(to?.directory.ownEpoch(SHOW));
    }
    expect(epochs.size).toBe(7);
    expect([...epochs]).toEqual([...epochs].sort((left, right) => (left ?? 0) - (right ?? 0)));
  });
});

describe('what a dead node has left in the store', () => {
  it('is taken out after a while, and its viewers are told that the stream is over', () => {
    const [origin, edge] = [new Node('o1', 'us'), new Node('e1')];
    origin.publish();
    engine.advance(50);
    edge.directory.want(SHOW);
    engine.advance(500);
    origin.kill();
    origin.isAlive = false;
    edge.directory.nodesChanged();
    engine.advance(25_000);
    expect(edge.directory.stream(SHOW)).toBeDefined();
    engine.advance(30_000);
    expect(engine.under('')).toEqual([]);
    expect(edge.take().at(-1)).toBe(`stop ${SHOW} for good`);
  });

  it('stays while nobody can be judged', () => {
    const [origin, edge] = [new Node('o1'), new Node('e1')];
    origin.publish();
    engine.advance(50);
    origin.kill();
    origin.isAlive = false;
    edge.isJudging = false;
    engine.advance(120_000);
    expect(engine.under('streams/')).toHaveLength(1);
  });
});

describe('a stream from another region', () => {
  it('is pulled across by one node only, however many want it at the same time', () => {
    const origin = new Node('o1', 'us');
    const edges = Array.from({ length: 6 }, (_, index) => new Node(`e${index}`));
    origin.publish();
    engine.advance(50);
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(500);
    const pulls = edges.map((edge) => edge.take().at(-1));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from o1`)).toHaveLength(1);
    const regional = edges.findIndex(({ directory }) => directory.isRegionalOrigin(SHOW));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from e${regional}`)).toHaveLength(5);
  });

  it('is pulled across by another node as soon as the first one is out of reach', () => {
    const origin = new Node('o1', 'us');
    const edges = Array.from({ length: 4 }, (_, index) => new Node(`e${index}`));
    origin.publish();
    engine.advance(50);
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(500);
    const regional = edges.findIndex(({ directory }) => directory.isRegionalOrigin(SHOW));
    const others = edges.filter((_, index) => index !== regional);
    edges[regional]?.kill();
    for (const { directory } of others) directory.broken(SHOW, directory.upstreamOf(SHOW) ?? { node: '', epoch: 0 });
    engine.advance(100);
    const pulls = others.map((edge) => edge.take().at(-1));
    expect(pulls.filter((pull) => pull === `pull ${SHOW} from o1`)).toHaveLength(1);
    expect(pulls.filter((pull) => pull?.startsWith(`pull ${SHOW} from e`))).toHaveLength(2);
    expect(others.filter(({ directory }) => directory.isRegionalOrigin(SHOW))).toHaveLength(1);
  });

  it('is pulled across though the store is away, and by one node again when it is back', () => {
    const origin = new Node('o1', 'us');
    const edges = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    engine.stop();
    for (const { directory } of edges) directory.want(SHOW);
    engine.advance(1_200);
    expect(edges.map((edge) => edge.take())).toEqual([[`pull ${SHOW} from o1`], [`pull ${SHOW} from o1`]]);
    engine.start();
    engine.advance(10_000);
    const regional = edges.filter(({ directory }) => directory.isRegionalOrigin(SHOW));
    expect(regional).toHaveLength(1);
    const other = edges.find(({ directory }) => !directory.isRegionalOrigin(SHOW));
    expect(other?.directory.upstreamOf(SHOW)?.node).toBe(edges[0] === other ? 'e2' : 'e1');
  });

  it('leaves nothing in the store when nobody watches any more', () => {
    const [origin, edge] = [new Node('o1', 'us'), new Node('e1')];
    origin.publish();
    engine.advance(50);
    edge.directory.want(SHOW);
    engine.advance(100);
    edge.directory.unwant(SHOW);
    origin.directory.unpublish(SHOW);
    engine.advance(1_000);
    expect(engine.under('')).toEqual([]);
  });

  it('is not taken to and fro by two nodes that cannot reach each other', () => {
    const origin = new Node('o1', 'us');
    const [left, right] = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    for (const { directory } of [left, right]) directory.want(SHOW);
    engine.advance(500);
    const before = engine.under('regions/')[0]?.revision ?? 0;
    // As the relay's client does: each attempt fails.
    engine.every(500, () => {
      for (const [node, other] of [
        [left, 'e2'],
        [right, 'e1'],
      ] as const) {
        const upstream = node.directory.upstreamOf(SHOW);
        if (upstream?.node === other) node.directory.broken(SHOW, upstream);
      }
    });
    engine.advance(20_000);
    expect((engine.under('regions/')[0]?.revision ?? 0) - before).toBeLessThan(6);
  });

  it('leaves no claim on the region behind that was won late', () => {
    const origin = new Node('o1', 'us');
    const [left, right] = [new Node('e1'), new Node('e2')];
    origin.publish();
    engine.advance(50);
    for (let round = 0; round < 20; round++) {
      left.directory.want(SHOW);
      right.directory.want(SHOW);
      engine.advance(round % 7);
      left.directory.unwant(SHOW);
      engine.advance(round % 5);
      right.directory.unwant(SHOW);
      engine.advance(1_000);
      expect(engine.under('regions/')).toEqual([]);
    }
  });
});
