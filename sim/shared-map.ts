import type { ReplicaMap } from '../src/cluster/mod.ts';

/** A value as it was after so many steps; undefined: it was deleted. */
interface Version<Value> {
  readonly at: number;
  readonly value: Value | undefined;
}

interface Step<Value> {
  readonly key: string;
  readonly value: Value | undefined;
  /** Keys that there are after it. */
  readonly size: number;
}

/** All that ever was set or deleted, in the order in which whoever was first did it. Each value is set once, and known by its identity. */
export class History<Value extends object> {
  readonly steps: Step<Value>[] = [];
  private readonly versions = new Map<string, Version<Value>[]>();
  /** As all steps have left it. */
  private readonly latest = new Map<string, Value>();

  /** A map of one who has seen nothing yet. */
  map(): SharedMap<Value> {
    return new SharedMap(this);
  }

  /** How many there ever were. */
  get keyCount(): number {
    return this.versions.size;
  }

  /** All that ever were, in the order in which they came. */
  keys(): Iterable<string> {
    return this.versions.keys();
  }

  /** Those that there are for whoever heard the most. */
  latestKeys(): Iterable<string> {
    return this.latest.keys();
  }

  /** As whoever heard the most has it. */
  latestOf(key: string): Value | undefined {
    return this.latest.get(key);
  }

  /** In no order that means anything. */
  valuesAt(at: number): Iterable<Value> {
    if (at === this.steps.length) return this.latest.values();
    return Array.from(this.versions.keys(), (key) => this.valueAt(key, at)).filter((value) => value !== undefined);
  }

  valueAt(key: string, at: number): Value | undefined {
    if (at === this.steps.length) return this.latest.get(key);
    const versions = this.versions.get(key);
    if (versions === undefined) return undefined;
    for (let place = versions.length - 1; place >= 0; place--) {
      const version = versions[place];
      if (version !== undefined && version.at <= at) return version.value;
    }
    return undefined;
  }

  /** After how many steps, but more than `at`, the key had this value for the first time. */
  firstAfter(key: string, value: Value | undefined, at: number): number | undefined {
    const versions = this.versions.get(key) ?? [];
    let found: number | undefined;
    for (let place = versions.length - 1; place >= 0; place--) {
      const version = versions[place];
      if (version === undefined || version.at <= at) break;
      if (version.value === value) found = version.at;
    }
    return found;
  }

  /** Whether it is over: the key had this value, and has another one by now. */
  isOld(key: string, value: Value): boolean {
    return this.versions.get(key)?.some((version) => version.value === value) === true;
  }

  append(key: string, value: Value | undefined): void {
    const { steps } = this;
    const before = this.valueAt(key, steps.length);
    const size = (steps.at(-1)?.size ?? 0) + Number(value !== undefined) - Number(before !== undefined);
    steps.push({ key, value, size });
    if (value === undefined) this.latest.delete(key);
    else this.latest.set(key, value);
    const versions = this.versions.get(key);
    if (versions === undefined) this.versions.set(key, [{ at: steps.length, value }]);
    else versions.push({ at: steps.length, value });
  }
}

/**
 * What one node knows, as a place in the history of all nodes, and where it differs from that: nothing, as soon as it has heard all that the others had heard
 * at that place. So what all nodes hear is kept once, and heard by a step forward.
 */
export class SharedMap<Value extends object> implements ReplicaMap<Value> {
  private readonly history: History<Value>;
  /** So many steps of the history were taken. */
  private at = 0;
  /** What is otherwise here; undefined as a value: it is not there. */
  private own: Map<string, Value | undefined> | undefined = undefined;
  private count = 0;

  constructor(history: History<Value>) {
    this.history = history;
  }

  get size(): number {
    return this.count;
  }

  /** Another one that knows the same for now. */
  copy(): SharedMap<Value> {
    const copy = new SharedMap(this.history);
    copy.become(this);
    return copy;
  }

  /** Knows what another one with the same history knows, for now. */
  become({ at, count, own }: SharedMap<Value>): void {
    this.at = at;
    this.count = count;
    this.own = own === undefined ? undefined : new Map(own);
  }

