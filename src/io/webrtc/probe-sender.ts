import type { Probe } from '../../protocols/rtp/mod.ts';
import type { Kernel } from './kernel.ts';

const INTERVAL_MS = 5;
const PACKET_BYTES = 1_200;
/** Of the newest packets, which the viewer has: what is sent again only fills the link. */
const PACKETS_MAX = 128;
/** In one portion the newest packets go out so often at most: those of a small rendition have a few hundred bytes. */
const ROUNDS_MAX = 32;

/**
 * Fills a viewer's link for a moment with packets that it has already, by RTX, to see whether more bandwidth is there (as padding, RFC 4588). Goes by
 * what the session really sent and by the clock, so that small packets and late timers make no slower probe.
 */
export class ProbeSender {
  private readonly kernel: Pick<Kernel, 'flowStats' | 'sessionStats' | 'retransmit'>;
  private readonly session: number;
  private readonly sequenceNumbers = new Uint16Array(PACKETS_MAX);
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(kernel: Pick<Kernel, 'flowStats' | 'sessionStats' | 'retransmit'>, session: number) {
    this.kernel = kernel;
    this.session = session;
  }

  /** Begins a probe; one that is under way is given up for it. */
  send(flow: number, { bitrateBps, durationMs }: Probe): void {
    this.close();
    const startMs = performance.now();
    const startBytes = this.sentBytes();
    this.timer = setInterval(() => {
      const elapsedMs = performance.now() - startMs;
      this.fill(flow, startBytes + (bitrateBps * Math.min(elapsedMs, durationMs)) / 8000);
      if (elapsedMs >= durationMs) this.close();
    }, INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private fill(flow: number, untilBytes: number): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const missing = untilBytes - this.sentBytes();
      if (missing <= 0) return;
      const packets = Math.min(PACKETS_MAX, Math.ceil(missing / PACKET_BYTES));
      const { nextSequenceNumber } = this.kernel.flowStats(flow);
      for (let index = 0; index < packets; index++) this.sequenceNumbers[index] = nextSequenceNumber - packets + index;
      if (this.kernel.retransmit(flow, this.sequenceNumbers, packets) === 0) return;
    }
  }

  private sentBytes(): number {
    return this.kernel.sessionStats(this.session).bytesSent;
  }
}
