import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../core/mod.ts';
import { decodeClusterIdentity, encodeClusterIdentity } from './cluster-identity.ts';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from './heartbeat.ts';
import {
  decodeJoinTokenRecord,
  encodeJoinTokenRecord,
  formatJoinToken,
  type JoinTokenRecord,
  judgeJoin,
  parseJoinToken,
  withUse,
} from './join-token.ts';
import { decodeNodeRecord, encodeNodeRecord, type NodeRecord, withStatus } from './node-record.ts';
import { decodeRevocation, encodeRevocation } from './revocations.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const node: NodeRecord = {
  v: 1,
  id: 'n1',
  region: 'eu',
  roles: ['origin', 'edge'],
  status: 'draining',
  drainDeadlineWallMs: 5,
  drainForMs: 4,
  incarnation: 3,
  endpoints: { http: 'http://a:1', rtmp: 'rtmp://a:2', relay: 'a:3' },
  version: '1.2.3',
  protocol: 1,
  joinedAtMs: 7,
  certificateSerial: 'ab',
  keySha256: 'cd',
};
const heartbeat: Heartbeat = {
  v: 1,
  id: 'n1',
  incarnation: 3,
  sentMs: 9,
  cpu: 0.5,
  memoryBytes: 1,
  memoryMaxBytes: 2,
  networkInBps: 3,
  networkOutBps: 4,
  networkMaxBps: 5,
  loopLagMs: 6,
  viewers: { flv: 1, rtmp: 2, hls: 3, webrtc: 4 },
  viewersMax: 10,
  streams: 2,
  tasks: 1,
  tasksMax: 3,
  diskFreeBytes: 8,
  mediaInBps: 9,
  mediaOutBps: 10,
  latencyP50Ms: 1.5,
  latencyP95Ms: 2.5,
};
const token: JoinTokenRecord = {
  v: 1,
  id: 'abcdef12',
  secretSha256: 'ff',
  roles: ['origin', 'edge'],
  regions: ['eu'],
  usesMax: 2,
  usedBy: ['n1'],
  expiresAtMs: 1000,
  createdAtMs: 1,
  note: 'x',
};

const decoders = { decodeNodeRecord, decodeHeartbeat, decodeJoinTokenRecord, decodeRevocation, decodeClusterIdentity };
const values = [
  [decodeNodeRecord, encodeNodeRecord(node), node],
  [decodeHeartbeat, encodeHeartbeat(heartbeat), heartbeat],
  [decodeJoinTokenRecord, encodeJoinTokenRecord(token), token],
  [
    decodeRevocation,
    encodeRevocation({ v: 1, node: 'n', serial: 's', revokedAtMs: 1, notAfterMs: 2 }),
    { v: 1, node: 'n', serial: 's', revokedAtMs: 1, notAfterMs: 2 },
  ],
  [decodeClusterIdentity, encodeClusterIdentity({ v: 1, id: 'c', name: 'x', caSha256: 'y' }), { v: 1, id: 'c', name: 'x', caSha256: 'y' }],
] as const;

