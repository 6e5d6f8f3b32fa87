import { describe, expect, it } from 'vitest';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { RouteTurns } from './route-turns.ts';
import { edgeView, routedNodes } from './routed-nodes.fixture.ts';
import type { RouteDecision, RouteWish } from './routing.ts';

const node = (id: string, record: Partial<NodeRecord> = {}, headroom = 1): NodeView => edgeView(id, record, { headroom });
const next = (turns: RouteTurns, views: readonly NodeView[], wish: RouteWish): RouteDecision =>
  turns.next(
    routedNodes(() => views),
    wish,
  );
const ANYWHERE: RouteWish = { kind: 'play', region: undefined };

describe('turns', () => {
  const turnsOf = (views: readonly NodeView[], wishes: readonly RouteWish[]): readonly (string | undefined)[] => {
    const turns = new RouteTurns();
    return wishes.map((wish) => next(turns, views, wish).node);
  };

  it('go round all nodes that can be used, whatever is left of each', () => {
    const nodes = [node('b', {}, 0.1), node('a'), node('full', {}, 0.01), node('c', { region: 'us' })];
    expect(
      turnsOf(
        nodes,
        Array.from({ length: 7 }, () => ANYWHERE),
      ),
    ).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('go round the nodes of a region first, each region and kind of client for itself', () => {
    const nodes = [node('a'), node('b'), node('c', { region: 'us' }), node('d', { roles: ['origin'] }), node('e', { roles: ['mono'] })];
    const eu: RouteWish = { kind: 'play', region: 'eu' };
    const us: RouteWish = { kind: 'play', region: 'us' };
    const publish: RouteWish = { kind: 'publish', region: 'eu' };
    expect(turnsOf(nodes, [eu, us, publish, eu, us, publish, eu, eu, publish])).toEqual(['a', 'c', 'd', 'b', 'c', 'e', 'e', 'a', 'd']);
  });

  it('go round all nodes where the region has none that can be used', () => {
    const nodes = [node('a', { status: 'draining' }), node('c', { region: 'us' }), node('d', { region: 'ap' })];
    const eu: RouteWish = { kind: 'play', region: 'eu' };
    expect(turnsOf(nodes, [eu, eu, { kind: 'play', region: 'nowhere' }, eu])).toEqual(['c', 'd', 'c', 'd']);
  });

  it('pass over a node that has gone, and take in one that has come', () => {
    const turns = new RouteTurns();
    const ids = ['a', 'b', 'c'].map((id) => node(id));
    expect([next(turns, ids, ANYWHERE).node, next(turns, ids, ANYWHERE).node]).toEqual(['a', 'b']);
    expect(next(turns, [node('a'), node('d')], ANYWHERE).node).toBe('d');
    expect(next(turns, [node('a'), node('d')], { ...ANYWHERE, exclude: new Set(['a', 'd']) })).toMatchObject({
      node: undefined,
      opinions: [{ refusal: 'excluded' }, { refusal: 'excluded' }],
    });
  });
});
