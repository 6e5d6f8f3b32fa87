import type { RelayPull } from './relay-pull.ts';

/** Nodes that pull streams from one node. */
export class Pullers {
  private readonly byPath = new Map<string, Set<RelayPull>>();

  /** Streams that are pulled. */
  get size(): number {
    return this.byPath.size;
  }

  of(path: string): Iterable<RelayPull> {
    return this.byPath.get(path) ?? [];
  }

  /** Of one stream. */
  count(path: string): number {
    return this.byPath.get(path)?.size ?? 0;
  }

  *all(): Iterable<RelayPull> {
    for (const pulls of this.byPath.values()) yield* pulls;
  }

  add(pull: RelayPull): void {
    const pulls = this.byPath.get(pull.path);
    if (pulls === undefined) this.byPath.set(pull.path, new Set([pull]));
    else pulls.add(pull);
  }

  /** Whether that was the last one of its stream. */
  delete(pull: RelayPull): boolean {
    const pulls = this.byPath.get(pull.path);
    pulls?.delete(pull);
    return pulls?.size === 0 && this.byPath.delete(pull.path);
  }
}
