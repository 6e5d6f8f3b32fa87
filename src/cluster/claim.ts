import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { type ClaimRecord, epochOf, type Holder, isSameHolder, readClaim, writeClaim } from './claim-record.ts';
import type { KnownClaim } from './claim-replica.ts';
import { memberMark } from './region-digest.ts';
import type { Store, StoreEntry, StoreResult } from './store.ts';

/** Told about one claim. After `lost` nothing follows. */
export interface ClaimOutput {
  /** It is this node's now, with this fencing number. Again with a greater one when it had to be made anew. */
  held(epoch: number): void;
  /** Somebody else has it. */
  lost(to: Holder | undefined): void;
}

export interface ClaimPorts<Body> {
  readonly store: Store;
  readonly own: Holder;
  now(): MonotonicMs;
  /** It is to be ticked at {@link Claim.wakeAt}; never told within the constructor. */
  waits(): void;
  /** The greatest epoch that this node has seen. */
  epochSeen(): number;
  /** The greatest revision of a store that has lost this claim with all others a moment ago; 0: it has not; undefined: that is not known yet. */
  revisionLost(): number | undefined;
  readonly readBody: (json: unknown) => Body | undefined;
  /**
   * Whether a holder must give way; `done` may be called at once or later, and counts once. `wasOurs`: this claim was held, and the holder has taken it
   * since.
   */
  mayReplace(holder: Holder, wasOurs: boolean, done: (verdict: ReplaceVerdict) => void): void;
}

/** `unknown`: it cannot be told now, and is asked again. */
export type ReplaceVerdict = 'yes' | 'no' | 'unknown';

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
const SALTS = 4_096;

/**
 * One key in the store that this node wants for itself: claimed by compare-and-swap, kept up to date, given up again. Whatever the store does, it is tried
 * until it is decided; an engine that is away takes nothing from a holder.
 */
export class Claim<Body> {
  private readonly key: string;
  private readonly ports: ClaimPorts<Body>;
  private readonly out: ClaimOutput;
  private body: Body;
  private state: 'claiming' | 'held' | 'released' | 'over' = 'claiming';
  /** 0: never held. */
  private epoch = 0;
  private revision = 0;
  private isBusy = false;
  private isDirty = false;
  private retryMs = RETRY_MS_MIN;
  private retryAt: MonotonicMs | undefined = undefined;

  constructor(key: string, body: Body, ports: ClaimPorts<Body>, out: ClaimOutput) {
    this.key = key;
    this.body = body;
    this.ports = ports;
    this.out = out;
    this.go();
  }

  /** Undefined before it is held and after it is lost or given up; also known while the store is asked whether it still is. */
  get heldEpoch(): number | undefined {
    return this.epoch > 0 && (this.state === 'held' || this.state === 'claiming') ? this.epoch : undefined;
  }

  /** Nothing is left to do: lost, or given up and gone from the store. */
  get isOver(): boolean {
    return this.state === 'over';
  }

  describe(body: Body): void {
    this.body = body;
    this.isDirty = true;
    this.go();
  }

  /** Gives it up; `isOver` when the store knows. */
  release(): void {
    if (this.state === 'over') return;
    this.state = 'released';
    this.go();
  }

  /** A watch told of a write to the key: 0 of its deletion. What a watch tells may be old, so the key itself is looked at where it is not as it was left. */
  seen(revision: number): void {
    if (revision === 0 || revision > this.revision) this.recheck();
  }

  /** The store was out of reach, and this is what it has of the key since it is back; undefined: nothing. */
  resumed(stored: KnownClaim<Body> | undefined): void {
    const isAsLeft = stored?.revision === this.revision && isSameHolder(stored.record.holder, this.ports.own);
    if (isAsLeft || this.state !== 'held' || this.isBusy) return;
    this.state = 'claiming';
    if (stored === undefined) this.goOn(this.ports.revisionLost());
    else this.go();
  }

  private recheck(): void {
    if (this.state !== 'held' || this.isBusy) return;
    this.state = 'claiming';
    this.go();
  }

  /** When it is to be tried again; undefined: not for now. */
  get wakeAt(): MonotonicMs | undefined {
    return this.retryAt;
  }

  tick(now: MonotonicMs): void {
    if (this.retryAt === undefined || now < this.retryAt) return;
    this.retryAt = undefined;
    this.go();
  }

  private go(): void {
    if (this.isBusy || this.retryAt !== undefined) return;
    if (this.state === 'claiming' || (this.state === 'released' && this.revision === 0)) this.look();
    else if (this.state === 'released') this.remove();
    else if (this.state === 'held' && this.isDirty) this.write();
  }

  private look(): void {
    this.call<StoreEntry | undefined>(
      (done) => this.ports.store.get(this.key, done),
      (entry) => this.found(entry),
    );
  }

