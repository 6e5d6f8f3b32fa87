/** What the machine wants done. Answers come back as calls of the machine, later, never from inside. */
export interface WhepOutput {
  /** Close what is there and open a new session. */
  connect(): void;
  /** A connection that worked is gone; `resume` opens another. */
  lost(detail: string): void;
  /** The server has no such stream now. */
  absent(): void;
  /** WebRTC does not get through; nothing more will be tried. */
  failed(detail: string): void;
  /** More came since it was last asked. */
  progressed(): void;
  /** Connected, and nothing comes. */
  stalled(): void;
}

/** All in milliseconds save the count. */
export interface WhepLimits {
  /** From the offer to a working connection. */
  readonly connectMsMax: number;
  /** How long a connection may be interrupted before it is given up. */
  readonly interruptedMsMax: number;
  /** Connections tried since the last healthy one. */
  readonly attemptsMax: number;
  /** A connection that held this long makes earlier attempts forgotten. */
  readonly healthyAfterMs: number;
  /** How long nothing may come before that is told. */
  readonly silentMsMax: number;
}

export const WHEP_LIMITS: WhepLimits = {
  connectMsMax: 4000,
  interruptedMsMax: 3000,
  attemptsMax: 2,
  healthyAfterMs: 10_000,
  silentMsMax: 1000,
};

type Phase = 'idle' | 'connecting' | 'connected' | 'interrupted' | 'over';

/** Decides when to connect, to try again and to give up: pure, no timers, no network. The owner calls `tick` once `wakeAt` has passed. */
export class WhepMachine {
  readonly #out: WhepOutput;
  readonly #limits: WhepLimits;
  #phase: Phase = 'idle';
  #attempts = 0;
  #connectedAt = 0;
  #received = 0;
  #receivedAt = 0;
  #wakeAt: number | undefined;

  constructor(out: WhepOutput, limits: WhepLimits) {
    this.#out = out;
    this.#limits = limits;
  }

  /** When `tick` has something to do. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  /** Connects; after `lost`, once more, unless too many connections went the same way. */
  resume(now: number): void {
    if (this.#phase === 'idle') this.#connect(now, 'the connection was lost again');
  }

  connected(now: number): void {
    if (this.#phase !== 'connecting' && this.#phase !== 'interrupted') return;
    if (this.#phase === 'connecting') {
      this.#connectedAt = now;
      this.#received = 0;
      this.#receivedAt = Number.POSITIVE_INFINITY;
    }
    this.#phase = 'connected';
    this.#wakeAt = undefined;
  }

  interrupted(now: number): void {
    if (this.#phase !== 'connected') return;
    this.#phase = 'interrupted';
    this.#wakeAt = now + this.#limits.interruptedMsMax;
  }

  broken(detail: string, now: number): void {
    switch (this.#phase) {
      case 'connecting':
        this.#connect(now, detail);
        break;
      case 'connected':
      case 'interrupted':
        if (now - this.#connectedAt >= this.#limits.healthyAfterMs) this.#attempts = 0;
        this.#rest('idle');
        this.#out.lost(detail);
        break;
      case 'idle':
      case 'over':
        break;
    }
  }

  /** The offer was refused with an HTTP status, or with 0 when no answer came. */
  refused(status: number, detail: string, now: number): void {
    if (this.#phase !== 'connecting') return;
    if (status === 0) {
      this.#connect(now, detail);
    } else if (status === 404 || status === 409) {
      // Sluice says 409 while nobody publishes the stream (draft-ietf-wish-whep, 4.3.8), other servers 404.
      this.#rest('over');
      this.#out.absent();
    } else {
      this.#rest('over');
      this.#out.failed(detail);
    }
  }

  /** `count` grows with what can be shown; called a few times a second. */
  received(count: number, now: number): void {
    if (this.#phase !== 'connected') return;
    if (count !== this.#received) {
      this.#received = count;
      this.#receivedAt = now;
      this.#out.progressed();
    } else if (now - this.#receivedAt > this.#limits.silentMsMax) {
      this.#receivedAt = Number.POSITIVE_INFINITY;
      this.#out.stalled();
    }
  }

  tick(now: number): void {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return;
    const { connectMsMax } = this.#limits;
    if (this.#phase === 'connecting') this.#connect(now, `no connection within ${connectMsMax / 1000} s (is UDP blocked?)`);
    else this.broken('the connection was interrupted', now);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#rest('over');
  }

  #connect(now: number, lastTrouble: string): void {
    if (this.#attempts >= this.#limits.attemptsMax) {
      this.#rest('over');
      this.#out.failed(lastTrouble);
      return;
    }
    this.#attempts += 1;
    this.#phase = 'connecting';
    this.#wakeAt = now + this.#limits.connectMsMax;
    this.#out.connect();
  }

  #rest(phase: Phase): void {
    this.#phase = phase;
    this.#wakeAt = undefined;
  }
}
