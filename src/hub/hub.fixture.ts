import { durationMs, type StreamRef, sizeBytes } from '../core/mod.ts';
import { Hub, type HubListener, type HubOptions } from './mod.ts';

const nothing = (): void => undefined;

/** A hub as most tests want it: nobody listens, and a sink that throws fails the test. What a test is about it says itself. */
export function makeHub(options: Partial<HubOptions> = {}, listener: Partial<HubListener> = {}): Hub {
  return new Hub(
    {
      streamStarted: nothing,
      streamHeld: nothing,
      streamResumed: nothing,
      streamEnded: nothing,
      renditionsChanged: nothing,
      sinkFailed: (_ref, error) => {
        throw error;
      },
      ...listener,
    },
    {
      holdMs: durationMs(60_000),
      segmentTargetMs: durationMs(2_000),
      partTargetMs: durationMs(500),
      streamsMax: 10,
      gopCacheBytesMax: sizeBytes(1_000_000),
      tracksMax: 4,
      ...options,
    },
  );
}

/** Writes down what becomes of streams: `started live/show`. */
export function noting(events: string[]): Omit<HubListener, 'sinkFailed'> {
  const note =
    (what: string) =>
    (ref: StreamRef): void =>
      void events.push(`${what} ${ref.path}`);
  return {
    streamStarted: note('started'),
    streamHeld: note('held'),
    streamResumed: note('resumed'),
    streamEnded: note('ended'),
    renditionsChanged: note('renditions'),
  };
}
