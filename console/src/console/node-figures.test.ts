import { describe, expect, it } from 'vitest';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { formatBytes, selectNodes, shareOf, standingOf, standingReason, whoIsLeft } from './node-figures.ts';

const load = (viewers: number, streams: number): NonNullable<NodeResource['load']> => ({
  cpu: 0,
  memoryBytes: 0,
  memoryMaxBytes: 0,
  networkInBps: 0,
  networkOutBps: 0,
  networkMaxBps: 0,
  loopLagMs: 0,
  viewers: { flv: 0, rtmp: 0, hls: viewers, webrtc: 0 },
  viewersMax: 0,
  streams,
  tasks: 0,
  tasksMax: 0,
  diskFreeBytes: 0,
  mediaInBps: 0,
  mediaOutBps: 0,
  latencyP50Ms: 0,
  latencyP95Ms: 0,
});
const node = (id: string, region: string, fields: Partial<NodeResource> = {}): NodeResource => ({
  id,
  region,
  roles: ['edge'],
  status: 'active',
  stale: false,
  incarnation: 1,
  self: false,
  endpoints: { http: '' },
  version: '',
  protocol: 1,
  joinedAt: '',
  heardAgoMs: 0,
  ...fields,
});

describe('a node in words', () => {
  it('is stale before it is anything else', () => {
    expect(standingOf({ stale: true, status: 'draining' })).toBe('stale');
    expect(standingOf({ stale: false, status: 'draining' })).toBe('draining');
  });
  it('says why it stands as it does', () => {
    const reason = (fields: Partial<NodeResource>): string => standingReason(node('n1', 'eu', fields), (at) => at);
    expect(reason({})).toBe('since its process began');
    expect(reason({ stale: true, heardAgoMs: 7400, statusAt: 'T', statusBy: 'key:a' })).toBe('no sign of life for 7 s');
    expect(reason({ statusAt: 'T', statusBy: 'key:a' })).toBe('since T, by key:a');
    expect(reason({ statusAt: 'T', statusBy: 'session' })).toBe('since T, by somebody who was signed in');
    expect(reason({ statusAt: 'T', statusBy: 'session of key:a' })).toBe('since T, by somebody who was signed in with key:a');
    expect(reason({ statusAt: 'T', statusBy: 'n1' })).toBe('since T, as its process was asked to end');
  });
  it('tells who is left on it', () => {
    expect(whoIsLeft({})).toBe('nobody');
    expect(whoIsLeft({ load: load(1, 2) })).toBe('1 viewer and 2 streams');
    expect(whoIsLeft({ load: load(1234, 0) })).toBe('1,234 viewers');
  });
  it('is found by region, role and standing together', () => {
    const nodes = [node('n1', 'eu'), node('n2', 'us', { stale: true }), node('n3', 'eu', { roles: ['origin'] })];
    expect(selectNodes(nodes, 'EU edge').map(({ id }) => id)).toEqual(['n1']);
    expect(selectNodes(nodes, 'stale').map(({ id }) => id)).toEqual(['n2']);
    expect(selectNodes(nodes, ' ')).toHaveLength(3);
  });
  it('has shares only of what is known', () => {
    expect([shareOf(1, 4), shareOf(5, 4), shareOf(1, 0), shareOf(undefined, 1)]).toEqual([0.25, 1, undefined, undefined]);
    const bytes = [1.5e9, 2.4e6, 92_100, 0, undefined];
    expect(bytes.map(formatBytes)).toEqual(['1.5 GB', '2 MB', '93 kB', '0 kB', '–']);
  });
});
