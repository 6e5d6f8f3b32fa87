import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeRecord } from './node-record.ts';
import { memberMark } from './region-digest.ts';
import { RosterTable } from './roster-table.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const record = (id: string, incarnation = 1): NodeRecord => ({
  v: 1,
  id,
  region: 'eu',
  roles: ['edge'],
  status: 'active',
  incarnation,
  endpoints: { http: `http://${id}` },
  version: '1',
  protocol: 2,
  joinedAtMs: 0,
});

describe('the table of a region', () => {
  it('has the last record of each node, in the order of their ids, and a mark of them all', () => {
    const change = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), incarnation: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const nodes = new Map<string, NodeRecord>();
        let table = new RosterTable();
        // Incarnation 0 stands for a node that goes.
        for (const { id, incarnation } of changes) {
          const changed = record(id, incarnation);
          table = incarnation === 0 ? table.without(id) : table.with(changed);
          if (incarnation === 0) nodes.delete(id);
          else nodes.set(id, changed);
        }
        const expected = [...nodes.values()].toSorted((left, right) => (left.id < right.id ? -1 : 1));
        expect(table.records).toEqual(expected);
        expect(expected.map(({ id }) => table.placeOf(id))).toEqual(expected.map((_, place) => place));
        expect(table.placeOf('f')).toBe(~expected.length);
        expect(table.mark >>> 0).toBe(expected.reduce((mark, { id, incarnation }) => mark ^ memberMark(id, incarnation), 0) >>> 0);
      }),
      { numRuns },
    );
  });

  it('is the same one for all who hear the same', () => {
    const empty = new RosterTable();
    const [first, second] = [record('a'), record('b')];
    const table = empty.with(second).with(first);
    expect(empty.with(second).with(first)).toBe(table);
    expect(table.without('a')).toBe(table.without('a'));
    expect(table.without('a').records).toEqual([second]);
    expect(table.without('c')).toBe(table);
  });
});
