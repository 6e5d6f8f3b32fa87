import {
  type ClaimReading,
  type ClaimSharing,
  type ClaimsOptions,
  type ClaimsOutput,
  decodeDigest,
  decodeHeartbeat,
  decodeNodeRecord,
  type KnownClaim,
  type MembershipReader,
  type MembershipSharing,
  RosterTable,
  readKnownClaim,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import { NodeClaims } from './crowd.ts';
import type { SharedEntry } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import { History, type SharedMap } from './shared-map.ts';

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: MembershipReader = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
  record: once(decodeNodeRecord),
};

/** What the nodes of one world share of what they know. */
export class SharedKnowledge implements MembershipSharing {
  private readonly rosters = new Map<string, RosterTable>();
  private readonly histories = new Map<string, History<object>>();

  /** For one process. */
  claimsOf(client: EngineClient): ClaimSharing {
    return {
      claims: <Body>(options: ClaimsOptions<Body>, out: ClaimsOutput<Body>): NodeClaims<Body> => {
        const { prefix, readBody } = options;
        // All entries under a prefix are read in the same way, and no entry is under two.
        const read = (entry: StoreEntry): ClaimReading<Body> => {
          const shared = entry as SharedEntry;
          shared.reading ??= readKnownClaim(entry, prefix, readBody);
          return shared.reading as ClaimReading<Body>;
        };
        return new NodeClaims(options, out, { client, known: this.replica<KnownClaim<Body>>(prefix), read });
      },
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

  replica<Value extends object>(prefix: string): SharedMap<Value> {
    let history = this.histories.get(prefix);
    if (history === undefined) {
      history = new History();
      this.histories.set(prefix, history);
    }
    return (history as unknown as History<Value>).map();
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
