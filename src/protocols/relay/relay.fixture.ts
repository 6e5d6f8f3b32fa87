import { durationMs, monotonicMs, wallMs } from '../../core/mod.ts';
import { type Frame, Timeline } from '../../media/mod.ts';
import { type FeedOptions, feed, WALL_ZERO_MS } from '../../media/source-frames.fixture.ts';
import type { SendQueue } from './send-queue.ts';

/** Stamped frames, as a hub's. */
export function stampedFrames(options: FeedOptions): Frame[] {
  const frames: Frame[] = [];
  const out = { frame: (frame: Frame): void => void frames.push(frame) };
  const timeline = new Timeline(out, { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 });
  let count = 0;
  feed(
    {
      write: (frame, now) => {
        const payload = frame.payload.map(() => count++ & 0xff);
        timeline.write({ ...frame, payload, captureMs: wallMs(WALL_ZERO_MS) }, monotonicMs(now), wallMs(WALL_ZERO_MS + now));
      },
    },
    options,
  );
  return frames;
}

/** All that waits, as it goes over the wire. */
export function waiting(queue: SendQueue): Uint8Array {
  const bytes = new Uint8Array(queue.sizeBytes);
  queue.read(bytes);
  return bytes;
}
