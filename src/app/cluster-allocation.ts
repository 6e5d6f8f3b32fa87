import { availableParallelism } from 'node:os';
import type pino from 'pino';
import { type AllocationFollower, Allocator, type AllocatorOptions } from '../allocation/mod.ts';
import { allocationOperations, type Operation } from '../api/mod.ts';
import type { Bus, Membership, Store, TranscodeOffer } from '../cluster/mod.ts';
import type { MonotonicMs } from '../core/mod.ts';
import { AllocationSettings, type Clock, type ClusterStreams, TranscodeOffers, type Transcoding, type WeightSettings } from '../io/mod.ts';

/** What a node offers to make for others; undefined where nothing is transcoded. */
export function transcodeOffers(transcoding: Transcoding | undefined, clock: Clock): () => TranscodeOffer | undefined {
  if (transcoding === undefined) return () => undefined;
  const offers = new TranscodeOffers({ report: () => transcoding.report(), cores: availableParallelism(), now: () => clock.monotonic() });
  return () => offers.offer();
}

/** Of the API: a node that is alone has weights, too. */
export const weightOperations = (settings: WeightSettings, follower: () => AllocationFollower | undefined): readonly Operation[] =>
  allocationOperations(new AllocationSettings({ settings, follower }));

export interface ClusterAllocationOptions extends Pick<AllocatorOptions, 'isDraining'> {
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly nodeId: string;
  readonly roles: readonly string[];
  readonly store: Store;
  readonly bus: Bus;
  readonly streams: () => ClusterStreams | undefined;
}

/** A node's part in deciding who makes what: managers decide, one of them at a time; every node tells what was decided. */
export class ClusterAllocation {
  private readonly options: ClusterAllocationOptions;
  private allocator: Allocator | undefined = undefined;

  constructor(options: ClusterAllocationOptions) {
    this.options = options;
  }

  /** What was decided; undefined until this node is a member. */
  get follower(): AllocationFollower | undefined {
    return this.options.streams()?.allocation;
  }

  /** This node is a member from now on. */
  begin(membership: Membership, incarnation: number): void {
    const { nodeId, roles, streams, log } = this.options;
    if (this.allocator !== undefined || !(roles.includes('manager') || roles.includes('mono'))) return;
    this.allocator = new Allocator({
      ...this.options,
      own: { node: nodeId, incarnation },
      listener: {
        leading: (epoch) => log.info({ code: 'allocation.leading', epoch }, 'this manager allocates transcoding'),
        resigned: (epoch) => log.info({ code: 'allocation.resigned', epoch }, 'another manager allocates transcoding'),
      },
      world: {
        nodes: () => membership.nodes(),
        node: (id) => membership.node(id),
        isAlive: (id, run) => membership.isAlive(id, run),
        get isJudging() {
          return membership.isJudging;
        },
        claimed: (path) => streams()?.known(path),
      },
    });
  }

  nodesChanged(): void {
    this.allocator?.nodesChanged();
  }

  tick(now: MonotonicMs): void {
    this.allocator?.tick(now);
  }

  close(): void {
    this.allocator?.close();
    this.allocator = undefined;
  }
}
