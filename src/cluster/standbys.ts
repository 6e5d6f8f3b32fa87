import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { BusFailure } from './bus.ts';
import type { Held } from './stream-sourcing.ts';

/** What a node itself has of a stream that it publishes: `held` while its publisher is away. */
export type OwnStreamState = 'live' | 'held' | 'none';

/** What an origin says of its stream, or why it says nothing. */
export type OriginAnswer = OwnStreamState | BusFailure;

/** How far a stream's origin has come: the stream's time when this node's clock shows 0, in ms; undefined if it did not say. */
export type OriginHead = number | undefined;

export interface StandbysPorts {
  now(): MonotonicMs;
  /** Whether the publisher that waits here is there itself. */
  isLive(name: string): boolean;
  /** The stream's claim by its origin. */
  origin(name: string): Held | undefined;
  /** Whether there is no connection straight to an origin that is waited for. */
  isDisconnected(node: string): boolean;
  /** Asks an origin what it has of a stream; answered, or given up, once. `headMs`: how far it has come on the stream's timeline. */
  ask(name: string, node: string, done: (answer: OriginAnswer, headMs?: number) => void): void;
  /** The place is free; it is waited for no more. `from`: an origin that was found to be gone though it counts as alive. */
  takePlace(name: string, from: string | undefined, head: OriginHead): void;
}

/** How often an origin is asked whether it still has its publisher; and when there is no connection to it any more. */
const ASK_INTERVAL_MS = 500;
const ASK_INTERVAL_URGENT_MS = 100;
/** An origin to which there is no connection, and that has not answered for so long, is gone. */
const SILENT_MS = 1_500;
/** A tick that is this late means that this process did not run: answers may wait to be read. */
const TICK_LATE_MS = 1_000;

interface Standby {
  /** Whom it waits for. */
  origin: string;
  askAt: MonotonicMs;
  /** When the first question was asked that the origin has not answered. */
  silentSince: MonotonicMs | undefined;
  head: OriginHead;
}

/**
 * Publishers of this node that wait for other nodes' to go. An origin is gone when it says so, or when nothing is heard of it in two ways: it does not answer, and
 * its connection is broken or its node counts as dead. One that is only slow to answer stays.
 */
export class Standbys {
  private readonly ports: StandbysPorts;
  private readonly waiting = new Map<string, Standby>();
  private tickedAt: number = Number.NEGATIVE_INFINITY;

  constructor(ports: StandbysPorts) {
    this.ports = ports;
  }

  get size(): number {
    return this.waiting.size;
  }

  has(name: string): boolean {
    return this.waiting.has(name);
  }

  add(name: string, origin: string): void {
    this.waiting.set(name, { origin, askAt: this.ports.now(), silentSince: undefined, head: undefined });
  }

  delete(name: string): boolean {
    return this.waiting.delete(name);
  }

  /** The connection to a node broke: if it is waited for, it may be dead. */
  disconnected(node: string): void {
    const now = this.ports.now();
    this.noteTime(now);
    for (const [name, standby] of [...this.waiting]) {
      if (standby.origin !== node) continue;
      standby.askAt = now;
      this.look(name, standby, now);
    }
  }

  /** The stream's claim says something new: with the next tick it is seen what that means. */
  changed(name: string): void {
    const standby = this.waiting.get(name);
    if (standby !== undefined) standby.askAt = this.ports.now();
  }

  tick(now: MonotonicMs): void {
    this.noteTime(now);
    for (const [name, standby] of [...this.waiting]) this.look(name, standby, now);
  }

  private noteTime(now: MonotonicMs): void {
    if (now - this.tickedAt > TICK_LATE_MS) for (const standby of this.waiting.values()) standby.silentSince = undefined;
    this.tickedAt = now;
  }

  private look(name: string, standby: Standby, now: MonotonicMs): void {
    const { ports } = this;
    if (!ports.isLive(name)) return;
    const origin = ports.origin(name);
    if (origin === undefined) {
      this.take(name, undefined);
      return;
    }
    if (origin.node !== standby.origin) Object.assign(standby, { origin: origin.node, silentSince: undefined });
    const isSuspect = this.isSuspect(origin);
    if (isSuspect && now - (standby.silentSince ?? now) >= SILENT_MS) this.take(name, origin.node);
    else if (now >= standby.askAt) this.ask(name, standby, now, isSuspect ? ASK_INTERVAL_URGENT_MS : ASK_INTERVAL_MS);
  }

  /** A node may count as dead only because this one was cut off: so it, too, is asked. */
  private isSuspect(origin: Held): boolean {
    return !origin.isAlive || this.ports.isDisconnected(origin.node);
  }

  private ask(name: string, standby: Standby, now: MonotonicMs, againMs: number): void {
    const { origin } = standby;
    standby.askAt = monotonicMs(now + againMs);
    standby.silentSince ??= now;
    this.ports.ask(name, origin, (answer, headMs) => {
      if (this.waiting.get(name) !== standby || standby.origin !== origin) return;
      // Measured after it was asked for, so it may be less far by now, but not further.
      if (headMs !== undefined) standby.head = headMs - now;
      this.answered(name, standby, answer);
    });
  }

  private answered(name: string, standby: Standby, answer: OriginAnswer): void {
    const { origin } = standby;
    const held = this.ports.origin(name);
    if (answer === 'none' || answer === 'held') this.take(name, origin);
    // One that serves nobody has lost its way to the bus, or is dead: its connection tells which.
    else if (answer === 'nobody' && held !== undefined && this.isSuspect(held)) this.take(name, origin);
    // What cannot be asked does not count as silence.
    else if (answer === 'live' || answer === 'unavailable') standby.silentSince = undefined;
  }

  private take(name: string, from: string | undefined): void {
    const head = this.waiting.get(name)?.head;
    this.waiting.delete(name);
    this.ports.takePlace(name, from, head);
  }
}
