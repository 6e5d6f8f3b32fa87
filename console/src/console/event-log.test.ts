import { describe, expect, it } from 'vitest';
import { EventLog } from './event-log.ts';

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
});