describe('values of the store and the bus', () => {
  it.each(values)('%o come back as they were', (decode, bytes, value) => {
    expect(decode(bytes)).toEqual(value);
  });

  it('are skipped when they need a newer reader, and never throw, whatever they are', () => {
    for (const decode of Object.values(decoders)) {
      for (const text of ['', 'x', 'null', '[]', '{}', '5', '{"v":2}', '{"v":"1"}', '{"v":0}'])
        expect(decode(utf8Encode(text))).toBeUndefined();
      fc.assert(
        fc.property(fc.uint8Array(), (bytes) => {
          decode(bytes);
        }),
        { numRuns },
      );
    }
  });

  it('never throw and stay in their bounds with any field spoilt', () => {
    const spoilt = fc.oneof(fc.jsonValue(), fc.double(), fc.constant(undefined), fc.string({ minLength: 300, maxLength: 400 }));
    for (const [decode, , value] of values) {
      const field = fc.constantFrom(...Object.keys(value));
      fc.assert(
        fc.property(field, spoilt, (name, spoil) => {
          const result = decode(utf8Encode(JSON.stringify({ ...value, [name]: spoil }))) as Record<string, unknown> | undefined;
          for (const read of Object.values(result ?? {})) if (typeof read === 'string') expect(read.length).toBeLessThanOrEqual(256);
        }),
        { numRuns },
      );
    }
  });

  it('of a node lose the deadline with the status that it belongs to', () => {
    expect(withStatus(node, { status: 'active' })).not.toHaveProperty('drainForMs');
    expect(withStatus(node, { status: 'draining' })).not.toHaveProperty('drainDeadlineWallMs');
    const drain = { forMs: 9, deadlineWallMs: 10 };
    expect(withStatus(node, { status: 'draining', drain })).toMatchObject({ drainForMs: 9, drainDeadlineWallMs: 10 });
  });

  it('of a node have its name, or none where older software has written them', () => {
    expect(decodeNodeRecord(encodeNodeRecord({ ...node, name: 'eu-edge-1' }))).toEqual({ ...node, name: 'eu-edge-1' });
    for (const name of [undefined, '', 7, 'x'.repeat(254)])
      expect(decodeNodeRecord(utf8Encode(JSON.stringify({ ...node, name })))).toEqual(node);
  });

  it('of a node say who gave it its status, and no longer than it has that', () => {
    const change = { atMs: 7, by: 'key:abc' };
    const drained = withStatus(node, { status: 'draining', change });
    expect(decodeNodeRecord(encodeNodeRecord(drained))).toEqual(drained);
    expect(drained.statusChange).toEqual(change);
    expect(withStatus(drained, { status: 'active' })).not.toHaveProperty('statusChange');
  });
});

describe('a join token', () => {
  const parts = { id: 'abcdef12', secret: 's'.repeat(43), caPin: 'p'.repeat(43) };

  it('is read as it is written, and only whole', () => {
    const text = formatJoinToken(parts);
    expect(parseJoinToken(text)).toEqual(parts);
    for (let length = 0; length < text.length; length++) expect(parseJoinToken(text.slice(0, length))).toBeUndefined();
    for (const wrong of [` ${text}`, `${text}\n`, text.toUpperCase(), text.replace('clt_', 'sk_'), `${text}x`])
      expect(parseJoinToken(wrong)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (garbage) => parseJoinToken(garbage) === undefined),
      { numRuns },
    );
  });

  const wish = { nodeId: 'n9', roles: ['edge'] as const, region: 'eu' };
  it.each([
    ['an unknown one', undefined, true, wish, 0, 'cluster.token-wrong'],
    ['a wrong secret, whatever else is wrong', { ...token, expiresAtMs: 0 }, false, wish, 5, 'cluster.token-wrong'],
    ['at its expiry', token, true, wish, 1000, 'cluster.token-expired'],
    ['another role', token, true, { ...wish, roles: ['edge', 'manager'] as const }, 0, 'cluster.role-not-allowed'],
    ['another region', token, true, { ...wish, region: 'us' }, 0, 'cluster.region-not-allowed'],
    ['the last use gone', { ...token, usedBy: ['n1', 'n2'] }, true, wish, 0, 'cluster.token-used-up'],
    ['a use that is left', token, true, wish, 999, undefined],
    ['the last use gone to this very node', { ...token, usedBy: ['n1', 'n9'] }, true, wish, 0, undefined],
    ['any region', { ...token, regions: [] }, true, { ...wish, region: 'us' }, 0, undefined],
  ])('%s', (_title, record, isSecretRight, asked, now, code) => {
    expect(judgeJoin(record, isSecretRight, asked, now)?.code).toBe(code);
  });

  it('counts each node once', () => {
    expect(withUse(token, 'n1')).toBe(token);
    expect(withUse(token, 'n2').usedBy).toEqual(['n1', 'n2']);
  });
});
