import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateCluster } from './allocate-cluster.ts';
import type { ClusterDecision, ClusterTask, CurrentTask, PoolNode } from './cluster-task.ts';
import { TaskWeights } from './task-weights.ts';
import { NO_WEIGHTS, type TranscodingWeights, type WeightRule } from './weight-rules.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const HD = { kind: 'video', codec: 'h264', width: 1280, height: 720, frameRate: 30 } as const;
const LATER_MS = 1_000_000;

const node = (id: string, tasksMax: number, more: Partial<PoolNode> = {}): PoolNode => ({
  id,
  region: 'eu',
  state: 'active',
  tasksMax,
  ...more,
});
const task = (stream: string, viewers: number, more: Partial<ClusterTask> = {}): ClusterTask => ({
  stream: `live/${stream}`,
  rung: '720p',
  viewers,
  shape: HD,
  region: 'eu',
  ...more,
});
const rule = (more: Partial<WeightRule>): WeightRule => ({ app: '*', stream: '*', rung: '*', viewersMin: 0, weight: 1, ...more });
const weightsOf = (weights: Partial<TranscodingWeights>): TaskWeights => new TaskWeights({ ...NO_WEIGHTS, ...weights });

const allocate = (
  tasks: readonly ClusterTask[],
  nodes: readonly PoolNode[],
  current: readonly CurrentTask[] = [],
  weights: Partial<TranscodingWeights> = {},
): readonly ClusterDecision[] => allocateCluster({ tasks, nodes, current, weights: weightsOf(weights), nowMs: LATER_MS });

/** What was decided, as what runs. */
const running = (decisions: readonly ClusterDecision[], sinceMs = 0): readonly CurrentTask[] =>
  decisions.flatMap(({ stream, rung, node: at }) => (at === undefined ? [] : [{ stream, rung, node: at, sinceMs }]));
const nodesOf = (decisions: readonly ClusterDecision[]): readonly (string | undefined)[] => decisions.map((decision) => decision.node);
const reasonsOf = (decisions: readonly ClusterDecision[]): readonly string[] => decisions.map(({ reason }) => reason);

