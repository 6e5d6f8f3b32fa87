import { isKeyframe } from '../../../media/mod.ts';
import { concatenate } from './concatenate.ts';
import { DescribedPacketizer } from './described-packetizer.ts';
import { badPayload } from './malformed.ts';
import type { AssembledFrame, Packetizer } from './payload-format.ts';

const EXTENDED = 0x80;
const STARTS_PARTITION = 0x10;
const PARTITION_BITS = 7;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0_PICTURE_INDEX = 0x40;
const HAS_TEMPORAL_LAYER_OR_KEY_INDEX = 0x30;
const LONG_PICTURE_ID = 0x80;

/**
 * RFC 7741 with descriptors of one byte, see {@link DescribedPacketizer}. Frames are cut without regard to partitions (4.2: PID stays 0, S
 * marks the first packet of the frame).
 */
export function createVp8Packetizer(payloadBytesMax: number): Packetizer {
  return new DescribedPacketizer(({ isFirst }) => (isFirst ? STARTS_PARTITION : 0), payloadBytesMax);
}

/** RFC 7741: what stands behind the descriptors, put together. */
export function depacketizeVp8(payloads: readonly Uint8Array[]): AssembledFrame {
  const [first] = payloads;
  if (first === undefined || !vp8StartsFrame(first)) throw badPayload('vp8', 'the first packet of a frame must start partition 0');
  const payload = concatenate(
    payloads.map((bytes) => {
      const size = descriptorSize(bytes);
      if (size >= bytes.length) throw badPayload('vp8', `a descriptor of ${size} bytes in a payload of ${bytes.length}`);
      return bytes.subarray(size);
    }),
  );
  return { payload, isKeyframe: isKeyframe('vp8', payload) };
}

/** Bytes of the payload descriptor (4.2); may be past the end of a broken payload. */
function descriptorSize(bytes: Uint8Array): number {
  if (((bytes[0] ?? 0) & EXTENDED) === 0) return 1;
  const flags = bytes[1] ?? 0;
  let size = 2;
  if ((flags & HAS_PICTURE_ID) !== 0) size += ((bytes[size] ?? 0) & LONG_PICTURE_ID) !== 0 ? 2 : 1;
  if ((flags & HAS_TL0_PICTURE_INDEX) !== 0) size += 1;
  return (flags & HAS_TEMPORAL_LAYER_OR_KEY_INDEX) !== 0 ? size + 1 : size;
}

/** Whether a frame begins here: the S bit with partition 0. */
export function vp8StartsFrame(payload: Uint8Array): boolean {
  return ((payload[0] ?? 0) & (STARTS_PARTITION | PARTITION_BITS)) === STARTS_PARTITION;
}

/** Whether a keyframe begins here, by the P bit of the frame header (RFC 6386 9.1). */
export function vp8StartsKeyframe(payload: Uint8Array): boolean {
  const size = descriptorSize(payload);
  return vp8StartsFrame(payload) && size < payload.length && isKeyframe('vp8', payload.subarray(size));
}
