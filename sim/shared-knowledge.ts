import {
  type ClaimReading,
  type ClaimSharing,
  type ClaimsOptions,
  type ClaimsOutput,
  decodeNodeRecord,
  isSameRecord,
  type KnownClaim,
  type MembershipReader,
  type MembershipSharing,
  NODES_PREFIX,
  type NodeRecord,
  RosterTable,
  readKnownClaim,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import { NodeClaims } from './claim-crowd.ts';
import type { ClaimKnowledge, ClaimReplay } from './claim-replay.ts';
import { NodeDigests } from './digest-crowd.ts';
import type { SharedEntry } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import { NodeRecords, type RecordReplay } from './record-crowd.ts';
import { Replays } from './replays.ts';
import { History, type SharedMap } from './shared-map.ts';
import { once, SHARED_READER } from './shared-reader.ts';

/** What the nodes of one world share of what they know. */
export class SharedKnowledge {
  private readonly rosters = new Map<string, RosterTable>();
  private readonly histories = new Map<string, History<object>>();
  /** Of claims, by prefix. */
  private readonly replays = new Map<string, Replays<ClaimKnowledge<unknown>, ClaimReplay<unknown>>>();
  private readonly recordReplays = new Replays<SharedMap<NodeRecord>, RecordReplay>();

  /** Reads for all. A record that is told again is the one that is known already. */
  readonly reader: MembershipReader = {
    ...SHARED_READER,
    record: once((bytes) => {
      const record = decodeNodeRecord(bytes);
      const known = record === undefined ? undefined : this.historyOf<NodeRecord>(NODES_PREFIX).latestOf(record.id);
      return record !== undefined && known !== undefined && isSameRecord(known, record) ? known : record;
    }),
  };

  /** For one process. */
  membershipOf(client: EngineClient): MembershipSharing {
    return {
      replica: (prefix) => this.replica(prefix),
      roster: (region) => this.roster(region),
      hearDigests: (hearer) => {
        const digests = new NodeDigests(hearer, client);
        return () => digests.end();
      },
      watchRecords: (hearer) => {
        const records = new NodeRecords(hearer, { client, read: (value) => this.reader.record(value), replays: this.recordReplays });
        return () => records.end();
      },
    };
  }

  /** For one process. */
  claimsOf(client: EngineClient): ClaimSharing {
    return {
      claims: <Body>(options: ClaimsOptions<Body>, out: ClaimsOutput<Body>): NodeClaims<Body> => {
        const { prefix, readBody } = options;
        // All entries under a prefix are read in the same way, and no entry is under two.
        const read = (entry: StoreEntry): ClaimReading<Body> => {
          const shared = entry as SharedEntry;
          shared.reading ??= this.like(readKnownClaim(entry, prefix, readBody), prefix);
          return shared.reading as ClaimReading<Body>;
        };
        return new NodeClaims(options, out, {
          client,
          known: this.replica<KnownClaim<Body>>(prefix),
          read,
          replays: this.replaysOf(prefix),
        });
      },
    };
  }

  /** With the body that is known already, where that says the same. */
  private like<Body>(reading: ClaimReading<Body>, prefix: string): ClaimReading<Body> {
    if (reading === 'newer' || reading === 'malformed') return reading;
    const { claimed, record, revision } = reading;
    const body = this.historyOf<KnownClaim<Body>>(prefix).latestOf(claimed.name)?.claimed.body;
    if (body === undefined || JSON.stringify(body) !== JSON.stringify(claimed.body)) return reading;
    return { revision, record: { ...record, body }, claimed: { ...claimed, body } };
  }

  private replaysOf<Body>(prefix: string): Replays<ClaimKnowledge<Body>, ClaimReplay<Body>> {
    let replays = this.replays.get(prefix);
    if (replays === undefined) {
      replays = new Replays();
      this.replays.set(prefix, replays);
    }
    return replays as unknown as Replays<ClaimKnowledge<Body>, ClaimReplay<Body>>;
  }

  private roster(region: string): RosterTable {
    let empty = this.rosters.get(region);
    if (empty === undefined) {
      empty = new RosterTable();
      this.rosters.set(region, empty);
    }
    return empty;
  }

  private replica<Value extends object>(prefix: string): SharedMap<Value> {
    return this.historyOf<Value>(prefix).map();
  }

  private historyOf<Value extends object>(prefix: string): History<Value> {
    let history = this.histories.get(prefix);
    if (history === undefined) {
      history = new History();
      this.histories.set(prefix, history);
    }
    return history as unknown as History<Value>;
  }
}
