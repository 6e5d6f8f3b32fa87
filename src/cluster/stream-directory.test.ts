import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryEngine } from './memory-engine.fixture.ts';
import { BODY, DirectoryNode as Node, newEngine, SHOW } from './stream-directory.fixture.ts';

let engine: MemoryEngine;

beforeEach(() => {
  engine = newEngine();
});

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

  describe('with one who stands by', () => {
    let [first, second]: Node[] = [];
    const isTaken = (): boolean => second?.directory.ownEpoch(SHOW) !== undefined;
    beforeEach(() => {
      [first, second] = [new Node('o1'), new Node('o2')];
      second.secondPublisher = 'standby';
      first.publish();
      engine.advance(50);
      second.publish();
      engine.advance(5_000);
      expect(second.take()).toEqual([`stand by ${SHOW} for o1`]);
    });

    it('goes there a few messages after the connection to a node that was killed is gone', () => {
      first?.kill();
      engine.advance(20);
      expect(second?.take()).toEqual([`held ${SHOW}`]);
    });

    it('goes there with the time that the origin may have reached meanwhile, and no more than the way of a question further', () => {
      if (first === undefined || second === undefined) return;
      first.headOffsetMs = 100_000;
      engine.advance(1_000);
      first.kill();
      engine.advance(500);
      expect(second.headMs).toBeGreaterThanOrEqual(100_000 + engine.now() - 500);
      expect(second.headMs).toBeLessThanOrEqual(100_000 + engine.now() + 5);
    });

    it('goes there with the next tick when its claim says that the publisher is away', () => {
      engine.advance(230);
      first?.own.set(SHOW, 'held');
      first?.directory.describe(SHOW, { ...BODY, state: 'held' });
      engine.advance(80);
      expect(second?.take()).toEqual([`held ${SHOW}`]);
    });

    it('stays when the origin is slow to answer, however long, while its connection is there', () => {
      engine.latencyMs = 400;
      engine.advance(20_000);
      engine.latencyMs = 900;
      engine.advance(20_000);
      expect(isTaken()).toBe(false);
    });

    it('stays when the origin was away from the bus alone, or its connection alone', () => {
      first?.client.cut();
      engine.advance(5_000);
      first?.client.heal();
      engine.advance(1_000);
      second?.disconnect('o1');
      engine.advance(5_000);
      expect(isTaken()).toBe(false);
      second?.connect('o1');
      first?.client.cut();
      engine.advance(5_000);
      expect(isTaken()).toBe(false);
    });

    it('goes there when the origin has neither a connection nor an answer for a while', () => {
      engine.latencyMs = 900;
      engine.advance(3_000);
      second?.disconnect('o1');
      engine.latencyMs = 1;
      first?.client.cut();
      engine.advance(2_000);
      expect(isTaken()).toBe(true);
    });

    it('stays when it is the one who stands by that was cut off, though the origin counts as dead there until it is heard again', () => {
      second?.client.cut();
      second?.disconnect('o1');
      if (first !== undefined) first.isAlive = false;
      engine.advance(10_000);
      second?.client.heal();
      engine.advance(1_000);
      if (first !== undefined) first.isAlive = true;
      second?.connect('o1');
      engine.advance(5_000);
      expect(isTaken()).toBe(false);
      first?.kill();
      engine.advance(1_000);
      expect(isTaken()).toBe(true);
    });

    it('stays with the one who took its place when the former origin is back, and stands by itself', () => {
      if (first === undefined || second === undefined) return;
      first.secondPublisher = 'standby';
      first.client.cut();
      second.disconnect('o1');
      first.disconnect('o2');
      engine.advance(3_000);
      expect(isTaken()).toBe(true);
      second.isAlive = false;
      first.client.heal();
      engine.advance(1_000);
      second.isAlive = true;
      first.connect('o2');
      second.connect('o1');
      engine.advance(10_000);
      expect(first.take()).toEqual([`held ${SHOW}`, `stand by ${SHOW} for o2`]);
      expect(second.take()).toEqual([`held ${SHOW}`]);
    });
  });

  it('is given up by a node that was taken for dead, also over a link so slow that most questions get no answer in time', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.publish();
    engine.advance(50);
    first.client.cut();
    first.buried();
    second.publish();
    engine.advance(5_000);
    expect(second.take()).toEqual([`held ${SHOW}`]);
    first.isAlive = true;
    engine.latencyMs = 350;
    first.client.heal();
    engine.advance(10_000);
    expect(first.take()).toEqual([`held ${SHOW}`, `evict ${SHOW} for o2`]);
  });

  it('is not taken from an origin that is slow to answer by one who comes and may stand by', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    second.secondPublisher = 'standby';
    first.publish();
    engine.advance(50);
    engine.latencyMs = 600;
    second.publish();
    engine.advance(20_000);
    expect(second.take()).toEqual([`stand by ${SHOW} for o1`]);
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

  describe('have it back from one that took it and stood still', () => {
    let first: Node;
    let second: Node;

    beforeEach(() => {
      [first, second] = [new Node('o1'), new Node('o2')];
      second.secondPublisher = 'takeover';
      first.publish();
      engine.advance(50);
      second.publish();
      Object.assign(second.client, { asked: () => undefined });
    });

    it('as soon as that counts as dead, while no answer has come', () => {
      engine.advance(2_000);
      first.directory.nodesChanged();
      engine.advance(50);
      expect(first.take()).toEqual([`held ${SHOW}`]);
      second.buried();
      engine.advance(50);
      expect(first.take()).toEqual([`held ${SHOW}`]);
      expect(first.directory.sizes['asked']).toBe(0);
    });

    it('a second after it is asked again, when that counts as dead by then', () => {
      engine.advance(3_050);
      second.buried();
      engine.advance(1_000);
      expect(first.take()).toEqual([`held ${SHOW}`]);
      engine.advance(300);
      expect(first.take()).toEqual([`held ${SHOW}`]);
    });

    it('but not from one that counts as dead while nobody can be judged', () => {
      engine.advance(2_000);
      first.isJudging = false;
      second.buried();
      engine.advance(3_000);
      expect(first.take()).toEqual([`held ${SHOW}`]);
      expect(first.directory.sizes['asked']).toBe(0);
      first.isJudging = true;
      engine.advance(2_500);
      expect(first.take()).toEqual([`held ${SHOW}`]);
    });
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

  it('do not take it from each other when both wait for their publishers to come back: whoever was taken over gives way', () => {
    const [first, second] = [new Node('o1'), new Node('o2')];
    first.publish();
    engine.advance(50);
    first.own.set(SHOW, 'held');
    second.publish();
    second.own.set(SHOW, 'held');
    engine.advance(5_000);
    expect(first.take()).toEqual([`held ${SHOW}`, `evict ${SHOW} for o2`]);
    expect(second.take()).toEqual([`held ${SHOW}`]);
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

  it('is looked for as soon as the store is back, also when no node has changed meanwhile', () => {
    const [origin, edge] = [new Node('o1'), new Node('e1')];
    engine.advance(10_000);
    edge.client.cut();
    origin.publish();
    engine.advance(50);
    origin.kill();
    origin.isAlive = false;
    expect(engine.under('streams/')).toHaveLength(1);
    edge.client.heal();
    // Looked for after 5 s, and gone for 30 s then.
    engine.advance(45_000);
    expect(engine.under('')).toEqual([]);
  });

  it('is looked for by whoever becomes the one to do that, and by nobody else', () => {
    const [origin, edge] = [new Node('o1'), new Node('e1')];
    edge.isSweeper = false;
    origin.publish();
    engine.advance(50);
    origin.kill();
    origin.buried();
    expect(edge.directory.wakeAt).toBe(Number.POSITIVE_INFINITY);
    engine.advance(60_000);
    expect(engine.under('streams/')).toHaveLength(1);
    edge.isSweeper = true;
    edge.directory.nodesChanged('another');
    engine.advance(45_000);
    expect(engine.under('streams/')).toEqual([]);
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