  private found(entry: StoreEntry | undefined): void {
    const record = entry === undefined ? undefined : readClaim(entry.value, this.ports.readBody);
    if (record === 'newer') {
      this.lose(undefined);
    } else if (entry === undefined || record === undefined) {
      if (this.state === 'released') this.state = 'over';
      else if (entry === undefined && this.epoch > 0) this.goOn(this.ports.revisionLost());
      else this.take(undefined);
    } else if (record !== 'malformed' && isSameHolder(record.holder, this.ports.own)) {
      this.own(entry, record);
    } else if (this.state === 'released') {
      this.state = 'over';
    } else if (record === 'malformed') {
      this.take(entry.revision);
    } else {
      this.ask(record, entry.revision);
    }
  }

  /** Ours already: by a write whose answer was lost, or by one that another part of this node made. */
  private own(entry: StoreEntry, record: ClaimRecord<Body>): void {
    this.revision = entry.revision;
    if (this.state === 'released') {
      this.go();
      return;
    }
    this.isDirty = true;
    this.hold(epochOf(record, entry.revision));
  }

  private ask(record: ClaimRecord<Body>, revision: number): void {
    const { holder } = record;
    this.isBusy = true;
    let isAnswered = false;
    this.ports.mayReplace(holder, this.epoch > 0, (verdict) => {
      if (isAnswered) return;
      isAnswered = true;
      this.isBusy = false;
      if (this.state === 'released') this.state = 'over';
      else if (verdict === 'yes') this.take(revision, epochOf(record, revision));
      else if (verdict === 'no') this.lose(holder);
      else this.retryLater();
    });
  }

  /** It was held, and is not there any more. */
  private goOn(revisionLost: number | undefined): void {
    if (revisionLost === undefined) this.retryLater();
    else if (revisionLost === 0) this.take(undefined);
    else this.putBack(revisionLost);
  }

  /** As it was: nobody can have had it in between, if the store's revisions have begun anew since it had this claim. */
  private putBack(revisionLost: number): void {
    this.isDirty = false;
    this.call<number>(
      (done) => this.ports.store.create(this.key, this.valueAs(this.epoch), done),
      (revision) => {
        this.revision = revision;
        if (this.state === 'released') this.go();
        else if (revision <= revisionLost) this.hold(this.epoch);
        else this.take(revision, this.epoch);
      },
    );
  }

  private take(replaced: number | undefined, epochReplaced = 0): void {
    const { store, own } = this.ports;
    this.isDirty = false;
    // A store that lost everything counts its revisions anew, epochs must go on all the same, also those of others.
    const floor = Math.max(this.epoch, this.ports.epochSeen(), epochReplaced);
    const salt = memberMark(own.node, own.incarnation) % SALTS;
    const value = writeClaim({ holder: own, epoch: undefined, floor, salt, body: this.body });
    this.call<number>(
      (done) => (replaced === undefined ? store.create(this.key, value, done) : store.update(this.key, value, replaced, done)),
      (revision) => {
        this.revision = revision;
        if (this.state === 'released') this.go();
        else this.hold(epochOf({ epoch: undefined, floor, salt }, revision));
      },
    );
  }

  private write(): void {
    this.isDirty = false;
    this.call<number>(
      (done) => this.ports.store.update(this.key, this.valueAs(this.epoch), this.revision, done),
      (revision) => {
        this.revision = revision;
        this.go();
      },
      () => {
        this.isDirty = true;
      },
    );
  }

  private valueAs(epoch: number): Uint8Array {
    return writeClaim({ holder: this.ports.own, epoch, floor: 0, body: this.body });
  }

  private remove(): void {
    this.call<undefined>(
      (done) => this.ports.store.delete(this.key, this.revision, done),
      () => {
        this.state = 'over';
      },
      () => {
        this.revision = 0;
      },
    );
  }

  private hold(epoch: number): void {
    const isNew = epoch !== this.epoch;
    this.state = 'held';
    this.retryMs = RETRY_MS_MIN;
    this.epoch = epoch;
    if (isNew) this.out.held(epoch);
    this.go();
  }

  private lose(to: Holder | undefined): void {
    const wasReleased = this.state === 'released';
    this.state = 'over';
    if (!wasReleased) this.out.lost(to);
  }

  /** One call to the store at a time. After a conflict the key is looked at again; after a failure, too, since the write may have happened. */
  private call<Value>(
    ask: (done: (result: StoreResult<Value>) => void) => void,
    succeeded: (value: Value) => void,
    failed: () => void = () => undefined,
  ): void {
    this.isBusy = true;
    ask((result) => {
      this.isBusy = false;
      if (result.ok) {
        succeeded(result.value);
        return;
      }
      failed();
      if (this.state === 'held') this.state = 'claiming';
      if (this.state === 'released') this.revision = 0;
      if (result.failure === 'conflict') this.go();
      else this.retryLater();
    });
  }

  private retryLater(): void {
    this.retryAt = monotonicMs(this.ports.now() + this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
    this.ports.waits();
  }
}
