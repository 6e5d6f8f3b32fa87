import { decodeDigest, decodeHeartbeat, decodeNodeRecord, type MembershipReader } from '../src/cluster/mod.ts';

/** Reads each message once, however many simulated nodes get it. */
export const SHARED_READER: MembershipReader = {
  heartbeat: once(decodeHeartbeat),
  digest: once(decodeDigest),
  record: once(decodeNodeRecord),
};

/** A message with what the first node made of it, for all others. */
type SharedMessage = Uint8Array & { reading?: object | 'unreadable' };

function once<Value extends object>(read: (bytes: Uint8Array) => Value | undefined): (bytes: Uint8Array) => Value | undefined {
  return (bytes) => {
    const message = bytes as SharedMessage;
    message.reading ??= read(bytes) ?? 'unreadable';
    return message.reading === 'unreadable' ? undefined : (message.reading as Value);
  };
}
