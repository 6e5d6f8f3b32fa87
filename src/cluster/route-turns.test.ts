import { describe, expect, it } from 'vitest';
import type { NodeLoad } from './heartbeat.ts';
import { IDLE_LOAD } from './node-load.fixture.ts';
import { edgeRecord } from './node-record.fixture.ts';
import type { NodeRecord } from './node-record.ts';
import { RouteTurns } from './route-turns.ts';
import type { RouteCandidate, RouteWish } from './routing.ts';

const node = (id: string, record: Partial<NodeRecord> = {}, load: Partial<NodeLoad> = {}): RouteCandidate => ({
  record: edgeRecord(id, record),
  load: { ...IDLE_LOAD, ...load },
  isStale: false,
  hasStream: false,
});
const ANYWHERE: RouteWish = { kind: 'play', region: undefined };

describe('turns', () => {
  const turnsOf = (candidates: readonly RouteCandidate[], wishes: readonly RouteWish[]): readonly (string | undefined)[] => {
    const turns = new RouteTurns();
    return wishes.map((wish) => turns.next(candidates, wish).node);
  };

  it('go round all nodes that can be used, whatever is left of each', () => {
    const nodes = [node('b', {}, { cpu: 0.9 }), node('a'), node('full', {}, { cpu: 0.99 }), node('c', { region: 'us' })];
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
    expect([turns.next(ids, ANYWHERE).node, turns.next(ids, ANYWHERE).node]).toEqual(['a', 'b']);
    expect(turns.next([node('a'), node('d')], ANYWHERE).node).toBe('d');
    expect(turns.next([node('a'), node('d')], { ...ANYWHERE, exclude: new Set(['a', 'd']) })).toMatchObject({
      node: undefined,
      opinions: [{ refusal: 'excluded' }, { refusal: 'excluded' }],
    });
  });
});
