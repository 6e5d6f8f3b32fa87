import {
  decodeDigest,
  decodeHeartbeat,
  decodeNodeRecord,
  type MembershipReader,
  type ShareReadings,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import type { SharedEntry } from './engine.ts';

/** Messages are on their way for a moment: of so many, what was read is kept. */
const MESSAGES_KEPT = 256;

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: MembershipReader = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
  record: onceForEver(decodeNodeRecord),
};

/** The same for claims: all entries under a prefix are read in the same way, and no entry is under two. */
export const shareReadings: ShareReadings =
  <Reading extends object | string>(_prefix: string, read: (entry: StoreEntry) => Reading) =>
  (entry) => {
    const shared = entry as SharedEntry;
    shared.reading ??= read(entry);
    return shared.reading as Reading;
  };

function once<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  let young = new Map<Uint8Array, Value | undefined>();
  let old = young;
  // Those who get the same message get it one after the other.
  let last: Uint8Array | undefined;
  let lastValue: Value | undefined;
  return (bytes) => {
    if (bytes === last) return lastValue;
    last = bytes;
    lastValue = young.get(bytes) ?? old.get(bytes);
    if (lastValue !== undefined) return lastValue;
    lastValue = read(bytes);
    if (young.size >= MESSAGES_KEPT) [young, old] = [new Map(), young];
    young.set(bytes, lastValue);
    return lastValue;
  };
}

function onceForEver<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  const known = new WeakMap<Uint8Array, Value>();
  return (bytes) => {
    let value = known.get(bytes);
    if (value !== undefined) return value;
    value = read(bytes);
    if (value !== undefined) known.set(bytes, value);
    return value;
  };
}
