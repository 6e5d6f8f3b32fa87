import type { Probe } from '../../protocols/rtp/mod.ts';
import type { Kernel } from './kernel.ts';

const INTERVAL_MS = 5;
const PACKET_BYTES = 1_200;
/** Of the newest packets, which the viewer has: what is sent again only fills the link. */
const PACKETS_MAX = 128;

/** Fills a viewer's link for a moment with packets that it has already, by RTX, to see whether more bandwidth is there (as padding, RFC 4588). */
export class ProbeSender {
  private readonly kernel: Kernel;
  private readonly sequenceNumbers = new Uint16Array(PACKETS_MAX);
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Begins a probe; one that is under way is given up for it. */
  send(flow: number, { bitrateBps, durationMs }: Probe): void {
    this.close();
    const packets = Math.max(1, Math.round((bitrateBps * INTERVAL_MS) / 1000 / 8 / PACKET_BYTES));
    let left = Math.max(1, Math.ceil(durationMs / INTERVAL_MS));
    this.timer = setInterval(() => {
      this.portion(flow, Math.min(packets, PACKETS_MAX));
      left--;
      if (left === 0) this.close();
    }, INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private portion(flow: number, packets: number): void {
    const { nextSequenceNumber } = this.kernel.flowStats(flow);
    for (let index = 0; index < packets; index++) this.sequenceNumbers[index] = nextSequenceNumber - packets + index;
    this.kernel.retransmit(flow, this.sequenceNumbers, packets);
  }
}
