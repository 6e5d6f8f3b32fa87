import type { Membership, NodeLoad, NodeRecord, NodeView, RouteCandidate } from '../src/cluster/mod.ts';

/** What is asked at present: the same for all candidates. */
interface Asked {
  membership: Membership | undefined;
  /** Who has the stream. */
  holders: readonly (string | undefined)[];
}

/** A node as whoever is asked sees it; looked at as far as it matters. */
class Seen implements RouteCandidate {
  readonly record: NodeRecord;
  private readonly asked: Asked;

  constructor(record: NodeRecord, asked: Asked) {
    this.record = record;
    this.asked = asked;
  }

  get hasStream(): boolean {
    return this.asked.holders.includes(this.record.id);
  }

  get load(): NodeLoad | undefined {
    return this.view?.heartbeat;
  }

  get headroom(): number | undefined {
    return this.view?.headroom;
  }

  get isStale(): boolean {
    return this.view?.isStale === true;
  }

  private get view(): NodeView | undefined {
    return this.asked.membership?.node(this.record.id);
  }
}

/** The candidates that nodes have for clients: the same ones for all who know the same records of a region. */
export class SeenNodes {
  private readonly asked: Asked = { membership: undefined, holders: [] };
  private readonly byRecords = new WeakMap<readonly NodeRecord[], readonly Seen[]>();

  /** Those of one region, as one node sees them until the next is asked. */
  ofRegion(membership: Membership, region: string, holders: readonly (string | undefined)[]): readonly RouteCandidate[] {
    Object.assign(this.asked, { membership, holders });
    const records = membership.recordsOf(region);
    let seen = this.byRecords.get(records);
    if (seen === undefined) {
      seen = records.map((record) => new Seen(record, this.asked));
      this.byRecords.set(records, seen);
    }
    return seen;
  }

  ofAll(membership: Membership, holders: readonly (string | undefined)[]): readonly RouteCandidate[] {
    Object.assign(this.asked, { membership, holders });
    return Array.from(membership.nodes(), ({ record }) => new Seen(record, this.asked));
  }
}
