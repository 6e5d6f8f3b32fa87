import { DIGESTS, type MembershipSharing, NODES_PREFIX, type StoreWatcher } from '../src/cluster/mod.ts';
import type { EngineClient } from './engine-client.ts';
import { SharedKnowledge } from './shared-knowledge.ts';
import { World } from './world.ts';

/** Enough of them for a large cluster, in which most nodes hear digests alone. */
export const NODES = 30;

/** Nodes that hear digests and are told of records together, or each by itself; without streams. */
export class Nodes {
  readonly world: World;
  /** How often a node was told of a digest. */
  told = 0;
  /** How often one was told of a record. */
  toldOfRecords = 0;

  constructor(seed: number, areTogether: boolean) {
    const knowledge = new SharedKnowledge();
    const membershipOf = (client: EngineClient): MembershipSharing => {
      const together = knowledge.membershipOf(client);
      return {
        ...together,
        hearDigests: (hearer) => {
          const heard = (message: Uint8Array): void => {
            this.told += 1;
            hearer.heard(message);
          };
          if (areTogether) return together.hearDigests({ ...hearer, heard });
          return client.bus.subscribe(DIGESTS, (_subject, message) => heard(message));
        },
        watchRecords: (hearer) => {
          const { watcher } = hearer;
          const counted: StoreWatcher = {
            ...watcher,
            changed: (entry) => {
              this.toldOfRecords += 1;
              watcher.changed(entry);
            },
          };
          if (areTogether) return together.watchRecords({ ...hearer, watcher: counted });
          return client.store.watch(NODES_PREFIX, counted);
        },
      };
    };
    this.world = new World({
      seed,
      nodes: NODES,
      regions: 2,
      streams: 0,
      viewers: 0,
      viewersEach: 1,
      tickMs: 50,
      streamLifeMs: 60_000,
      viewerStayMs: 40_000,
      makers: 0,
      relayChildrenMax: 2,
    });
    Object.assign(this.world.knowledge, { membershipOf });
    for (const node of this.world.nodes) this.world.start(node);
  }

  /** What each node knows of each other one. */
  get known(): object {
    const { now, nodes } = this.world;
    return nodes.map(({ id, process }) => {
      if (process === undefined || process.isPaused) return id;
      const views = Array.from(process.membership.nodes(), ({ record, isStale, incarnation, headroom, heardAt, clockOffsetMs }) => {
        const about = [record.incarnation, record.status, isStale, incarnation, headroom?.toFixed(2), now - heardAt, clockOffsetMs];
        return `${record.id} ${about.join(' ')}`;
      });
      return `${id} (${process.membership.isFirstOfRegion}): ${views.sort().join(', ')}`;
    });
  }
}
