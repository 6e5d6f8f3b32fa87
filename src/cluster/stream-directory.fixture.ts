import { type MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';
import type { OwnStreamState } from './standbys.ts';
import { type SecondPublisher, StreamDirectory } from './stream-directory.ts';
import type { StreamBody } from './stream-record.ts';

export const SHOW = 'live/show';
export const BODY: StreamBody = {
  startedWallMs: 1,
  discontinuity: 0,
  state: 'live',
  protocol: 'rtmp',
  tracks: [{ kind: 'video', codec: 'h264' }],
  renditions: [],
};

let engine: MemoryEngine;
let nodes: Map<string, DirectoryNode>;

/** Forgets all nodes; those made from now on share the engine that this returns. */
export function newEngine(): MemoryEngine {
  engine = new MemoryEngine();
  nodes = new Map();
  return engine;
}

/** A node with its directory, as the others see it, and what that told it to do. */
export class DirectoryNode {
  readonly did: string[] = [];
  readonly client: MemoryClient = engine.client();
  readonly directory: StreamDirectory;
  readonly id: string;
  readonly region: string;
  /** What it has itself. */
  readonly own = new Map<string, OwnStreamState>();
  /** As the others judge it. */
  isAlive = true;
  isJudging = true;
  isSweeper = true;
  /** Nodes to which its connection is broken. */
  private readonly disconnected = new Set<string>();
  secondPublisher: SecondPublisher = 'reject';
  headOffsetMs = 0;
  /** How far the origin may have come whose place it took. */
  headMs: number | undefined = undefined;
  private readonly endTicks: () => void;

  constructor(id: string, region = 'eu') {
    this.id = id;
    this.region = region;
    nodes.set(id, this);
    const isJudging = (): boolean => this.isJudging;
    const isSweeper = (): boolean => this.isSweeper;
    this.directory = new StreamDirectory(
      {
        store: this.client.store,
        bus: this.client.bus,
        own: { node: id, incarnation: 1 },
        region,
        nodes: {
          isAlive: (node, incarnation) => incarnation === 1 && nodes.get(node)?.isAlive === true,
          regionOf: (node) => nodes.get(node)?.region,
          isDraining: () => false,
          isDisconnected: (node) => this.disconnected.has(node),
          get isJudging() {
            return isJudging();
          },
          get isSweeper() {
            return isSweeper();
          },
        },
        now: () => engine.now(),
        ownState: (name) => this.own.get(name) ?? 'none',
        headMs: () => this.headOffsetMs + engine.now(),
        secondPublisher: () => this.secondPublisher,
      },
      {
        pull: (name, { node }) => this.did.push(`pull ${name} from ${node}`),
        stop: (name, isOver) => this.did.push(`stop ${name}${isOver ? ' for good' : ''}`),
        held: (name, _epoch, headMs) => {
          this.did.push(`held ${name}`);
          this.headMs = headMs;
        },
        evict: (name, to) => this.did.push(`evict ${name} for ${to}`),
        standBy: (name, origin) => this.did.push(`stand by ${name} for ${origin}`),
        changed: () => undefined,
      },
    );
    this.directory.start();
    this.endTicks = engine.every(50, () => this.directory.tick(engine.now()));
  }

  publish(name = SHOW): void {
    this.own.set(name, 'live');
    this.directory.publish(name, BODY);
  }

  /** As kill -9 does: the engine forgets its subscriptions and its connections end at once, the others believe in it until its heartbeats are missed. */
  kill(): void {
    this.endTicks();
    this.directory.close();
    this.client.cut();
    for (const node of nodes.values()) node.disconnect(this.id);
  }

  disconnect(node: string): void {
    this.disconnected.add(node);
    this.directory.disconnected(node);
  }

  connect(node: string): void {
    this.disconnected.delete(node);
  }

  buried(): void {
    this.isAlive = false;
    for (const node of nodes.values()) node.directory.nodesChanged();
  }

  take(): string[] {
    return this.did.splice(0);
  }
}
