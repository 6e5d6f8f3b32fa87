import { beforeEach, describe, expect, it } from 'vitest';
import type { RelayUpstream, RelayWatch } from '../relay/mod.ts';
import { OriginWatches } from './origin-watches.ts';

class Link implements RelayWatch {
  isBroken = false;
  isClosed = false;
  readonly upstream: RelayUpstream;
  readonly broke: () => void;

  constructor(upstream: RelayUpstream, broke: () => void) {
    this.upstream = upstream;
    this.broke = broke;
  }

  close(): void {
    this.isClosed = true;
  }
}

let links: Link[];
let addresses: Map<string, RelayUpstream>;
let broken: string[];
let watches: OriginWatches;

beforeEach(() => {
  links = [];
  broken = [];
  addresses = new Map(['o1', 'o2'].map((node, at) => [node, { node, host: '127.0.0.1', port: 7_000 + at }]));
  const watch = (upstream: RelayUpstream, broke: () => void): RelayWatch => {
    links.push(new Link(upstream, broke));
    return links.at(-1) as Link;
  };
  watches = new OriginWatches({ client: { watch }, addressOf: (node) => addresses.get(node), broke: (node) => broken.push(node) });
});

const open = (): string[] => links.filter(({ isClosed }) => !isClosed).map(({ upstream }) => `${upstream.node} ${upstream.port}`);

describe('connections to origins', () => {
  it('are one for all streams of a node, kept while any of them is waited for', () => {
    watches.watch('live/a', 'o1');
    watches.watch('live/b', 'o1');
    watches.watch('live/c', 'o2');
    expect(open()).toEqual(['o1 7000', 'o2 7001']);
    watches.unwatch('live/a');
    expect(open()).toEqual(['o1 7000', 'o2 7001']);
    watches.watch('live/b', 'o2');
    expect(open()).toEqual(['o2 7001']);
    watches.close();
    expect(open()).toEqual([]);
  });

  it('tell when they break, and whether they are there', () => {
    expect(watches.isBroken('o1')).toBe(true);
    watches.watch('live/a', 'o1');
    expect(watches.isBroken('o1')).toBe(false);
    Object.assign(links[0] ?? {}, { isBroken: true });
    links[0]?.broke();
    expect([broken, watches.isBroken('o1')]).toEqual([['o1'], true]);
  });

  it('go to where a node is now, once that is known', () => {
    const known = addresses.get('o1') as RelayUpstream;
    addresses.delete('o1');
    watches.watch('live/a', 'o1');
    expect([open(), watches.isBroken('o1')]).toEqual([[], true]);
    addresses.set('o1', known);
    watches.nodesChanged();
    watches.nodesChanged();
    expect([open(), watches.isBroken('o1')]).toEqual([['o1 7000'], false]);
    addresses.set('o1', { ...known, port: 7_100 });
    watches.nodesChanged();
    expect([open(), links.length]).toEqual([['o1 7100'], 2]);
  });
});
