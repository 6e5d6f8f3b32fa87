import { afterEach, describe, expect, it } from 'vitest';
import { MemoryEngine } from '../cluster/memory-engine.fixture.ts';
import { type Claimed, decodeAllocationOrders, type NodeRole, type NodeView, type StreamBody, type WatchedRung } from '../cluster/mod.ts';
import { monotonicMs, wallMs } from '../core/mod.ts';
import { encodeWeights, TRANSCODING_KEY } from '../transcode/mod.ts';
import { AllocationFollower } from './allocation-follower.ts';
import { Allocator } from './allocator.ts';

const TICK_MS = 50;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0).reverse()) end();
});

/** Nodes of one cluster over a store and a bus in memory, in the engine's time. Each sees all others as its world says. */
class World {
  readonly engine = new MemoryEngine();
  readonly views = new Map<string, NodeView>();
  readonly nodes = new Map<string, SmallNode>();
  /** Origin by stream. */
  readonly origins = new Map<string, string>();
  /** Who makes a rung by its stream's record. */
  readonly makers = new Map<string, string>();

  add(id: string, role: NodeRole, tasksMax = 0): SmallNode {
    const endpoints = { http: 'http://127.0.0.1:1', relay: '127.0.0.1:2' };
    const record = {
      v: 1,
      id,
      region: 'eu',
      roles: [role],
      status: 'active',
      incarnation: 1,
      endpoints,
      version: '1',
      protocol: 1,
      joinedAtMs: 0,
    } as const;
    const view = { record, heartbeat: undefined, incarnation: 1, headroom: 1, isStale: false, heardAt: monotonicMs(0), clockOffsetMs: 0 };
    this.views.set(id, view);
    const node = new SmallNode(this, id, role, tasksMax);
    this.nodes.set(id, node);
    return node;
  }

  claimed(path: string): Claimed<StreamBody> | undefined {
    const node = this.origins.get(path);
    if (node === undefined) return undefined;
    const made = [...this.makers].filter(([key]) => key.startsWith(`${path} `));
    const makers = Object.fromEntries(made.map(([key, maker]) => [key.split(' ')[1] ?? '', { node: maker, incarnation: 1 }]));
    const body = { startedWallMs: 0, discontinuity: 0, state: 'live', protocol: 'rtmp', tracks: [], renditions: [], makers } as const;
    return { name: path, holder: { node, incarnation: 1 }, epoch: 1, body };
  }

  get leaders(): readonly string[] {
    return [...this.nodes.values()].filter(({ allocator }) => allocator?.isLeading === true).map(({ id }) => id);
  }

  advance(ms: number): void {
    this.engine.advance(ms);
  }
}

class SmallNode {
  readonly id: string;
  readonly allocator: Allocator | undefined;
  readonly follower: AllocationFollower;
  readonly client: ReturnType<MemoryEngine['client']>;
  /** Viewers here by stream and rung. */
  readonly watched = new Map<string, number>();
  /** Viewers here by stream, whatever of it they watch. */
  readonly audiences = new Map<string, number>();
  /** Whether this node hears the cluster. */
  readonly hearing = { isJudging: true };
  private readonly endings: (() => void)[] = [];

  constructor(world: World, id: string, role: NodeRole, tasksMax: number) {
    this.id = id;
    const { engine } = world;
    const clock = { monotonic: () => engine.now(), wall: () => wallMs(1_700_000_000_000 + engine.now()) };
    this.client = engine.client();
    const { store, bus } = this.client;
    const own = { node: id, incarnation: 1 };
    this.follower = new AllocationFollower({
      own,
      bus,
      watched: () => this.watchedRungs(),
      audiences: () => Array.from(this.audiences, ([stream, viewers]) => ({ stream, viewers })),
      offer: () => (role === 'transcode' ? { tasksMax, cpuMax: 100, costs: {}, hardwareCodecs: [] } : undefined),
      ordersChanged: () => undefined,
      now: () => engine.now(),
    });
    const { hearing } = this;
    this.allocator =
      role !== 'manager'
        ? undefined
        : new Allocator({
            own,
            store,
            bus,
            world: {
              nodes: () => world.views.values(),
              node: (other) => world.views.get(other),
              isAlive: (other) => world.views.get(other)?.isStale === false,
              claimed: (path) => world.claimed(path),
              get isJudging() {
                return hearing.isJudging;
              },
            },
            isDraining: () => world.views.get(id)?.record.status === 'draining',
            clock,
            listener: { leading: () => undefined, resigned: () => undefined },
          });
    const tick = engine.every(TICK_MS, () => {
      this.follower.tick(engine.now());
      this.allocator?.tick(engine.now());
    });
    this.endings.push(tick, () => this.follower.close());
    endings.push(() => this.kill());
  }

