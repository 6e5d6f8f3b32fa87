import type { Store, StoreWatcher } from './store.ts';

/** A store before another one, whose watchers it tells in its own way: all other calls go on as they are. */
export abstract class ForwardingStore implements Store {
  protected readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  get(...call: Parameters<Store['get']>): void {
    this.store.get(...call);
  }

  list(...call: Parameters<Store['list']>): void {
    this.store.list(...call);
  }

  create(...call: Parameters<Store['create']>): void {
    this.store.create(...call);
  }

  update(...call: Parameters<Store['update']>): void {
    this.store.update(...call);
  }

  delete(...call: Parameters<Store['delete']>): void {
    this.store.delete(...call);
  }

  abstract watch(prefix: string, watcher: StoreWatcher): () => void;
}
