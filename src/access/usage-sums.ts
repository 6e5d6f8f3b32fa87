import type { MonotonicMs } from '../core/mod.ts';
import { type AppFigures, addFigures, NO_FIGURES } from './app-figures.ts';
import type { UsageMessage } from './usage-message.ts';

interface Told {
  /** As the last whole round said. */
  apps: ReadonlyMap<string, AppFigures>;
  until: number;
  /** Of a round that is not whole yet. */
  round: number;
  coming: Map<string, AppFigures>;
  nextPart: number;
}

/** Nobody's figures count after so many rounds that were not heard. */
const ROUNDS_MISSED_MAX = 3;
const NODES_MAX = 10_000;

/**
 * What all other nodes use, by what each of them said last. A node has one set of figures: a newer round takes the place of the one before, whichever run of
 * its process says it. Who is silent for three rounds is left out.
 */
export class UsageSums {
  private readonly ownNode: string;
  private readonly nodes = new Map<string, Told>();

  constructor(ownNode: string) {
    this.ownNode = ownNode;
  }

  /** Takes a part of a round; what is lost makes the whole round wait for the next one. */
  heard({ node, count, part, parts, everyMs, apps }: UsageMessage, now: MonotonicMs): void {
    if (node === this.ownNode) return;
    const told = this.nodes.get(node) ?? this.add(node, now + everyMs * ROUNDS_MISSED_MAX);
    if (told === undefined) return;
    if (part === 0) {
      told.round = count;
      told.coming = new Map();
      told.nextPart = 0;
    }
    if (told.round !== count || told.nextPart !== part) return;
    told.nextPart++;
    for (const [app, figures] of apps) told.coming.set(app, figures);
    if (part < parts - 1) return;
    told.apps = told.coming;
    told.until = now + everyMs * ROUNDS_MISSED_MAX;
    told.coming = new Map();
    told.nextPart = -1;
  }

  /** What the others use of an app. */
  othersOf(app: string, now: MonotonicMs): AppFigures {
    let sum = NO_FIGURES;
    for (const { apps, until } of this.nodes.values()) {
      const figures = now < until ? apps.get(app) : undefined;
      if (figures !== undefined) sum = addFigures(sum, figures);
    }
    return sum;
  }

  /** Forgets those that have been silent for too long; returns the apps of all others. */
  sweep(now: MonotonicMs): ReadonlySet<string> {
    const all = new Set<string>();
    for (const [node, { apps, until }] of this.nodes) {
      if (now >= until) this.nodes.delete(node);
      else for (const app of apps.keys()) all.add(app);
    }
    return all;
  }

  /** How many others are heard. */
  get size(): number {
    return this.nodes.size;
  }

  private add(node: string, until: number): Told | undefined {
    if (this.nodes.size >= NODES_MAX) return undefined;
    const told: Told = { apps: new Map(), until, round: -1, coming: new Map(), nextPart: -1 };
    this.nodes.set(node, told);
    return told;
  }
}