  /** Dies without a word. */
  kill(): void {
    for (const end of this.endings.splice(0)) end();
  }

  private watchedRungs(): readonly WatchedRung[] {
    return Array.from(this.watched, ([key, viewers]) => {
      const [stream = '', rung = ''] = key.split(' ');
      return { stream, rung, viewers, kind: 'video', codec: 'h264', width: 1280, height: 720, frameRate: 30 };
    });
  }
}

const order = ({ follower }: SmallNode, path: string): string | undefined => {
  const found = follower.orderOf(path, '720p');
  return found === undefined ? undefined : (found.node ?? found.reason);
};

function world(
  managers: number,
  ...limits: readonly number[]
): { it: World; origin: SmallNode; managers: SmallNode[]; makers: SmallNode[] } {
  const it = new World();
  const all = Array.from({ length: managers }, (_, index) => it.add(`m${index}`, 'manager'));
  const origin = it.add('o1', 'origin');
  const makers = limits.map((limit, index) => it.add(`t${index}`, 'transcode', limit));
  for (const stream of ['a', 'b', 'c']) it.origins.set(`live/${stream}`, 'o1');
  return { it, origin, managers: all, makers };
}

describe('the allocation of transcoding by managers', () => {
  it('is done by one of them, who tells origins and makers', () => {
    const { it, origin, makers } = world(3, 1);
    it.add('e1', 'edge').watched.set('live/b 720p', 9);
    origin.watched.set('live/a 720p', 1);
    it.advance(3_000);
    expect(it.leaders).toHaveLength(1);
    // Viewers of all nodes count.
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['limit', 't0']);
    expect(makers[0]?.follower.isOrdered('live/b', '720p')).toBe(true);
    expect(makers[0]?.follower.isOrdered('live/a', '720p')).toBe(false);
    const note = origin.follower.notes.find(({ stream }) => stream === 'live/b');
    expect(note).toMatchObject({ node: 't0', reason: 'room', viewers: 9, score: 9, message: 'node t0 has room for it' });
    expect(origin.follower.pool).toMatchObject({
      leader: it.leaders[0],
      pool: { waiting: 1, nodes: [{ node: 't0', tasks: 1, tasksMax: 1 }] },
    });
  });

  it('follows viewers, weights and nodes, and keeps a refusal while there is no room', () => {
    const { it, origin } = world(1, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(3_000);
    expect(order(origin, 'live/a')).toBe('t0');
    // Nothing is displaced at once.
    it.advance(12_000);
    origin.watched.set('live/b 720p', 9);
    it.advance(2_500);
    expect(order(origin, 'live/b')).toBe('limit');
    const { store } = it.engine.client();
    const rule = { app: '*', stream: 'b', rung: '*', viewersMin: 0, weight: 2 };
    store.create(TRANSCODING_KEY, encodeWeights({ v: 1, rules: [rule], pins: [] }), () => undefined);
    it.advance(1_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['displaced', 't0']);
    expect(origin.follower.notes.find(({ stream }) => stream === 'live/a')?.reason).toBe('displaced');
    // Its viewers have been led to another rung: that nobody wants it now changes nothing.
    origin.watched.delete('live/a 720p');
    it.advance(10_000);
    expect(order(origin, 'live/a')).toBe('displaced');
    it.add('t9', 'transcode', 1);
    it.advance(3_000);
    expect(order(origin, 'live/a')).toBe('t9');
    // Nobody came for it.
    it.advance(20_000);
    expect(order(origin, 'live/a')).toBeUndefined();
  });

  it('gives viewers of what was refused the time to come back before it is displaced again', () => {
    const { it, origin } = world(1, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(12_000);
    origin.watched.set('live/b 720p', 9);
    it.advance(2_500);
    // They watch something else meanwhile.
    origin.watched.delete('live/b 720p');
    const rule = { app: '*', stream: 'b', rung: '*', viewersMin: 0, weight: 2 };
    it.engine.client().store.create(TRANSCODING_KEY, encodeWeights({ v: 1, rules: [rule], pins: [] }), () => undefined);
    it.advance(1_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['displaced', 't0']);
    // What is told of the other one meanwhile is a reason to decide anew.
    origin.watched.delete('live/a 720p');
    it.advance(3_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['displaced', 't0']);
    // But nobody comes.
    it.advance(4_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['t0', 'displaced']);
  });

  it('goes by all viewers of a stream, on all nodes, where a rule asks how many they are', () => {
    const { it, origin } = world(1, 1);
    const edge = it.add('e9', 'edge', 0);
    const { store } = it.engine.client();
    const rule = { app: '*', stream: '*', rung: '*', viewersMin: 100, weight: 10 };
    store.create(TRANSCODING_KEY, encodeWeights({ v: 1, rules: [rule], pins: [] }), () => undefined);
    origin.watched.set('live/a 720p', 5);
    origin.watched.set('live/b 720p', 2);
    origin.audiences.set('live/b', 60);
    it.advance(20_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['t0', 'limit']);
    // A node where nobody watches a rung counts, too.
    edge.audiences.set('live/b', 40);
    it.advance(3_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(['displaced', 't0']);
  });

  it('places the tasks of a node that is silent anew within three seconds', () => {
    const { it, origin, makers } = world(1, 2, 2);
    origin.watched.set('live/a 720p', 5);
    it.advance(8_000);
    const first = order(origin, 'live/a') ?? '';
    it.makers.set('live/a 720p', first);
    it.advance(8_000);
    expect(order(origin, 'live/a')).toBe(first);
    makers.find(({ id }) => id === first)?.kill();
    let tookMs = 0;
    for (; order(origin, 'live/a') === first && tookMs < 10_000; tookMs += 100) it.advance(100);
    // Decided each two seconds, and a node is silent after two and a half.
    expect(tookMs).toBeLessThanOrEqual(3_000);
  });

  it('places them within three seconds also where all that runs was placed a moment ago, if it counts less', () => {
    const { it, origin, makers } = world(1, 1, 1);
    origin.watched.set('live/a 720p', 5);
    origin.watched.set('live/b 720p', 2);
    it.advance(3_000);
    const [first, second] = [order(origin, 'live/a') ?? '', order(origin, 'live/b') ?? ''];
    expect(new Set([first, second])).toEqual(new Set(['t0', 't1']));
    makers.find(({ id }) => id === first)?.kill();
    it.advance(3_000);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual([second, 'displaced']);
  });

  it('goes on with another manager within three seconds when the one dies, and leaves what runs where it is', () => {
    const { it, origin, managers } = world(3, 1, 1);
    origin.watched.set('live/a 720p', 5);
    origin.watched.set('live/b 720p', 4);
    it.advance(5_000);
    const before = [order(origin, 'live/a'), order(origin, 'live/b')];
    it.makers.set('live/a 720p', before[0] ?? '');
    it.makers.set('live/b 720p', before[1] ?? '');
    const epoch = origin.follower.pool?.epoch ?? 0;
    const dead = managers.find(({ id }) => id === it.leaders[0]) as SmallNode;
    dead.kill();
    const led = (): readonly string[] => it.leaders.filter((id) => id !== dead.id);
    let tookMs = 0;
    for (; led().length === 0 && tookMs < 10_000; tookMs += 100) it.advance(100);
    expect(tookMs).toBeLessThanOrEqual(3_000);
    it.advance(4_000);
    expect(led()).toHaveLength(1);
    expect([order(origin, 'live/a'), order(origin, 'live/b')]).toEqual(before);
    expect(origin.follower.pool?.leader).toBe(led()[0]);
    expect(origin.follower.pool?.epoch).toBeGreaterThan(epoch);
  });

  it('takes orders back from who had a stream before a manager died that knew it', () => {
    const { it, origin, managers } = world(2, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(5_000);
    expect(order(origin, 'live/a')).toBe('t0');
    managers.find(({ id }) => id === it.leaders[0])?.kill();
    const next = it.add('o2', 'origin');
    it.origins.set('live/a', 'o2');
    it.advance(12_000);
    expect([order(origin, 'live/a'), order(next, 'live/a')]).toEqual([undefined, 't0']);
  });

  it('takes orders back from who did not hear that', () => {
    const { it, origin } = world(1, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(5_000);
    origin.client.cut();
    const next = it.add('o2', 'origin');
    next.watched.set('live/a 720p', 5);
    it.origins.set('live/a', 'o2');
    it.advance(4_000);
    origin.client.heal();
    it.advance(8_000);
    expect([order(origin, 'live/a'), order(next, 'live/a')]).toEqual([undefined, 't0']);
  });

  it('is not done by one that was cut off: its orders are void, and it resigns when it is back', () => {
    const { it, origin, managers } = world(2, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(5_000);
    const cut = managers.find(({ id }) => id === it.leaders[0]) as SmallNode;
    const epoch = origin.follower.pool?.epoch ?? 0;
    cut.client.cut();
    cut.hearing.isJudging = false;
    it.advance(6_000);
    expect(it.leaders).toHaveLength(2);
    const now = origin.follower.pool?.epoch ?? 0;
    expect(now).toBeGreaterThan(epoch);
    cut.client.heal();
    cut.hearing.isJudging = true;
    it.advance(3_000);
    expect(it.leaders).toHaveLength(1);
    expect(it.leaders).not.toContain(cut.id);
    expect(origin.follower.pool?.epoch).toBe(now);
    expect(order(origin, 'live/a')).toBe('t0');
  });

  it('is over for nodes that hear nobody: they place by themselves', () => {
    const { it, origin, managers } = world(1, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(3_000);
    expect(origin.follower.isLed).toBe(true);
    managers[0]?.kill();
    it.advance(6_000);
    expect(origin.follower.isLed).toBe(false);
    expect(order(origin, 'live/a')).toBeUndefined();
  });

  it('passes on at once when its manager drains or ends', () => {
    const { it, managers } = world(2, 1);
    it.advance(3_000);
    const first = it.leaders[0] as string;
    const view = it.views.get(first) as NodeView;
    it.views.set(first, { ...view, record: { ...view.record, status: 'draining' } });
    it.advance(3_000);
    expect(it.leaders).toEqual(managers.map(({ id }) => id).filter((id) => id !== first));
  });

  it('leaves streams alone whose origin makes its rungs itself', () => {
    const { it, makers } = world(1, 2);
    it.origins.set('live/own', 't0');
    makers[0]?.watched.set('live/own 720p', 3);
    it.advance(3_000);
    expect(order(makers[0] as SmallNode, 'live/own')).toBeUndefined();
    // But they use up its tasks.
    expect(makers[0]?.follower.pool?.pool.nodes).toMatchObject([{ tasksMax: 1 }]);
  });

  it('obeys no orders of a former epoch', () => {
    const { it, origin, managers } = world(1, 1);
    origin.watched.set('live/a 720p', 5);
    it.advance(3_000);
    const { bus } = it.engine.client();
    const old = new TextEncoder().encode('{"v":1,"epoch":0,"rungs":[["live/a","720p","t7","room",""]]}');
    expect(decodeAllocationOrders(old)?.rungs).toHaveLength(1);
    bus.publish('allocation/orders/o1', old);
    it.advance(20);
    expect(order(origin, 'live/a')).toBe('t0');
    // A store that lost everything counts anew, and so does who leads then.
    managers[0]?.kill();
    it.advance(6_000);
    bus.publish('allocation/orders/o1', old);
    it.advance(20);
    expect(order(origin, 'live/a')).toBe('t7');
  });
});
