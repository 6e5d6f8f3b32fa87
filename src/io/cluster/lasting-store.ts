import { CLUSTER_IDENTITY_KEY, ForwardingStore, isPutBackByItsNode, PUT_BACK_MS_MAX, type StoreWatcher } from '../../cluster/mod.ts';

const LOOK_EACH_MS = 100;

/** What one watcher was told. */
interface Watching {
  readonly watcher: StoreWatcher;
  wasCurrent: boolean;
  isLost: boolean;
  /** Keys told since the last outage, and before that since it was last current, where there were several. */
  told: Map<string, number>;
  toldBefore: Map<string, number>;
}

/**
 * The store, for all who keep what is in it alone. After an outage it says that it has been looked through when it is whole: where it has lost everything, a
 * {@link StoreKeeper} puts that back first, the cluster's identity last. Until then, whoever watches goes on with what was known.
 */
export class LastingStore extends ForwardingStore {
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private giveUpAt = 0;

  override watch(prefix: string, watcher: StoreWatcher): () => void {
    if (isPutBackByItsNode(prefix)) return this.store.watch(prefix, watcher);
    const watching: Watching = { watcher, wasCurrent: false, isLost: false, told: new Map(), toldBefore: new Map() };
    const whole = (): void => tellCurrent(watching);
    const end = this.store.watch(prefix, {
      changed: (entry) => {
        if (watching.isLost) watching.told.set(entry.key, entry.revision);
        watcher.changed(entry);
      },
      deleted: (key, revision) => {
        watching.told.delete(key);
        watcher.deleted(key, revision);
      },
      current: () => {
        // Who knows nothing has nothing to lose.
        if (watching.wasCurrent) this.whenWhole(whole);
        else whole();
      },
      lost: () => {
        this.waiting.delete(whole);
        tellLost(watching);
      },
    });
    return () => {
      this.waiting.delete(whole);
      end();
    };
  }

  /** Nobody is told of anything any more. */
  close(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
  }

  private whenWhole(done: () => void): void {
    this.waiting.add(done);
    if (this.waiting.size > 1) return;
    clearTimeout(this.timer);
    this.giveUpAt = performance.now() + PUT_BACK_MS_MAX;
    this.look();
  }

  private look(): void {
    this.store.get(CLUSTER_IDENTITY_KEY, (result) => {
      // A store that is away again says so to each watch.
      if (result.ok && (result.value !== undefined || performance.now() >= this.giveUpAt)) this.isWhole();
      else if (this.waiting.size > 0) this.timer = setTimeout(() => this.look(), LOOK_EACH_MS);
    });
  }

  private isWhole(): void {
    for (const done of this.waiting) {
      this.waiting.delete(done);
      done();
    }
  }
}

function tellLost(watching: Watching): void {
  const { watcher, isLost, told, toldBefore } = watching;
  watching.told = new Map();
  watching.toldBefore = new Map([...toldBefore, ...told]);
  watching.isLost = true;
  if (!isLost) watcher.lost();
}

function tellCurrent(watching: Watching): void {
  const { watcher, told, toldBefore } = watching;
  for (const [key, revision] of toldBefore) if (!told.has(key)) watcher.deleted(key, revision);
  watching.told = new Map();
  watching.toldBefore = new Map();
  watching.isLost = false;
  watching.wasCurrent = true;
  watcher.current();
}
