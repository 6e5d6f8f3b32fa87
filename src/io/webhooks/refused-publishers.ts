import type { AccessRefused, AccessRequest } from '../../access/mod.ts';
import type { HookEvent } from './event-deliveries.ts';

const AGAIN_MS = 60_000;
const KNOWN_MAX = 1_000;
const PER_APP_MAX = 60;

/** Tells of publishers that were turned away, so that somebody who tries again and again is told of once a minute. */
export class RefusedPublishers {
  private readonly publish: (event: HookEvent) => void;
  // In the order in which they were told of.
  private readonly known = new Map<string, number>();
  private readonly counts = new Map<string, { since: number; count: number }>();

  constructor(publish: (event: HookEvent) => void) {
    this.publish = publish;
  }

  note({ ref, address, protocol }: AccessRequest, reason: AccessRefused, now: number): void {
    const key = `${ref.path} ${address} ${reason}`;
    const last = this.known.get(key);
    if ((last !== undefined && now - last < AGAIN_MS) || this.isFull(ref.app, now)) return;
    this.known.delete(key);
    this.known.set(key, now);
    if (this.known.size > KNOWN_MAX)
      for (const oldest of this.known.keys()) {
        this.known.delete(oldest);
        break;
      }
    const data = { address, reason, ...(protocol === undefined ? {} : { protocol }) };
    this.publish({ type: 'publisher.refused', app: ref.app, stream: ref.path, lane: ref.path, data });
  }

  /** Streams and addresses may be made up without end. */
  private isFull(app: string, now: number): boolean {
    const known = this.counts.get(app);
    const counted = known === undefined || now - known.since >= AGAIN_MS ? { since: now, count: 0 } : known;
    counted.count += 1;
    this.counts.delete(app);
    this.counts.set(app, counted);
    if (this.counts.size > KNOWN_MAX)
      for (const oldest of this.counts.keys()) {
        this.counts.delete(oldest);
        break;
      }
    return counted.count > PER_APP_MAX;
  }
}
