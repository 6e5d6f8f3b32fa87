import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeLoad } from './heartbeat.ts';
import { IDLE_LOAD } from './node-load.fixture.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { edgeView, routedNodes } from './routed-nodes.fixture.ts';
import { headroomOf, type RouteDecision, type RoutedNodes, type RouteWish, routeTo } from './routing.ts';
import type { RouteWeights } from './routing-rules.ts';

const IDLE: NodeLoad = { ...IDLE_LOAD, networkMaxBps: 1e9, viewersMax: 1000 };

/** A node, and whether it has the stream. */
interface Candidate {
  readonly view: NodeView;
  readonly hasStream: boolean;
}

interface Given {
  readonly record?: Partial<NodeRecord>;
  readonly load?: Partial<NodeLoad>;
  readonly isStale?: boolean;
  readonly hasStream?: boolean;
}

const node = (id: string, { record, load, isStale = false, hasStream = false }: Given = {}): Candidate => ({
  view: edgeView(id, record, { headroom: headroomOf({ ...IDLE, ...load }), isStale }),
  hasStream,
});

const PLAY: RouteWish = { kind: 'play', region: 'eu' };
/** The same course of numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
interface How {
  readonly wish?: RouteWish;
  readonly random?: () => number;
  readonly weights?: RouteWeights;
}

function route(candidates: readonly Candidate[], { wish = PLAY, random = numbers(1), ...how }: How = {}): RouteDecision {
  const hasStream = (id: string): boolean => candidates.some(({ view, hasStream }) => hasStream && view.record.id === id);
  return routeTo(
    routedNodes(() => candidates.map(({ view }) => view)),
    wish,
    { hasStream, random, ...how },
  );
}

const pick = (candidates: readonly Candidate[], wish: RouteWish = PLAY): string | undefined => route(candidates, { wish }).node;

describe('the node for a client', () => {
  it('is one of its region, however busy, as long as one there has room', () => {
    const busy = node('near', { load: { cpu: 0.9 } });
    const far = [node('far1', { record: { region: 'us' } }), node('far2', { record: { region: 'us' } })];
    expect(pick([...far, busy])).toBe('near');
    expect(pick([...far, node('near', { load: { cpu: 0.97 } })])).toMatch(/^far/);
    expect(pick([...far, node('near', { isStale: true })])).toMatch(/^far/);
  });

  it('has the stream already where that costs little, and is the idler one where it costs much', () => {
    expect(pick([node('a'), node('b', { hasStream: true, load: { cpu: 0.2 } })])).toBe('b');
    expect(pick([node('a'), node('b', { hasStream: true, load: { cpu: 0.4 } })])).toBe('a');
  });

  it('is explained in numbers for people', () => {
    expect(route([node('a', { load: { cpu: 0.545 } })]).opinions).toMatchObject([{ headroom: 0.455, score: 104.55 }]);
    const far = node('b', { record: { region: 'us' }, load: { cpu: 0.545 } });
    expect(route([far], { weights: { hasStream: 0, headroom: 7 } }).opinions).toMatchObject([{ headroom: 0.455, score: 3.185 }]);
  });

  it('has the stream or is idle, as the weights say', () => {
    const candidates = [node('a'), node('b', { hasStream: true, load: { cpu: 0.8 } })];
    expect(route(candidates, { weights: { hasStream: 20, headroom: 10 } }).node).toBe('b');
    expect(route(candidates, { weights: { hasStream: 0, headroom: 10 } }).node).toBe('a');
  });

  it('is judged by whatever is scarcest: processor, network or viewers', () => {
    const scarce: readonly Partial<NodeLoad>[] = [
      { cpu: 0.96 },
      { networkOutBps: 0.96e9 },
      { viewers: { flv: 240, rtmp: 240, hls: 240, webrtc: 240 } },
    ];
    for (const load of scarce) expect(route([node('a', { load })]).opinions[0]?.refusal).toBe('full');
  });

  it.each([
    ['role', node('a', { record: { roles: ['origin', 'manager'] } })],
    ['stale', node('a', { isStale: true })],
    ['draining', node('a', { record: { status: 'draining' } })],
    ['disabled', node('a', { record: { status: 'disabled' } })],
  ])('is none where the only one is refused for its %s, and the opinion says so', (refusal, candidate) => {
    const { node: chosen, opinions } = route([candidate]);
    expect(chosen).toBeUndefined();
    expect(opinions).toEqual([expect.objectContaining({ node: 'a', refusal, score: 0 })]);
  });

  it('is an origin for publishers, and any role of a node that is everything', () => {
    const nodes = [node('edge'), node('origin', { record: { roles: ['origin'] } })];
    expect(pick(nodes, { kind: 'publish', region: 'eu' })).toBe('origin');
    expect(pick([node('mono', { record: { roles: ['mono'] } })], { kind: 'publish', region: undefined })).toBe('mono');
  });

  it('is not the one that sent the client away', () => {
    expect(pick([node('a'), node('b')], { ...PLAY, exclude: new Set(['a']) })).toBe('b');
  });

  it('is not the same for everybody who asks within one heartbeat', () => {
    const nodes = Array.from({ length: 10 }, (_, index) => node(`n${index}`, { load: { cpu: index / 100 } }));
    const counts = new Map<string, number>();
    const random = numbers(1);
    for (let client = 0; client < 1000; client++) {
      const chosen = route(nodes, { random }).node ?? '';
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    expect(Math.max(...counts.values())).toBeLessThan(300);
    expect(counts.size).toBeGreaterThan(7);
  });

  it('is found without a look at all nodes of a large cluster', () => {
    let looks = 0;
    const views = Array.from({ length: 1_000 }, (_, index) => edgeView(`n${index}`, { region: index % 10 === 0 ? 'eu' : 'us' }));
    const nodes: RoutedNodes = {
      ...routedNodes(() => views),
      node: (id) => {
        looks += 1;
        return views[Number(id.slice(1))];
      },
    };
    const { node: chosen } = routeTo(nodes, PLAY, { hasStream: () => false, random: numbers(3) });
    expect(Number(chosen?.slice(1)) % 10).toBe(0);
    expect(looks).toBe(2);
  });

  it('is never one that is refused, and there is one whenever any is not', () => {
    const candidate = fc.record({
      cpu: fc.double({ min: 0, max: 1, noNaN: true }),
      region: fc.constantFrom('eu', 'us', 'ap'),
      status: fc.constantFrom('active' as const, 'draining' as const, 'disabled' as const),
      role: fc.constantFrom('edge' as const, 'origin' as const),
      isStale: fc.boolean(),
      hasStream: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 12 }), fc.integer(), (given, seed) => {
        const nodes = given.map(({ cpu, region, status, role, isStale, hasStream }, index) =>
          node(`n${index}`, { record: { region, status, roles: [role] }, load: { cpu }, isStale, hasStream }),
        );
        const { node: chosen, opinions } = route(nodes, { random: numbers(seed) });
        const usable = opinions.filter(({ refusal }) => refusal === undefined);
        expect(opinions).toHaveLength(nodes.length);
        expect(chosen === undefined).toBe(usable.length === 0);
        if (chosen !== undefined) expect(usable.map(({ node: id }) => id)).toContain(chosen);
        if (usable.some(({ isNear }) => isNear)) expect(usable.find(({ node: id }) => id === chosen)?.isNear).toBe(true);
      }),
    );
  });
});
