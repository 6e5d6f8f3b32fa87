import { describe, expect, it } from 'vitest';
import type { NodeLoad } from './heartbeat.ts';
import { IDLE_LOAD } from './node-load.fixture.ts';
import type { NodeRecord } from './node-record.ts';
import { type MakerCandidate, type PlacementWish, placeRung } from './rung-placement.ts';

const record = (id: string, changes: Partial<NodeRecord> = {}): NodeRecord => ({
  v: 1,
  id,
  region: 'eu',
  roles: ['transcode'],
  status: 'active',
  incarnation: 1,
  endpoints: { http: 'http://10.0.0.1:80', relay: '10.0.0.1:7350' },
  version: '1',
  protocol: 1,
  joinedAtMs: 0,
  ...changes,
});
const load = (changes: Partial<NodeLoad> = {}): NodeLoad => ({ ...IDLE_LOAD, cpu: 0.1, tasksMax: 6, ...changes });
const node = (id: string, of: Partial<NodeRecord> = {}, loaded: Partial<NodeLoad> = {}): MakerCandidate => ({
  record: record(id, of),
  load: load(loaded),
  isStale: false,
});
const wish = (changes: Partial<PlacementWish> = {}): PlacementWish => ({
  region: 'eu',
  present: new Set(),
  exclude: new Set(),
  ...changes,
});
/** Draws the first and the last. */
const ends = (): (() => number) => {
  const draws = [0, 0.999];
  return () => draws.shift() ?? 0;
};

describe('where a rung is made', () => {
  it.each<[string, string | undefined, readonly MakerCandidate[], Partial<PlacementWish>]>([
    ['by nobody where there is nobody', undefined, [], {}],
    ['in the origin’s region, however busy that is', 'near', [node('far', { region: 'us' }), node('near', {}, { cpu: 0.9 })], {}],
    ['in another region when there is none in this one', 'far', [node('far', { region: 'us' }), node('edge', { roles: ['edge'] })], {}],
    ['where more tasks are left', 'b', [node('a', {}, { tasks: 4 }), node('b', {}, { tasks: 3 })], {}],
    ['where more of the processor is left', 'a', [node('a', {}, { cpu: 0.3 }), node('b', {}, { cpu: 0.6 })], {}],
    ['where the stream is decoded already', 'a', [node('a', {}, { tasks: 5 }), node('b')], { present: new Set(['a']) }],
    ['where it is decoded already, also in another region', 'a', [node('a', { region: 'us' }), node('b')], { present: new Set(['a']) }],
    ['elsewhere when that node is full', 'b', [node('a', {}, { tasks: 6 }), node('b')], { present: new Set(['a']) }],
    ['elsewhere when that node has just failed', 'b', [node('a'), node('b')], { present: new Set(['a']), exclude: new Set(['a']) }],
    [
      'in another region by a node of which little is heard',
      'far',
      [{ ...node('far', { region: 'us' }), load: undefined, headroom: 0.5 }],
      {},
    ],
    ['by a node that does everything', 'all', [node('all', { roles: ['mono'] })], {}],
  ])('is made %s', (_what, expected, candidates, changes) => {
    expect(placeRung(candidates, wish(changes), ends()).node).toBe(expected);
  });

  it('says of each node why it does not make it', () => {
    const candidates: readonly MakerCandidate[] = [
      node('origin', { roles: ['origin', 'edge', 'manager'] }),
      node('mute', { endpoints: { http: 'http://10.0.0.1:80' } }),
      { ...node('dead'), isStale: true },
      node('leaving', { status: 'draining' }),
      node('unused', { status: 'disabled' }),
      { ...node('new'), load: undefined },
      node('passes', {}, { tasksMax: 0 }),
      node('busy', {}, { tasks: 6 }),
      node('failed'),
      node('good'),
    ];
    const { node: chosen, opinions } = placeRung(candidates, wish({ exclude: new Set(['failed']) }), Math.random);
    expect(chosen).toBe('good');
    expect(Object.fromEntries(opinions.map(({ node: id, refusal }) => [id, refusal]))).toEqual({
      origin: 'role',
      mute: 'unreachable',
      dead: 'stale',
      leaving: 'draining',
      unused: 'disabled',
      new: 'idle',
      passes: 'off',
      busy: 'full',
      failed: 'excluded',
      good: undefined,
    });
  });

  it('spreads the streams of many origins that have the same heartbeats, and spares the busy', () => {
    const candidates = [node('a'), node('b'), node('c'), node('busy', {}, { cpu: 0.95 })];
    const counts = new Map<string | undefined, number>();
    for (let n = 0; n < 3_000; n++) {
      const { node: chosen } = placeRung(candidates, wish(), Math.random);
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    for (const id of ['a', 'b', 'c']) expect(counts.get(id)).toBeGreaterThan(700);
    expect(counts.get('busy') ?? 0).toBe(0);
  });
});