describe('allocation over the cluster', () => {
  it('gives what there is to those with the most viewers, and says why the others get none', () => {
    const decisions = allocate([task('a', 1), task('b', 5), task('c', 3)], [node('n1', 1), node('n2', 1)]);
    expect(reasonsOf(decisions)).toEqual(['limit', 'room', 'room']);
    expect(decisions[0]?.message).toContain('the 2 tasks');
  });

  it('makes the rungs of a stream on one node, near its origin, and spreads streams', () => {
    const nodes = [node('far', 10, { region: 'us' }), node('n1', 4), node('n2', 4)];
    const decisions = allocate([task('a', 9), task('a', 8, { rung: '480p' }), task('b', 7), task('b', 6, { rung: '480p' })], nodes);
    expect(nodesOf(decisions)).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  it('goes to another region when the own one is full, and prefers hardware for the codec', () => {
    const nodes = [node('far', 10, { region: 'us' }), node('n1', 1), node('n2', 1, { hardwareCodecs: new Set(['h264']) })];
    expect(nodesOf(allocate([task('a', 3), task('b', 2), task('c', 1)], nodes))).toEqual(['n2', 'n1', 'far']);
  });

  it('leaves what runs alone until something counts more than twice as much', () => {
    const nodes = [node('n1', 1)];
    const current = [{ stream: 'live/a', rung: '720p', node: 'n1', sinceMs: 0 }];
    expect(reasonsOf(allocate([task('a', 10), task('b', 20)], nodes, current))).toEqual(['running', 'limit']);
    const displaced = allocate([task('a', 10), task('b', 21)], nodes, current);
    expect(reasonsOf(displaced)).toEqual(['displaced', 'outranks']);
    expect(displaced[0]?.message).toBe('720p of live/b, which counts more, took its place');
  });

  it('does not displace what was placed a moment ago', () => {
    const current = [{ stream: 'live/a', rung: '720p', node: 'n1', sinceMs: LATER_MS - 5_000 }];
    expect(reasonsOf(allocate([task('a', 1), task('b', 100)], [node('n1', 1)], current))).toEqual(['running', 'limit']);
    // What nobody wants any more has nothing to keep.
    expect(reasonsOf(allocate([task('a', 0), task('b', 1)], [node('n1', 1)], current))).toEqual(['displaced', 'outranks']);
  });

  it('does not let what lost its node wait for what was placed a moment ago and counts less', () => {
    const sinceMs = LATER_MS - 1_000;
    const current = [
      { stream: 'live/a', rung: '720p', node: 'gone', sinceMs },
      { stream: 'live/b', rung: '720p', node: 'n1', sinceMs },
    ];
    const nodes = [node('gone', 1, { state: 'stale' }), node('n1', 1)];
    const decisions = allocate([task('a', 21), task('b', 10), task('c', 30)], nodes, current);
    // What is new waits, however much it counts.
    expect(decisions).toMatchObject([
      { node: 'n1', reason: 'outranks', message: 'it takes the place of 720p of live/b on node n1, which counts less' },
      { node: undefined, reason: 'displaced' },
      { node: undefined, reason: 'limit' },
    ]);
    expect(reasonsOf(allocate([task('a', 20), task('b', 10)], nodes, current))).toEqual(['limit', 'running']);
  });

  it('has a pin before all, on its node while that takes tasks', () => {
    const pins = [{ stream: 'live/a', rung: undefined, node: 'n2' }];
    const busy = allocate([task('b', 50), task('c', 40)], [node('n1', 1), node('n2', 1)]);
    const tasks = [task('a', 1), task('b', 50), task('c', 40)];
    const decisions = allocate(tasks, [node('n1', 1), node('n2', 1)], running(busy), { pins });
    expect(nodesOf(decisions)[0]).toBe('n2');
    expect(reasonsOf(decisions).toSorted()).toEqual(['displaced', 'outranks', 'running']);
    const without = allocate(tasks, [node('n1', 2), node('n2', 1, { state: 'stale' })], [], { pins });
    expect(nodesOf(without)).toEqual(['n1', 'n1', undefined]);
  });

  it('moves what is pinned to another node there when it has room, once', () => {
    const pins = [{ stream: 'live/a', rung: '720p', node: 'n2' }];
    const current = [{ stream: 'live/a', rung: '720p', node: 'n1', sinceMs: 0 }];
    const nodes = [node('n1', 4), node('n2', 4)];
    const moved = allocate([task('a', 1)], nodes, current, { pins });
    expect(moved[0]).toMatchObject({ node: 'n2', reason: 'moved' });
    expect(allocate([task('a', 1)], nodes, running(moved), { pins })[0]).toMatchObject({ node: 'n2', reason: 'running' });
  });

  it('never makes what a rule gives no weight', () => {
    const rules = [rule({ stream: 'test-*', weight: 0 })];
    expect(reasonsOf(allocate([task('test-1', 100)], [node('n1', 4)], [], { rules }))).toEqual(['weight']);
  });

  it('takes the first rule that matches, also by the number of viewers', () => {
    const rules = [rule({ viewersMin: 100, weight: 5 }), rule({ app: 'live', stream: 'a', weight: 3 }), rule({ weight: 2 })];
    const scores = allocate([task('a', 10), task('b', 10), task('a', 100)], [node('n1', 9)], [], { rules }).map(({ score }) => score);
    expect(scores).toEqual([30, 20, 500]);
  });

  it('places the tasks of a dead node anew, and leaves one that drains when there is room', () => {
    const current = [
      { stream: 'live/a', rung: '720p', node: 'gone', sinceMs: 0 },
      { stream: 'live/b', rung: '720p', node: 'n1', sinceMs: 0 },
    ];
    const tasks = [task('a', 1), task('b', 1)];
    const nodes = [node('gone', 4, { state: 'stale' }), node('n1', 4, { state: 'draining' }), node('n2', 2)];
    expect(allocate(tasks, nodes, current)).toMatchObject([
      { node: 'n2', reason: 'moved' },
      { node: 'n2', reason: 'moved' },
    ]);
    expect(nodesOf(allocate(tasks, [nodes[0], nodes[1], node('n2', 0)] as PoolNode[], current))).toEqual([undefined, 'n1']);
  });

  it('says that there is no node where there is none', () => {
    expect(reasonsOf(allocate([task('a', 1)], [node('n1', 4, { state: 'disabled' })]))).toEqual(['no-node']);
  });

  it('goes by what a rung was seen to cost on a node', () => {
    const costs = new Map([['h264-1280x720-30', 1]]);
    const decisions = allocate([task('a', 3), task('b', 2), task('c', 1)], [node('n1', 10, { cpuMax: 2, costs })]);
    expect(reasonsOf(decisions)).toEqual(['room', 'room', 'limit']);
  });
});

describe('a channel that becomes popular while the limit is reached', () => {
  it('gets its rungs, the least important goes, and comes back when there is room again', () => {
    const rules = [rule({ app: 'events', weight: 4 }), rule({ stream: 'camera-*', weight: 0.5 })];
    const nodes = [node('n1', 2), node('n2', 2)];
    const quiet = [task('news', 40), task('sports', 30), task('camera-1', 30), task('camera-2', 12)];
    let decisions = allocate(quiet, nodes, [], { rules });
    expect(reasonsOf(decisions)).toEqual(['room', 'room', 'room', 'room']);
    // The limit is reached: what comes has to count clearly more than the least that runs, 12 viewers at half weight.
    const event = (viewers: number): ClusterTask => ({ ...task('final', viewers), stream: 'events/final' });
    decisions = allocate([...quiet, event(3)], nodes, running(decisions), { rules });
    expect(reasonsOf(decisions).at(-1)).toBe('limit');
    decisions = allocate([...quiet, event(4)], nodes, running(decisions), { rules });
    expect(reasonsOf(decisions)).toEqual(['running', 'running', 'running', 'displaced', 'outranks']);
    // The same again changes nothing, though the one that was displaced is wanted still.
    decisions = allocate([...quiet, event(4)], nodes, running(decisions), { rules });
    expect(reasonsOf(decisions)).toEqual(['running', 'running', 'running', 'limit', 'running']);
    decisions = allocate([...quiet.slice(1), event(400)], nodes, running(decisions), { rules });
    expect(reasonsOf(decisions)).toEqual(['running', 'running', 'room', 'running']);
  });
});

const nodes = fc
  .array(
    fc.record({
      tasksMax: fc.integer({ min: 0, max: 6 }),
      state: fc.constantFrom<PoolNode['state']>('active', 'active', 'active', 'draining', 'disabled', 'stale'),
      region: fc.constantFrom('eu', 'us'),
    }),
    { maxLength: 6 },
  )
  .map((all) => all.map((each, index): PoolNode => ({ id: `n${index}`, ...each })));
const tasks = fc
  .uniqueArray(
    fc.record({
      name: fc.integer({ min: 0, max: 12 }),
      rung: fc.constantFrom('720p', '480p', 'sound'),
      viewers: fc.integer({ min: 0, max: 40 }),
    }),
    { selector: ({ name, rung }) => `${name}/${rung}`, maxLength: 30 },
  )
  .map((all) =>
    all.map(({ name, rung, viewers }) =>
      // More watch the stream than this rung, by the same number for all its rungs.
      task(`s${name}`, viewers, { rung, region: name % 2 === 0 ? 'eu' : 'us', streamViewers: 40 + 5 * name }),
    ),
  );
const world = fc.record({
  tasks,
  nodes,
  where: fc.array(fc.option(fc.integer({ min: 0, max: 6 })), { minLength: 30, maxLength: 30 }),
  since: fc.constantFrom(0, LATER_MS - 1_000),
  rules: fc.array(
    fc.record({
      stream: fc.constantFrom('*', 's1*', 's2'),
      viewersMin: fc.constantFrom(0, 10, 60, 80),
      weight: fc.constantFrom(0, 0.5, 1, 7),
    }),
    { maxLength: 3 },
  ),
});

interface World {
  readonly tasks: readonly ClusterTask[];
  readonly nodes: readonly PoolNode[];
  readonly where: readonly (number | null)[];
  readonly since: number;
  readonly rules: readonly { readonly stream: string; readonly viewersMin: number; readonly weight: number }[];
}

const currentOf = ({ tasks: all, where, since }: World): readonly CurrentTask[] =>
  all.flatMap(({ stream, rung }, index) => {
    const at = where[index] ?? null;
    return at === null ? [] : [{ stream, rung, node: `n${at}`, sinceMs: since }];
  });
const decide = (it: World, current = currentOf(it), pool = it.nodes): readonly ClusterDecision[] =>
  allocate(it.tasks, pool, current, { rules: it.rules.map(rule) });

describe('any allocation', () => {
  const property = (check: (it: World) => void): void => fc.assert(fc.property(world, check), { numRuns });

  it('keeps the limit of each node', () =>
    property((it) => {
      const decisions = decide(it);
      for (const { id, tasksMax } of it.nodes) expect(nodesOf(decisions).filter((at) => at === id).length).toBeLessThanOrEqual(tasksMax);
    }));

  it('gives nothing new to a node that drains, and nothing at all to one that is stale or disabled', () =>
    property((it) => {
      const before = new Map(currentOf(it).map(({ stream, rung, node: at }) => [`${stream}/${rung}`, at]));
      for (const { stream, rung, node: at } of decide(it)) {
        if (at === undefined) continue;
        const { state } = it.nodes.find(({ id }) => id === at) as PoolNode;
        expect(state === 'active' || (state === 'draining' && before.get(`${stream}/${rung}`) === at)).toBe(true);
      }
    }));

  it('never gives the one that counts less what the one that counts more does not get, where neither runs yet', () =>
    property((it) => {
      const decisions = decide(it, []);
      const least = Math.min(...decisions.filter(({ node: at }) => at !== undefined).map(({ score }) => score));
      const most = Math.max(0, ...decisions.filter(({ node: at }) => at === undefined).map(({ score }) => score));
      if (Number.isFinite(least)) expect(least).toBeGreaterThanOrEqual(most);
    }));

  it('changes nothing when nothing changed', () =>
    property((it) => {
      const settled = decide(it, running(decide(it)));
      const again = decide(it, running(settled));
      expect(nodesOf(again)).toEqual(nodesOf(settled));
      expect(new Set(again.filter(({ node: at }) => at !== undefined).map(({ reason }) => reason)).has('outranks')).toBe(false);
    }));

  it('answers the same whatever the order of tasks and nodes', () =>
    property((it) => {
      const turned = allocate(it.tasks.toReversed(), it.nodes.toReversed(), currentOf(it).toReversed(), { rules: it.rules.map(rule) });
      expect(turned.toReversed()).toEqual(decide(it));
    }));

  it('refuses nothing that it would give, when a node is added', () =>
    property((it) => {
      const before = decide(it, []);
      const after = decide(it, [], [...it.nodes, node('n9', 3)]);
      before.forEach(({ node: at }, index) => {
        if (at !== undefined) expect(after[index]?.node).toBeDefined();
      });
    }));

  it('holds a rule that asks for viewers against those of the stream: for all its rungs, or for none', () =>
    fc.assert(
      fc.property(world, fc.integer({ min: 0, max: 110 }), (it, viewersMin) => {
        const decisions = allocate(it.tasks, it.nodes, [], { rules: [rule({ viewersMin, weight: 7 })] });
        decisions.forEach(({ score }, index) => {
          const { viewers, streamViewers = 0 } = it.tasks[index] as ClusterTask;
          expect(score).toBe(viewers * (streamViewers >= viewersMin ? 7 : 1));
        });
      }),
      { numRuns },
    ));

  it('makes nothing of what a rule gives no weight, and says a sentence of each', () =>
    property((it) => {
      for (const { node: at, reason, message } of decide(it)) {
        expect(message.length).toBeGreaterThan(10);
        if (reason === 'weight') expect(at).toBeUndefined();
      }
    }));
});
