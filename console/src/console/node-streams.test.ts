import { describe, expect, it } from 'vitest';
import { streamsOfNode } from './node-streams.ts';

const relay = (from: string, to: string, streams: string[], p50Ms?: number) => ({
  from,
  to,
  streams,
  streamCount: streams.length,
  ...(p50Ms === undefined ? {} : { p50Ms }),
});
const regionOf = (node: string): string | undefined => (node === 'lost' ? undefined : node.split('-')[0]);
const node = (id: string, roles: ('origin' | 'edge' | 'transcode' | 'manager')[]) => ({ id, region: regionOf(id) ?? '', roles });
const RELAYS = [
  relay('eu-origin', 'us-edge', ['live/a', 'live/b'], 40),
  relay('us-edge', 'us-other', ['live/a'], 0.4),
  relay('eu-origin', 'eu-maker', ['live/a']),
  relay('lost', 'us-other', ['live/c'], 1),
];

describe('the streams of a node', () => {
  it('are those that it is the origin of, with where each goes on', () => {
    expect(streamsOfNode(node('eu-origin', ['origin']), [{ path: 'live/a' }, { path: 'live/z' }], RELAYS, regionOf)).toEqual([
      {
        path: 'live/a',
        part: 'origin',
        from: undefined,
        to: [
          { node: 'us-edge', p50Ms: 40 },
          { node: 'eu-maker', p50Ms: undefined },
        ],
      },
      { path: 'live/z', part: 'origin', from: undefined, to: [] },
    ]);
  });
  it('are those that it pulls from another region, as the origin of its own one', () => {
    expect(streamsOfNode(node('us-edge', ['edge']), [], RELAYS, regionOf)).toEqual([
      { path: 'live/a', part: 'regional origin', from: { node: 'eu-origin', p50Ms: 40 }, to: [{ node: 'us-other', p50Ms: 0.4 }] },
      { path: 'live/b', part: 'regional origin', from: { node: 'eu-origin', p50Ms: 40 }, to: [] },
    ]);
  });
  it('are those that it serves or makes renditions of, also from a node that is not known any more', () => {
    expect(streamsOfNode(node('us-other', ['edge']), [], RELAYS, regionOf).map(({ path, part }) => [path, part])).toEqual([
      ['live/a', 'edge'],
      ['live/c', 'edge'],
    ]);
    expect(streamsOfNode(node('eu-maker', ['transcode', 'manager']), [], RELAYS, regionOf).map(({ part }) => part)).toEqual(['transcoder']);
  });
});
