import type { ClusterView, KnownStream, NodeAnswer, NodeQuestion, NodeResource, ServerEvent } from '../api/mod.ts';
import type { Bus, Membership, NodeView, Store } from '../cluster/mod.ts';
import { type Clock, ClusterSessionSecret, type ClusterStreams, NodeQuestions, NodeRegistry, StoreCalls } from '../io/mod.ts';

export interface MemberConsoleOptions {
  readonly ownId: string;
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Undefined until this node has registered. */
  readonly membership: () => Membership | undefined;
  readonly streams: () => ClusterStreams | undefined;
}

/** What the console lends its part in the cluster. */
export interface MemberConsoleNeeds {
  /** What this node says when others ask it; JSON, or undefined. */
  readonly answer: (question: NodeQuestion, path: string) => unknown;
  /** Told what happens to streams and nodes of the cluster. */
  readonly changed: (event: ServerEvent) => void;
}

/** The cluster for its console, as one of its nodes knows it: from its replicas at once, and from the others by asking. */
export class MemberConsole implements ClusterView {
  readonly isAlone = false;
  readonly ownId: string;
  readonly registry: NodeRegistry;
  private readonly options: MemberConsoleOptions;
  private readonly secret: ClusterSessionSecret;
  /** What was told as started. */
  private readonly started = new Set<string>();
  private questions: NodeQuestions | undefined;
  private changed: (event: ServerEvent) => void = () => undefined;

  constructor(options: MemberConsoleOptions) {
    const { ownId, store, clock, membership } = options;
    this.options = options;
    this.ownId = ownId;
    const replica = { nodes: () => membership()?.nodes() ?? [], node: (id: string) => membership()?.node(id) };
    this.registry = new NodeRegistry({ store: new StoreCalls(store), replica, ownId, clock });
    this.secret = new ClusterSessionSecret(store);
  }

  /** From now on this node answers, and tells. */
  begin({ answer, changed }: MemberConsoleNeeds): void {
    const { bus, ownId, clock } = this.options;
    this.changed = changed;
    this.questions = new NodeQuestions({ bus, ownId, answer, alive: () => this.alive(), now: () => clock.monotonic() });
  }

  close(): void {
    this.secret.close();
    this.questions?.close();
  }

  /** What all nodes sign sessions with; undefined until the store has told it. */
  get sessionSecret(): Uint8Array | undefined {
    return this.secret.value;
  }

  // What the cluster tells.

  nodeChanged({ record: { id, status }, isStale }: NodeView): void {
    this.changed({ type: 'node.changed', data: { node: id, status, stale: isStale } });
  }

  nodeGone(id: string): void {
    this.changed({ type: 'node.gone', data: { node: id } });
  }

  streamChanged(path: string, known: KnownStream | undefined): void {
    if (known === undefined) {
      this.started.delete(path);
      this.changed({ type: 'stream.ended', data: { path, state: 'ended' } });
      return;
    }
    const type = this.started.has(path) ? 'stream.changed' : 'stream.started';
    this.started.add(path);
    this.changed({ type, data: { path, state: known.body.state, origin: known.holder.node } });
  }

  // What the API asks.

  get isConnected(): boolean {
    return this.options.membership()?.isJudging ?? false;
  }

  /** Of the nodes that are alive as far as this one knows, it is the one that does what one of them does. */
  get isFirstAlive(): boolean {
    return this.alive().every((id) => this.ownId <= id);
  }

  streams(): Iterable<KnownStream> {
    return this.options.streams()?.all() ?? [];
  }

  stream(path: string): KnownStream | undefined {
    return this.options.streams()?.known(path);
  }

  regionOf(node: string): string {
    return this.options.membership()?.node(node)?.record.region ?? '';
  }

  isAlive(node: string): boolean {
    const view = this.options.membership()?.node(node);
    return view !== undefined && !view.isStale;
  }

  nodes(): Iterable<NodeResource> {
    return this.registry.nodes();
  }

  /** The nodes that a stream passed on its way here. */
  hopsOf(path: string): readonly string[] {
    return this.options.streams()?.pathOf(path) ?? [];
  }

  /** Streams that are pulled here, with the nodes that they passed. */
  pulled(): Iterable<{ readonly path: string; readonly hops: readonly string[] }> {
    return this.options.streams()?.pulled() ?? [];
  }

  ask(node: string, question: NodeQuestion, path?: string): Promise<unknown> {
    return this.questions?.ask(node, question, path) ?? Promise.resolve(undefined);
  }

  askAll(question: NodeQuestion, path?: string): Promise<readonly NodeAnswer[]> {
    return this.questions?.askAll(question, path) ?? Promise.resolve([]);
  }

  /** Nobody is answered any more by what nodes said before. */
  forgetAnswers(): void {
    this.questions?.forgetAnswers();
  }

  private alive(): string[] {
    return [...(this.options.membership()?.nodes() ?? [])].filter(({ isStale }) => !isStale).map(({ record }) => record.id);
  }
}
