import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bitrateBps, durationMs } from '../../core/mod.ts';
import { ProbeSender } from './probe-sender.ts';

const FLOW = 7;
const SESSION = 3;

/** A session that counts its bytes; `packetBytes` is the size of each packet of its history. */
class FakeKernel {
  bytesSent = 1_000_000;
  packetBytes = 1_200;
  isFull = false;

  flowStats(): { nextSequenceNumber: number } {
    return { nextSequenceNumber: 5 };
  }

  sessionStats(): { bytesSent: number } {
    return { bytesSent: this.bytesSent };
  }

  retransmit(_flow: number, _sequenceNumbers: Uint16Array, count: number): number {
    if (this.isFull) return 0;
    this.bytesSent += count * this.packetBytes;
    return count;
  }
}

describe('ProbeSender', () => {
  let kernel: FakeKernel;
  let sender: ProbeSender;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    kernel = new FakeKernel();
    sender = new ProbeSender(kernel as unknown as ConstructorParameters<typeof ProbeSender>[0], SESSION);
  });
  afterEach(() => {
    sender.close();
    vi.useRealTimers();
  });

  const sentBy = (bps: number, ms: number): number => {
    const before = kernel.bytesSent;
    sender.send(FLOW, { bitrateBps: bitrateBps(bps), durationMs: durationMs(ms) });
    vi.advanceTimersByTime(1_000);
    return ((kernel.bytesSent - before) * 8000) / ms;
  };

  it.each([1_200, 300, 90])('sends at the rate it was asked for, of packets of %i bytes', (packetBytes) => {
    kernel.packetBytes = packetBytes;
    for (const bps of [700_000, 5_000_000]) {
      const rate = sentBy(bps, 100);
      expect(rate).toBeGreaterThanOrEqual(bps);
      expect(rate).toBeLessThan(bps * 1.15);
    }
  });

  it('counts what the session sends anyway', () => {
    const timer = setInterval(() => {
      kernel.bytesSent += 625;
    }, 5);
    const before = kernel.bytesSent;
    sender.send(FLOW, { bitrateBps: bitrateBps(1_000_000), durationMs: durationMs(200) });
    vi.advanceTimersByTime(200);
    clearInterval(timer);
    expect(kernel.bytesSent - before).toBeLessThan(27_500);
  });

  it('stops when the socket takes no more, at the end of its time, and when it is closed', () => {
    kernel.isFull = true;
    expect(sentBy(1_000_000, 100)).toBe(0);
    kernel.isFull = false;
    sender.send(FLOW, { bitrateBps: bitrateBps(1_000_000), durationMs: durationMs(100) });
    sender.close();
    const before = kernel.bytesSent;
    vi.advanceTimersByTime(1_000);
    expect(kernel.bytesSent).toBe(before);
  });
});
