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
  return (bytes) => {
    let value = known.get(bytes);
    if (value === undefined) {
      value = read(bytes);
      if (value !== undefined) known.set(bytes, value);
    }
    return value;
  };
}
