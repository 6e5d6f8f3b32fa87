import { type MonotonicMs, monotonicMs } from '../core/mod.ts';

/** One event on its way to one hook. */
export interface Delivery {
  /** Of the event; unique together with `hook`. */
  readonly id: string;
  readonly hook: string;
  readonly type: string;
  /** What has an order of its own among the hook's events: a stream. */
  readonly lane: string;
  /** JSON, the same in all attempts. */
  readonly body: string;
  readonly createdAtMs: number;
  /** By the wall clock; no further attempt is planned for later. */
  readonly deadlineMs: number;
  /** That were made and failed. */
  readonly attempts: number;
}

export interface DeliveryQueueOutput {
  /** To be sent now; {@link DeliveryQueue.settled} says what came of it. */
  send(delivery: Delivery): void;
  /** It failed, and is tried again later. */
  postponed(delivery: Delivery): void;
  /** It failed, and is not tried again. */
  died(delivery: Delivery): void;
}

export interface DeliveryQueueOptions {
  /** Of one hook; more are not taken. */
  readonly perHookMax: number;
  /** Of all hooks; past it, a hook that has {@link RESERVED_A_HOOK} waiting gets no more. */
  readonly waitingMax: number;
  /** Requests to one hook at a time. */
  readonly inFlightMax: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Those who have a great deal waiting take no room from the others. */
const RESERVED_A_HOOK = 100;
const DELAY_MS = 1_000;
const DELAY_MS_MAX = 600_000;

/** How long after the failure of attempt number `attempts` the next one comes: 1 s, then twice as long each time up to 10 min; up to half of it less. */
export const retryDelayMs = (attempts: number, random: number): number =>
  Math.min(DELAY_MS * 2 ** Math.min(attempts - 1, 20), DELAY_MS_MAX) * (1 - random / 2);

interface Lane {
  readonly name: string;
  /** The first is the one that is sent or waits. */
  readonly items: Delivery[];
  /** While it waits for its next attempt. */
  dueAt: MonotonicMs | undefined;
}

interface Line {
  readonly lanes: Map<string, Lane>;
  /** Lanes whose first may go as soon as there is room, in order. */
  readonly ready: Set<Lane>;
  readonly waiting: Set<Lane>;
  inFlight: number;
  size: number;
}

/**
 * Events on their way to hooks. Those of one lane go one after the other: one that fails holds up those behind it, and what other lanes of the hook have goes on.
 * Nothing here is kept over a restart; the owner does that.
 */
export class DeliveryQueue {
  private readonly out: DeliveryQueueOutput;
  private readonly options: DeliveryQueueOptions;
  private readonly lines = new Map<string, Line>();
  private total = 0;

  constructor(out: DeliveryQueueOutput, options: DeliveryQueueOptions) {
    this.out = out;
    this.options = options;
  }

  /** Deliveries that wait or are being sent. */
  get size(): number {
    return this.total;
  }

  /** When {@link tick} has something to do; undefined: not by itself. */
  get wakeAt(): MonotonicMs | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { waiting } of this.lines.values()) for (const { dueAt = 0 } of waiting) earliest = Math.min(earliest, dueAt);
    return earliest === Number.POSITIVE_INFINITY ? undefined : monotonicMs(earliest);
  }

  /** False when the hook, or all together, have as many waiting as may. */
  add(delivery: Delivery): boolean {
    const line = this.lineOf(delivery.hook);
    const max = this.total < this.options.waitingMax ? this.options.perHookMax : RESERVED_A_HOOK;
    if (line.size >= max) return false;
    const lane = line.lanes.get(delivery.lane) ?? { name: delivery.lane, items: [], dueAt: undefined };
    line.lanes.set(lane.name, lane);
    lane.items.push(delivery);
    line.size += 1;
    this.total += 1;
    if (lane.items.length > 1) return true;
    line.ready.add(lane);
    this.pump(line);
    return true;
  }

  /** What came of the delivery that was sent last in its lane. */
  settled({ hook, lane: name, id }: Delivery, isDelivered: boolean, now: MonotonicMs, nowWallMs: number): void {
    const line = this.lines.get(hook);
    const lane = line?.lanes.get(name);
    const first = lane?.items[0];
    // The hook was forgotten in between.
    if (line === undefined || lane === undefined || first?.id !== id) return;
    line.inFlight -= 1;
    const failed = { ...first, attempts: first.attempts + 1 };
    const delayMs = retryDelayMs(failed.attempts, this.options.random());
    if (!isDelivered && nowWallMs + delayMs <= failed.deadlineMs) {
      lane.items[0] = failed;
      lane.dueAt = monotonicMs(now + delayMs);
      line.waiting.add(lane);
      this.out.postponed(failed);
    } else {
      this.leave(hook, line, lane);
      if (!isDelivered) this.out.died(failed);
    }
    this.pump(line);
  }

  /** Sends what is due. */
  tick(now: MonotonicMs): void {
    for (const line of this.lines.values()) {
      for (const lane of [...line.waiting]) {
        if (lane.dueAt === undefined || lane.dueAt > now) continue;
        lane.dueAt = undefined;
        line.waiting.delete(lane);
        line.ready.add(lane);
      }
      this.pump(line);
    }
  }

  /** Forgets all of a hook that is gone. */
  forget(hook: string): readonly Delivery[] {
    const line = this.lines.get(hook);
    this.lines.delete(hook);
    this.total -= line?.size ?? 0;
    return [...(line?.lanes.values() ?? [])].flatMap(({ items }) => items);
  }

  private leave(hook: string, line: Line, lane: Lane): void {
    lane.items.shift();
    line.size -= 1;
    this.total -= 1;
    if (lane.items.length > 0) line.ready.add(lane);
    else line.lanes.delete(lane.name);
    if (line.size === 0) this.lines.delete(hook);
  }

  private pump(line: Line): void {
    for (const lane of line.ready) {
      const [first] = lane.items;
      if (line.inFlight >= this.options.inFlightMax || first === undefined) return;
      line.ready.delete(lane);
      line.inFlight += 1;
      this.out.send(first);
    }
  }

  private lineOf(hook: string): Line {
    const known = this.lines.get(hook);
    if (known !== undefined) return known;
    const made: Line = { lanes: new Map(), ready: new Set(), waiting: new Set(), inFlight: 0, size: 0 };
    this.lines.set(hook, made);
    return made;
  }
}
