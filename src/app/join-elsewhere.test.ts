import { describe, expect, it } from 'vitest';
import type { NodeRecord, NodeView } from '../cluster/mod.ts';
import { monotonicMs } from '../core/mod.ts';
import { managersOf } from './join-elsewhere.ts';

const node = (id: string, roles: NodeRecord['roles'], isStale = false): NodeView => ({
  record: {
    v: 1,
    id,
    region: 'eu',
    roles,
    status: 'active',
    incarnation: 1,
    endpoints: { http: `https://${id}:8080` },
    version: '1',
    protocol: 1,
    joinedAtMs: 0,
  },
  heartbeat: undefined,
  incarnation: 1,
  headroom: undefined,
  isStale,
  heardAt: monotonicMs(0),
  clockOffsetMs: undefined,
});

describe('a node that lets nobody in', () => {
  it('names managers that are alive', () => {
    const nodes = [node('m2', ['manager']), node('e', ['edge']), node('m1', ['mono']), node('m3', ['manager'], true)];
    expect(managersOf(nodes)).toBe('https://m1:8080, https://m2:8080');
  });

  it('says where to look when it knows of none', () => {
    expect(managersOf([node('e', ['edge'])])).toContain('GET /api/v1/nodes');
  });
});
