/** What a node knows of the keys under one prefix. A `Map` is one; where many nodes share a process, they may share what all of them know. */
export interface ReplicaMap<Value extends object> {
  readonly size: number;
  get(key: string): Value | undefined;
  set(key: string, value: Value): unknown;
  delete(key: string): boolean;
  keys(): Iterable<string>;
  values(): Iterable<Value>;
}
