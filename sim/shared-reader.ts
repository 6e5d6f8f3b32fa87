import {
  decodeDigest,
  decodeHeartbeat,
  decodeNodeRecord,
  type MembershipReader,
  type ShareReadings,
  type StoreEntry,
} from '../src/cluster/mod.ts';

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: MembershipReader = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
  record: once(decodeNodeRecord),
};

const readers = new Map<string, (entry: StoreEntry) => object | string>();

/** The same for claims. */
export const shareReadings: ShareReadings = <Reading extends object | string>(prefix: string, read: (entry: StoreEntry) => Reading) => {
  let shared = readers.get(prefix);
  if (shared === undefined) {
    const known = new WeakMap<StoreEntry, Reading>();
    shared = (entry) => {
      const reading = known.get(entry) ?? read(entry);
      known.set(entry, reading);
      return reading;
    };
    readers.set(prefix, shared);
  }
  // What is read under a prefix is of one type.
  return shared as (entry: StoreEntry) => Reading;
};

function once<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  const known = new WeakMap<Uint8Array, Value>();
  // Those who get the same message get it one after the other.
  let last: Uint8Array | undefined;
  let lastValue: Value | undefined;
  return (bytes) => {
    if (bytes === last) return lastValue;
    lastValue = known.get(bytes) ?? read(bytes);
    if (lastValue !== undefined) known.set(bytes, lastValue);
    last = bytes;
    return lastValue;
  };
}
