import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeRole } from './node-record.ts';
import type { OwnState } from './own-record.ts';
import { type ClientWish, type OwnStanding, placeClient, type RouteExtent, servesAtOnce } from './redirection.ts';

const own = (roles: readonly NodeRole[], state: OwnState = 'active'): OwnStanding => ({ node: 'me', roles, state });

/** Where a client goes; `nodes`: whom routing finds, by how far it may look. */
function place(standing: OwnStanding, wish: ClientWish, nodes: Partial<Record<RouteExtent, string>>, isSettled = false): string {
  const placement = placeClient(standing, wish, { isSettled, route: (extent) => ({ node: nodes[extent], opinions: [] }) });
  return placement.kind === 'redirect' ? placement.node : placement.kind;
}

describe('placeClient', () => {
  it.each<[what: string, OwnStanding, ClientWish, Partial<Record<RouteExtent, string>>, expected: string]>([
    ['an edge serves viewers', own(['edge']), 'play', { fit: 'e2' }, 'serve'],
    ['an edge sends publishers on', own(['edge']), 'publish', { fit: 'o1' }, 'o1'],
    ['and to a full origin rather than away', own(['edge']), 'publish', { full: 'o1' }, 'o1'],
    ['and away when there is none', own(['edge']), 'publish', { origin: 'o1' }, 'refuse'],
    ['an origin takes publishers', own(['origin']), 'publish', { fit: 'o2' }, 'serve'],
    ['an origin sends viewers to edges', own(['origin']), 'playlist', { fit: 'e1' }, 'e1'],
    ['an origin serves viewers when no edge can be used', own(['origin']), 'play', {}, 'serve'],
    ['also when edges are there, but full', own(['origin']), 'play', { full: 'e1' }, 'serve'],
    ['an origin gives segments of playlists that it gave out', own(['origin']), 'file', { fit: 'e1' }, 'serve'],
    ['a manager serves nobody', own(['manager']), 'play', { fit: 'e1' }, 'e1'],
    ['a manager does not give segments either', own(['manager']), 'file', { fit: 'e1' }, 'e1'],
    ['a manager sends viewers to a full edge rather than to an origin', own(['manager']), 'play', { full: 'e1', origin: 'o1' }, 'e1'],
    ['and to an origin when there is no edge', own(['manager']), 'play', { origin: 'o1' }, 'o1'],
    ['and away when there is nobody', own(['manager']), 'playlist', {}, 'refuse'],
    ['a transcoder serves nobody', own(['transcode']), 'play', {}, 'refuse'],
    ['a node of its own does everything', own(['mono']), 'publish', { fit: 'o1' }, 'serve'],
    ['one that registers still does what its roles say', own(['edge'], 'joining'), 'play', {}, 'serve'],
    ['a draining edge sends viewers on', own(['edge'], 'draining'), 'play', { fit: 'e2' }, 'e2'],
    ['also to a full one', own(['edge'], 'draining'), 'playlist', { full: 'e2' }, 'e2'],
    ['also to an origin', own(['edge'], 'draining'), 'playlist', { origin: 'o1' }, 'o1'],
    ['it gives segments until its end', own(['edge'], 'draining'), 'file', { fit: 'e2' }, 'serve'],
    ['it goes on with playlists when it is the last one', own(['edge'], 'draining'), 'playlist', {}, 'serve'],
    ['but takes no new viewers', own(['edge'], 'draining'), 'play', {}, 'refuse'],
    ['a draining origin sends publishers on', own(['origin'], 'draining'), 'publish', { fit: 'o2' }, 'o2'],
    ['and away when there is no other', own(['origin'], 'draining'), 'publish', {}, 'refuse'],
    ['a draining origin sends viewers to a full edge', own(['origin'], 'draining'), 'play', { full: 'e1' }, 'e1'],
    ['a disabled node serves nobody', own(['mono'], 'disabled'), 'playlist', {}, 'refuse'],
    ['a removed one is on its own', own(['manager'], 'removed'), 'play', { fit: 'e1' }, 'serve'],
    ['a superseded one, too', own(['edge'], 'superseded'), 'publish', {}, 'serve'],
  ])('%s', (_what, standing, wish, nodes, expected) => {
    expect(place(standing, wish, nodes)).toBe(expected);
  });

  it.each<[OwnStanding, ClientWish, expected: string]>([
    [own(['edge']), 'publish', 'refuse'],
    [own(['edge'], 'draining'), 'playlist', 'serve'],
    [own(['edge'], 'draining'), 'play', 'refuse'],
    [own(['origin']), 'play', 'serve'],
    [own(['manager']), 'playlist', 'refuse'],
  ])('serves or refuses whom it has sent on already: %j %s', (standing, wish, expected) => {
    expect(place(standing, wish, { fit: 'other', full: 'other', origin: 'other' }, true)).toBe(expected);
  });

  it('never sends anybody to itself', () => {
    expect(place(own(['edge'], 'draining'), 'play', { fit: 'me' })).toBe('refuse');
  });

  it('asks nobody for clients that it serves at once', () => {
    const roles = fc.subarray<NodeRole>(['origin', 'edge', 'transcode', 'manager', 'mono'], { minLength: 1 });
    const state = fc.constantFrom<OwnState>('joining', 'active', 'draining', 'disabled', 'removed', 'superseded', 'foreign');
    const wish = fc.constantFrom<ClientWish>('publish', 'play', 'playlist', 'file');
    fc.assert(
      fc.property(roles, state, wish, (some, at, kind) => {
        let isAsked = false;
        const route = (): { node: undefined; opinions: [] } => {
          isAsked = true;
          return { node: undefined, opinions: [] };
        };
        const placement = placeClient(own(some, at), kind, { isSettled: false, route });
        expect(isAsked).toBe(!servesAtOnce(own(some, at), kind));
        if (at === 'draining' && (kind === 'publish' || kind === 'play')) expect(placement.kind).not.toBe('serve');
      }),
    );
  });
});
