import pino from 'pino';
import { expect, it } from 'vitest';
import { monotonicMs, type StreamRef, streamRef, wallMs } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Publication } from '../../hub/mod.ts';
import { feed } from '../../media/source-frames.fixture.ts';
import { systemClock } from '../clock.ts';
import { Transcoding } from './transcoding.ts';

it('rungs are offered before the first frame of a stream goes out, and none any more when all ends', async () => {
  const started = ({ path }: StreamRef): void => {
    const stream = hub.stream(path);
    if (stream !== undefined) transcoding.streamStarted(stream);
  };
  const hub = makeHub({}, { streamStarted: started });
  const transcoding = new Transcoding({
    hub,
    ladderOf: () => ({ rungs: [{ name: 'opus', kind: 'audio', codec: 'opus', bitrateBps: 96_000 }], always: false, lingerMs: 0 }),
    tasksMax: 4,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  const nothing = (): void => undefined;
  /** What is offered when the first frame comes out. */
  const offeredWith = (name: string): readonly string[] | undefined => {
    const publisher = { protocol: 'rtmp', address: '', agent: '' } as const;
    const now = [monotonicMs(0), wallMs(0)] as const;
    const publication = hub.publish(streamRef('live', name), publisher, { evicted: nothing }, 'reject', ...now) as Publication;
    let offered: readonly string[] | undefined;
    const frame = (): void => {
      offered ??= [...publication.stream.renditions.keys()];
    };
    publication.stream.attach({ tracks: nothing, frame, paused: nothing, ended: nothing });
    feed(publication, { fromMs: 0, untilMs: 1_000 });
    return offered;
  };
  transcoding.start();
  try {
    expect(offeredWith('first')).toEqual(['opus']);
    expect(transcoding.streamCount).toBe(1);
  } finally {
    await transcoding.close();
  }
  expect(offeredWith('last')).toEqual([]);
});
