import {
  decodeDigest,
  decodeHeartbeat,
  decodeNodeRecord,
  type MembershipReader,
  type MembershipSharing,
  type ReplicaMap,
  RosterTable,
  type Sharing,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import type { SharedEntry } from './engine.ts';
import { History } from './shared-map.ts';

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: MembershipReader = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
  record: once(decodeNodeRecord),
};

/** What the nodes of one world share of what they know. */
export class SharedKnowledge implements Sharing, MembershipSharing {
  private readonly rosters = new Map<string, RosterTable>();
  private readonly histories = new Map<string, History<object>>();

  /** All entries under a prefix are read in the same way, and no entry is under two. */
  readings<Reading extends object | string>(_prefix: string, read: (entry: StoreEntry) => Reading): (entry: StoreEntry) => Reading {
    return (entry) => {
      const shared = entry as SharedEntry;
      shared.reading ??= read(entry);
      return shared.reading as Reading;
    };
  }

  roster(region: string): RosterTable {
    let empty = this.rosters.get(region);
    if (empty === undefined) {
      empty = new RosterTable();
      this.rosters.set(region, empty);
    }
    return empty;
  }

  replica<Value extends object>(prefix: string): ReplicaMap<Value> {
    let history = this.histories.get(prefix);
    if (history === undefined) {
      history = new History();
      this.histories.set(prefix, history);
    }
    return history.map() as ReplicaMap<Value>;
  }
}

/** A message with what the first node made of it, for all others. */
type SharedMessage = Uint8Array & { reading?: object | 'unreadable' };

function once<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  return (bytes) => {
    const message = bytes as SharedMessage;
    message.reading ??= read(bytes) ?? 'unreadable';
    return message.reading === 'unreadable' ? undefined : (message.reading as Value);
  };
}
