import pino from 'pino';
import { expect, it } from 'vitest';
import { monotonicMs, streamRef, wallMs } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Publication } from '../../hub/mod.ts';
import { feed } from '../../media/source-frames.fixture.ts';
import { systemClock } from '../clock.ts';
import { Transcoding } from './transcoding.ts';

it('a stream that has just begun offers its rungs at once to who chooses from them, and nothing any more when all ends', async () => {
  const hub = makeHub();
  const transcoding = new Transcoding({
    hub,
    ladderOf: () => ({ rungs: [{ name: 'opus', kind: 'audio', codec: 'opus', bitrateBps: 96_000 }], always: false, lingerMs: 0 }),
    tasksMax: 4,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  const publish = (name: string): Publication => {
    const publisher = { protocol: 'rtmp', address: '', agent: '' } as const;
    const none = { evicted: () => undefined };
    const publication = hub.publish(streamRef('live', name), publisher, none, 'reject', monotonicMs(0), wallMs(0)) as Publication;
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    return publication;
  };
  transcoding.start();
  try {
    const { stream } = publish('first');
    expect([...stream.renditions.keys()]).toEqual([]);
    transcoding.offerNow(stream);
    expect([...stream.renditions.keys()]).toEqual(['opus']);
    expect(transcoding.streamCount).toBe(1);
  } finally {
    await transcoding.close();
  }
  const { stream } = publish('last');
  transcoding.offerNow(stream);
  expect([...stream.renditions.keys()]).toEqual([]);
});
