import { describe, expect, it } from 'vitest';
import { dataOf, EventLog, isOfNode } from './event-log.ts';

describe('the log of events', () => {
  it('keeps the newest, tells of each, and is another list only when there is another event', () => {
    const log = new EventLog(2);
    let told = 0;
    const stop = log.listen(() => (told += 1));
    for (const data of ['1', '2', '3']) log.add({ type: 'stream.started', data, atMs: 0 });
    expect(log.events().map(({ data }) => data)).toEqual(['3', '2']);
    expect(log.events()).toBe(log.events());
    stop();
    log.add({ type: 'stream.ended', data: '4', atMs: 0 });
    expect(told).toBe(3);
    expect(log.events()[0]?.number).toBe(4);
  });
  it('finds those of a node: about itself, about streams that it is the origin of, and what the server tells of itself', () => {
    const own = { type: 'node.changed', data: '{"node":"n1"}' };
    const stream = { type: 'stream.started', data: '{"path":"live/a","origin":"n1"}' };
    const task = { type: 'transcoding.changed', data: '{"name":"live/a/low"}' };
    const found = (id: string, isServer: boolean): readonly boolean[] => [own, stream, task].map((event) => isOfNode(event, id, isServer));
    expect(found('n1', false)).toEqual([true, true, false]);
    expect(found('n1', true)).toEqual([true, true, true]);
    expect(found('n2', false)).toEqual([false, false, false]);
    expect([dataOf({ data: 'no JSON' }), dataOf({ data: '3' })]).toEqual([{ data: 'no JSON' }, { data: 3 }]);
  });
});
