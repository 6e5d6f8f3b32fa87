import { NODE_ROLES, type NodeRole, type RouteWish, routeTo, type SecondPublisher, STREAMS_PREFIX } from '../src/cluster/mod.ts';
import { Agenda } from './agenda.ts';
import { Audience } from './audience.ts';
import { Engine } from './engine.ts';
import { Network } from './network.ts';
import type { NodeStreams, WorldObserver } from './node-streams.ts';
import { Random } from './random.ts';
import { SILENT_MS } from './relay-pull.ts';
import { Service } from './service.ts';
import { SharedKnowledge } from './shared-knowledge.ts';
import { Shows } from './shows.ts';
import { SimNode } from './sim-node.ts';
import { SimProcess } from './sim-process.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly regions: number;
  readonly streams: number;
  readonly viewers: number;
  /** Viewers who do the same at the same time. */
  readonly viewersEach: number;
  /** How often a node's timers run. */
  readonly tickMs: number;
  readonly streamLifeMs: number;
  readonly viewerStayMs: number;
  /** How many of the nodes make rungs, and nothing else; 0: nothing is transcoded. */
  readonly makers: number;
  /** To how many nodes of its region each one gives a stream. */
  readonly relayChildrenMax: number;
}

/** All that there is in one run: nodes, engine, network, publishers, viewers. */
export class World {
  readonly options: WorldOptions;
  readonly agenda: Agenda = new Agenda();
  readonly random: Random;
  readonly engine: Engine;
  readonly network: Network;
  readonly service: Service = new Service();
  readonly knowledge: SharedKnowledge = new SharedKnowledge();
  readonly regions: readonly string[];
  readonly nodes: readonly SimNode[];
  readonly shows: Shows;
  readonly audience: Audience;
  observer: WorldObserver = { held: () => undefined, leading: () => undefined };
  private readonly byId: ReadonlyMap<string, SimNode>;
  private readonly byRegion: ReadonlyMap<string, readonly SimNode[]>;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    this.engine = new Engine(this.agenda, this.random.fork());
    this.engine.onWrite = (key) => key.startsWith(STREAMS_PREFIX) && this.service.claimed(key.slice(STREAMS_PREFIX.length));
    this.regions = Array.from({ length: options.regions }, (_, at) => `r${at}`);
    this.network = new Network(this.regions);
    this.nodes = Array.from({ length: options.nodes }, (_, at) => this.makeNode(at));
    this.byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.byRegion = new Map(this.regions.map((region) => [region, this.nodes.filter((node) => node.region === region)]));
    this.shows = new Shows(this);
    this.audience = new Audience(this);
  }

  get now(): number {
    return this.agenda.now;
  }

  get tickMs(): number {
    return this.options.tickMs;
  }

  get viewersEach(): number {
    return this.options.viewersEach;
  }

  after(ms: number, run: () => void): void {
    this.agenda.after(ms, run);
  }

  node(id: string): SimNode | undefined {
    return this.byId.get(id);
  }

  nodesOf(region: string): readonly SimNode[] {
    return this.byRegion.get(region) ?? [];
  }

  policyOf(path: string): SecondPublisher {
    return this.shows.policyOf(path);
  }

  // Of nodes.

  start(node: SimNode): void {
    node.process ??= new SimProcess(this, node);
  }

  kill(node: SimNode): void {
    const { process } = node;
    node.process = undefined;
    process?.kill();
  }

  /** The node is left by those who know how, takes nothing new, and ends after `forMs`. */
  drain(node: SimNode, forMs: number): void {
    const { process } = node;
    if (process === undefined) return;
    process.drain(forMs);
    this.shows.nodeDrains(node);
    this.audience.nodeDrains(node);
    this.after(forMs, () => node.process === process && this.kill(node));
  }

  pause(node: SimNode): void {
    node.process?.pause();
    this.linksMayBreak();
    this.shows.nodeStandsStill(node);
  }

  resume(node: SimNode): void {
    node.process?.resume();
  }

  cut(node: SimNode, isCut: boolean): void {
    node.isCut = isCut;
    node.process?.client.setCut(isCut);
  }

  slowDown(node: SimNode, extraMs: number): void {
    node.extraLatencyMs = extraMs;
    this.network.slowDown(node.id, extraMs);
    node.process?.client.setLatency(node.engineLatencyMs, () => node.isCut);
  }

  // Of the network.

  latencyTo(from: SimNode, to: string): number {
    const place = this.byId.get(to);
    return place === undefined ? 1 : this.network.latencyMs(from, place);
  }

  look(from: SimNode, to: string): NodeStreams | 'down' | 'silent' {
    const node = this.byId.get(to);
    if (node === undefined) return 'down';
    if (!this.network.reaches(from, node)) return 'silent';
    if (node.process === undefined) return 'down';
    return node.process.isPaused ? 'silent' : node.process.streams;
  }

  /** Connections on which nothing comes any more are given up in a while. */
  linksMayBreak(): void {
    this.after(SILENT_MS, () => {
      for (const { process } of this.nodes) {
        if (process === undefined) continue;
        for (const pull of process.streams.pulls.values()) {
          const { source } = pull;
          if (source === undefined || this.isLinked(process, source.process)) continue;
          if (!source.process.isPaused) source.pullerLeft(pull);
          process.hand(() => pull.source === source && pull.broke());
        }
        for (const watch of process.streams.origins.watches()) {
          const { source } = watch;
          if (source === undefined || this.isLinked(process, source.process)) continue;
          process.hand(() => watch.source === source && watch.broke());
        }
      }
    });
  }

  isLinked(left: SimProcess, right: SimProcess): boolean {
    if (left.isDead || right.isDead || left.isPaused || right.isPaused) return false;
    return this.network.reaches(left.place, right.place);
  }

  // Of clients.

  /** Asks a node where to go, as `GET /cluster` does: among those of the client's region, which are always better, or all where none of them is usable. */
  route(wish: RouteWish & { readonly region: string }, stream: string | undefined, random: Random): SimNode | undefined {
    const asked = this.anyRunning(wish.region, random)?.process;
    if (asked === undefined) return undefined;
    const { membership, streams } = asked;
    const holders = stream === undefined ? [] : streams.whoHas(stream);
    const id = routeTo(membership, wish, { hasStream: (node) => holders.includes(node), random: () => random.next() }).node;
    return id === undefined ? undefined : this.byId.get(id);
  }

  private anyRunning(region: string, random: Random): SimNode | undefined {
    const near = this.nodesOf(region);
    for (let tries = 0; tries < 8; tries++) {
      const node = random.pick(tries < 5 ? near : this.nodes);
      if (node?.isRunning === true) return node;
    }
    return undefined;
  }

  private makeNode(at: number): SimNode {
    const { nodes, regions, makers } = this.options;
    const isMaker = at >= nodes - makers;
    const region = this.regions[at % regions] ?? 'r0';
    const rank = Math.floor(at / regions);
    const ofRegion = Math.ceil(nodes / regions);
    const roles: NodeRole[] = rank < Math.max(1, Math.round(ofRegion / 5)) ? ['origin'] : ['edge'];
    if (ofRegion < 4) roles.splice(0, 1, 'origin', 'edge');
    if (isMaker) roles.splice(0, roles.length, 'transcode');
    if (at < 3) roles.push('manager');
    return new SimNode({
      id: `n${String(at).padStart(4, '0')}${this.random.between(0x1000, 0xffff).toString(16)}`,
      region,
      roles: NODE_ROLES.filter((role) => roles.includes(role)),
      viewersMax: 10_000,
      tasksMax: isMaker ? 1 + (at % 4) : 0,
      phaseMs: this.random.between(0, 999),
      engineLatencyMs: 1 + (at % regions) * 5,
      agenda: this.agenda,
    });
  }
}
