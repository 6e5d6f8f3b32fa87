import type { NodeRecord } from './node-record.ts';

/** The record of an active edge in `eu`. */
export const edgeRecord = (id: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  v: 1,
  id,
  region: 'eu',
  roles: ['edge'],
  status: 'active',
  incarnation: 1,
  endpoints: { http: `http://${id}:8080` },
  version: '1',
  protocol: 1,
  joinedAtMs: 0,
  ...more,
});
