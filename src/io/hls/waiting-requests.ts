import type { MonotonicMs } from '../../core/mod.ts';
import type { SharedReply, SharedResponse } from '../shared-route.ts';
import { REFUSALS } from './shared-response.ts';

/** A request held until what it asks for is there. */
export interface WaitingRequest {
  readonly reply: SharedReply;
  readonly deadline: MonotonicMs;
  /** The answer if it can be given now. */
  readonly answer: () => SharedResponse | undefined;
}

/** Counts held requests of all streams together. */
export interface WaitingBudget {
  waiting: number;
  readonly waitingMax: number;
}

/** The held requests of one stream; bounded per stream and over all streams. */
export class WaitingRequests {
  private waiting: WaitingRequest[] = [];
  private readonly budget: WaitingBudget;
  private readonly max: number;
  private readonly sent: (bytes: number) => void;

  /** `sent` is told the body bytes of each answer. */
  constructor(budget: WaitingBudget, max: number, sent: (bytes: number) => void) {
    this.budget = budget;
    this.max = max;
    this.sent = sent;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Holds the request; false at a limit. */
  hold(waiting: WaitingRequest): boolean {
    if (this.waiting.length >= this.max || this.budget.waiting >= this.budget.waitingMax) return false;
    this.waiting.push(waiting);
    this.budget.waiting++;
    return true;
  }

  /** Answers all whose time has come. */
  advanced(): void {
    this.filter((waiting) => waiting.answer());
  }

  /** Lets those go whose client has left or who have waited long enough. */
  expire(now: MonotonicMs): void {
    this.filter((waiting) => (now >= waiting.deadline ? REFUSALS.tooLate : undefined));
  }

  /** Answers everybody with the same. */
  answerAll(shared: SharedResponse): void {
    this.filter((waiting) => waiting.answer() ?? shared);
  }

  private filter(answer: (waiting: WaitingRequest) => SharedResponse | undefined): void {
    const before = this.waiting;
    if (before.length === 0) return;
    this.waiting = [];
    for (const waiting of before) {
      if (waiting.reply.isGone) continue;
      const shared = answer(waiting);
      if (shared === undefined) this.waiting.push(waiting);
      else this.sent(waiting.reply.send(shared));
    }
    this.budget.waiting -= before.length - this.waiting.length;
  }
}
