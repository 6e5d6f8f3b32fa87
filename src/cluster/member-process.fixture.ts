import type { NodeLoad } from './heartbeat.ts';
import { Membership } from './membership.ts';
import type { MembershipOptions } from './membership-options.ts';
import type { MemoryClient, MemoryEngine } from './memory-engine.fixture.ts';
import type { NodeView } from './node-view.ts';

export const load: NodeLoad = {
  cpu: 0.25,
  memoryBytes: 1e9,
  memoryMaxBytes: 4e9,
  networkInBps: 1e6,
  networkOutBps: 2e6,
  networkMaxBps: 1e9,
  loopLagMs: 1,
  viewers: { flv: 1, rtmp: 0, hls: 2, webrtc: 3 },
  viewersMax: 100,
  streams: 1,
  tasks: 0,
  tasksMax: 4,
  diskFreeBytes: 1e10,
  mediaInBps: 5e6,
  mediaOutBps: 6e6,
  latencyP50Ms: 2,
  latencyP95Ms: 8.5,
};

/** One process of a node that is a member, in an engine's time. */
export class MemberProcess {
  readonly client: MemoryClient;
  readonly membership: Membership;
  readonly told: string[] = [];
  readonly warnings: string[] = [];
  states: [string, number | undefined][] = [];
  private readonly engine: MemoryEngine;
  private endTicks: () => void;

  constructor(engine: MemoryEngine, id: string, options: Partial<MembershipOptions> = {}, client: MemoryClient = engine.client()) {
    this.engine = engine;
    this.client = client;
    const { told, warnings } = this;
    this.membership = new Membership(
      {
        nodeChanged: (id) => {
          const view = this.membership.node(id);
          told.push(`${id} ${view?.isStale === true ? 'stale' : view?.record.status} ${view?.incarnation}`);
        },
        nodeGone: (gone) => told.push(`${gone} gone`),
        ownStatus: (state, drainForMs) => this.states.push([state, drainForMs]),
        warning: (code) => warnings.push(code),
      },
      {
        store: client.store,
        bus: client.bus,
        clock: client.clock,
        clusterId: 'c1',
        own: {
          id,
          region: 'eu',
          roles: ['edge'],
          endpoints: { http: `http://${id}:8080` },
          version: '1.0.0',
          protocol: 1,
          joinedAtMs: 5,
          certificateSerial: `serial-${id}`,
        },
        load: () => load,
        ...options,
      },
    );
    this.membership.start();
    this.endTicks = this.tickEach();
  }

  /** Ticks as the machine asks for it. */
  private tickEach(): () => void {
    const { engine } = this;
    let isEnded = false;
    const again = (): void => {
      if (isEnded) return;
      this.membership.tick(engine.now());
      engine.after(Math.max(1, this.membership.wakeAt - engine.now()), again);
    };
    engine.after(0, again);
    return () => {
      isEnded = true;
    };
  }

  /** As SIGSTOP does: no ticks, no heartbeats. */
  pause(): void {
    this.endTicks();
  }

  resume(): void {
    this.endTicks = this.tickEach();
  }

  kill(): void {
    this.endTicks();
    this.membership.close();
  }

  view(id: string): NodeView | undefined {
    return this.membership.node(id);
  }

  get state(): string | undefined {
    return this.states.at(-1)?.[0];
  }
}
