import type { Bus, BusFailure, BusReply } from '../../cluster/mod.ts';
import { type HistogramValue, LatencyHistogram } from '../latency-histogram.ts';

const FAILURES: readonly BusFailure[] = ['unavailable', 'nobody', 'timeout'];

/** How a bus does, as this process sees it. */
export interface BusHealth {
  readonly isConnected: boolean;
  readonly published: number;
  /** From a request to its answer, of those that were answered. */
  readonly requests: HistogramValue;
  /** Requests without an answer, by {@link BusFailure}. */
  readonly failedByCode: ReadonlyMap<string, number>;
}

/** A bus that is measured: calls pass through as they are. */
export class MeteredBus implements Bus {
  private readonly bus: Bus;
  private readonly now: () => number;
  private readonly requests = new LatencyHistogram();
  private readonly failed = new Map<string, number>(FAILURES.map((failure) => [failure, 0]));
  private readonly unwatch: () => void;
  private published = 0;
  private isConnected = false;

  /** `now` is monotonic, in milliseconds. */
  constructor(bus: Bus, now: () => number) {
    this.bus = bus;
    this.now = now;
    this.unwatch = bus.onConnected((isConnected) => {
      this.isConnected = isConnected;
    });
  }

  health(): BusHealth {
    const { isConnected, published, failed } = this;
    return { isConnected, published, requests: this.requests.value(), failedByCode: failed };
  }

  publish(subject: string, message: Uint8Array): void {
    this.published++;
    this.bus.publish(subject, message);
  }

  subscribe(pattern: string, handler: (subject: string, message: Uint8Array) => void): () => void {
    return this.bus.subscribe(pattern, handler);
  }

  request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void {
    const beganMs = this.now();
    this.bus.request(subject, message, timeoutMs, (reply) => {
      if (reply.ok) this.requests.add(this.now() - beganMs);
      else this.failed.set(reply.failure, (this.failed.get(reply.failure) ?? 0) + 1);
      done(reply);
    });
  }

  serve(subject: string, handler: (message: Uint8Array, reply: (answer: Uint8Array) => void) => void): () => void {
    return this.bus.serve(subject, handler);
  }

  onConnected(handler: (isConnected: boolean) => void): () => void {
    return this.bus.onConnected(handler);
  }

  /** Stops to listen whether the bus is connected; the bus itself is the caller's to close. */
  close(): void {
    this.unwatch();
  }
}
