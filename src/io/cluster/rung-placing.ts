import type pino from 'pino';
import { type Holder, type NodeView, type PlacementDecision, placeRung } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import type { Hub, LiveStream, RenditionOffer } from '../../hub/mod.ts';
import type { Clock } from '../clock.ts';
import type { RelayClient, RelayUpstream } from '../relay/mod.ts';
import type { MadeHere, PlacedRung, PlacedRungOutput } from '../transcode/mod.ts';
import { PulledRung } from './pulled-rung.ts';

/** Nodes as placing looks at them. */
export interface MakerNodes {
  nodes(): Iterable<NodeView>;
  node(id: string): NodeView | undefined;
  isAlive(id: string, incarnation: number): boolean;
}

export interface RungPlacingOptions {
  readonly nodeId: string;
  readonly region: string;
  /** Whether this node makes all rungs of its streams itself. */
  readonly makesItself: boolean;
  readonly nodes: MakerNodes;
  readonly hub: Hub;
  readonly client: RelayClient;
  readonly addressOf: (node: string) => RelayUpstream | undefined;
  /** Of this node's claim on a stream; 0 before it holds. */
  readonly epochOf: (path: string) => number;
  /** A stream's rungs have other makers: the other nodes are to be told. */
  readonly makersChanged: (path: string) => void;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

interface Failure {
  readonly reason: string;
  readonly until: MonotonicMs;
}

/** A node that failed at one of a stream's rungs is not asked again for that stream for so long. */
const FAILED_MS = 10_000;

/**
 * Has the rungs of this node's streams made by nodes for that. A rung is placed when somebody first wants it, and stays where it was placed, also while nobody
 * does, until that node is gone, drains or refuses: other nodes pull it straight from there without this one in between.
 */
export class RungPlacing {
  private readonly options: RungPlacingOptions;
  private readonly makers = new Map<string, Map<string, Holder>>();
  private readonly failures = new Map<string, Map<string, Failure>>();
  private readonly pulled = new Map<PulledRung, PlacedRungOutput>();

  constructor(options: RungPlacingOptions) {
    this.options = options;
  }

  place({ ref }: LiveStream, offer: RenditionOffer, out: PlacedRungOutput): PlacedRung | MadeHere {
    const { makesItself, hub, client, addressOf, epochOf, clock } = this.options;
    if (makesItself) return { because: undefined };
    const { maker, because } = this.choose(ref.path);
    if (maker === undefined) return { because };
    const options = { hub, client, ref, offer, addressOf, epoch: () => epochOf(ref.path), now: () => clock.monotonic() };
    const rung: PulledRung = new PulledRung(options, maker, {
      watched: (isWatched) => out.watched(isWatched),
      failed: (reason) => this.move(rung, reason),
      over: () => this.pulled.delete(rung),
    });
    if (!rung.begin()) return { because: undefined };
    this.pulled.set(rung, out);
    this.name(rung);
    return rung;
  }

  /** Who makes a stream's rungs, for its record. */
  makersOf(path: string): Readonly<Record<string, Holder>> | undefined {
    const makers = this.makers.get(path);
    return makers === undefined || makers.size === 0 ? undefined : Object.fromEntries(makers);
  }

  /** A node came, went, or stands otherwise: rungs leave those that are gone or are to be left. */
  nodesChanged(): void {
    for (const rung of [...this.pulled.keys()]) {
      if (!this.isUsable(rung.maker)) this.move(rung, `node ${rung.node} is gone, or is to be left`);
    }
    for (const [path, makers] of this.makers) {
      const lost = [...makers].filter(([, maker]) => !this.isUsable(maker));
      for (const [rung] of lost) makers.delete(rung);
      if (lost.length > 0) this.options.makersChanged(path);
    }
  }

  /** The stream is not published here any more. */
  ended(path: string): void {
    this.makers.delete(path);
    this.failures.delete(path);
  }

  tick(now: MonotonicMs): void {
    for (const rung of [...this.pulled.keys()]) rung.tick(now);
  }

  /** This node is in the cluster no more: it makes its rungs itself. */
  close(): void {
    for (const [rung, out] of [...this.pulled]) {
      rung.stop();
      out.lost('this node is in no cluster');
    }
  }

  private move(rung: PulledRung, reason: string): void {
    const { clock, log, makersChanged } = this.options;
    const { path } = rung.ref;
    const failures = this.failures.get(path) ?? new Map<string, Failure>();
    this.failures.set(path, failures.set(rung.node, { reason, until: monotonicMs(clock.monotonic() + FAILED_MS) }));
    const { maker, because } = this.choose(path);
    log.warn(
      { code: 'cluster.rung-moved', stream: path, rung: rung.rung, from: rung.node, to: maker?.node },
      `another node has to make the rung: ${reason}`,
    );
    if (maker !== undefined) {
      rung.moveTo(maker);
      this.name(rung);
      return;
    }
    const out = this.pulled.get(rung);
    rung.stop();
    this.makers.get(path)?.delete(rung.rung);
    makersChanged(path);
    out?.lost(because ?? reason);
  }

  private name({ ref: { path }, rung, maker }: PulledRung): void {
    const makers = this.makers.get(path) ?? new Map<string, Holder>();
    this.makers.set(path, makers.set(rung, maker));
    this.options.log.info({ code: 'cluster.rung-placed', stream: path, rung, node: maker.node }, 'another node makes the rung');
    this.options.makersChanged(path);
  }

  private isUsable({ node, incarnation }: Holder): boolean {
    const { nodes } = this.options;
    return nodes.isAlive(node, incarnation) && nodes.node(node)?.record.status === 'active';
  }

  private choose(path: string): { readonly maker?: Holder; readonly because: string | undefined } {
    const { nodes, nodeId, region, clock } = this.options;
    const now = clock.monotonic();
    const failures = new Map([...(this.failures.get(path) ?? [])].filter(([, { until }]) => now < until));
    const present = new Set([...(this.makers.get(path)?.values() ?? [])].map(({ node }) => node));
    const candidates = Array.from(nodes.nodes(), ({ record, heartbeat, headroom, isStale }) => ({
      record,
      load: heartbeat,
      headroom,
      isStale,
    }));
    const decision = placeRung(candidates, { region, present, exclude: new Set([nodeId, ...failures.keys()]) }, Math.random);
    const view = decision.node === undefined ? undefined : nodes.node(decision.node);
    if (view !== undefined) return { maker: { node: view.record.id, incarnation: view.incarnation }, because: undefined };
    const failed = [...failures.values()].map(({ reason }) => reason);
    return { because: [...failed, ...refusalsOf(decision)].join('; ') || undefined };
  }
}

/** Of nodes that are for transcoding. */
function refusalsOf({ opinions }: PlacementDecision): readonly string[] {
  return opinions.flatMap(({ node, refusal }) =>
    refusal === undefined || refusal === 'role' || refusal === 'excluded' ? [] : [`node ${node} takes none (${refusal})`],
  );
}
