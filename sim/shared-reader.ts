import { decodeDigest, decodeHeartbeat, type MembershipReader } from '../src/cluster/mod.ts';

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: Omit<MembershipReader, 'record'> = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
};

/** A message with what the first node made of it, for all others. */
type SharedMessage = Uint8Array & { reading?: object | 'unreadable' };

/** Once for all who get the same bytes. */
export function once<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  return (bytes) => {
    const message = bytes as SharedMessage;
    message.reading ??= read(bytes) ?? 'unreadable';
    return message.reading === 'unreadable' ? undefined : (message.reading as Value);
  };
}
