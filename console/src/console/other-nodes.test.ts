import { describe, expect, it } from 'vitest';
import { otherNodes } from './other-nodes.ts';

const node = (id: string, region: string, http = 'http://127.0.0.1:1', stale = false) => ({ id, region, stale, endpoints: { http } });

describe('where else the console is', () => {
  it('is at the other nodes, those first that were alive and near', () => {
    const nodes = [node('a', 'us'), node('b', 'eu'), node('c', 'us'), node('d', 'us', 'http://127.0.0.1:1', true)];
    expect(otherNodes(nodes, 'c').map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    expect(otherNodes([], 'c')).toEqual([]);
  });

  it('is nowhere that a browser would run what stands there', () => {
    expect(otherNodes([node('a', 'eu', 'javascript:alert(1)'), node('b', 'eu', 'https://[')], 'c')).toEqual([]);
  });
});