  /** Whether another one with the same history knows the same. */
  isLike(other: SharedMap<Value>, isSame: (left: Value, right: Value) => boolean = (left, right) => left === right): boolean {
    if (this.count !== other.count) return false;
    const between = this.history.steps.slice(Math.min(this.at, other.at), Math.max(this.at, other.at));
    const keys = new Set([...between.map(({ key }) => key), ...(this.own?.keys() ?? []), ...(other.own?.keys() ?? [])]);
    for (const key of keys) {
      const [left, right] = [this.get(key), other.get(key)];
      if (left !== right && (left === undefined || right === undefined || !isSame(left, right))) return false;
    }
    return true;
  }

  get(key: string): Value | undefined {
    const { own } = this;
    return own?.has(key) === true ? own.get(key) : this.history.valueAt(key, this.at);
  }

  set(key: string, value: Value): void {
    this.put(key, value);
  }

  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    this.put(key, undefined);
    return true;
  }

  keys(): Iterable<string> {
    const { history, own, at } = this;
    return own === undefined && at === history.steps.length ? history.latestKeys() : this.presentKeys();
  }

  private *presentKeys(): Iterable<string> {
    for (const key of this.history.keys()) if (this.get(key) !== undefined) yield key;
  }

  values(): Iterable<Value> {
    return this.own === undefined ? this.history.valuesAt(this.at) : Array.from(this.keys(), (key) => this.get(key) as Value);
  }

  private put(key: string, value: Value | undefined): void {
    const { history, at } = this;
    const next = history.steps[at];
    const isNext = next !== undefined && next.key === key && next.value === value;
    if (isNext && this.own === undefined) {
      this.at = at + 1;
      this.count = next.size;
      return;
    }
    const present = this.get(key);
    if (present === value && !isNext) return;
    this.count += Number(value !== undefined) - Number(present !== undefined);
    if (isNext) this.at = at + 1;
    const isHere = isNext || history.valueAt(key, at) === value || this.goTo(key, value, present);
    if (isHere) this.same(key);
    else this.differs(key, value);
  }

  /** Steps forward to where the key has the value; false: others have gone past that already. */
  private goTo(key: string, value: Value | undefined, present: Value | undefined): boolean {
    const { history } = this;
    const there = history.firstAfter(key, value, this.at);
    if (there !== undefined) {
      this.advance(there);
      return history.valueAt(key, this.at) === value;
    }
    if (!this.isNews(key, value, present)) return false;
    history.append(key, value);
    // Whoever had heard all of it has gone past nothing else.
    if (this.at === history.steps.length - 1) this.at += 1;
    else this.advance(history.steps.length);
    return true;
  }

  /** Whether nobody has heard it yet. */
  private isNews(key: string, value: Value | undefined, present: Value | undefined): boolean {
    const { history } = this;
    return value === undefined ? history.valueAt(key, history.steps.length) === present : !history.isOld(key, value);
  }

  /** What others have heard on the way, and this node has not, is kept as it is here. */
  private advance(to: number): void {
    const { history, at } = this;
    if (to - at > history.keyCount) {
      this.jump();
      return;
    }
    const passed = new Map<string, Value | undefined>();
    for (let place = at; place < to; place++) {
      const key = history.steps[place]?.key ?? '';
      passed.set(key, this.get(key));
    }
    this.at = to;
    for (const [key, value] of passed) {
      if (history.valueAt(key, to) === value) this.same(key);
      else this.differs(key, value);
    }
  }

  /** To the end: for one far back, as a node that has just begun, there are fewer keys than steps on the way. */
  private jump(): void {
    const { history } = this;
    const own = new Map<string, Value | undefined>();
    for (const key of history.keys()) {
      const value = this.get(key);
      if (value !== history.latestOf(key)) own.set(key, value);
    }
    this.at = history.steps.length;
    this.own = own.size === 0 ? undefined : own;
  }

  private differs(key: string, value: Value | undefined): void {
    this.own ??= new Map();
    this.own.set(key, value);
  }

  private same(key: string): void {
    if (this.own?.delete(key) === true && this.own.size === 0) this.own = undefined;
  }
}
