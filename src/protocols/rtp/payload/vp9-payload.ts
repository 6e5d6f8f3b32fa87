import { DescribedPacketizer } from './described-packetizer.ts';
import type { Packetizer } from './payload-format.ts';

/** The first byte of a VP9 payload descriptor (RFC 9628 4.2). */
export const Vp9Bit = {
  hasPictureId: 0x80,
  interPredicted: 0x40,
  hasLayerIndices: 0x20,
  flexible: 0x10,
  startsLayerFrame: 0x08,
  endsLayerFrame: 0x04,
  hasScalabilityStructure: 0x02,
} as const;
export const LONG_PICTURE_ID = 0x80;

/**
 * RFC 9628 in non-flexible mode with one layer: no picture ID ({@link DescribedPacketizer} says why), layer indices or scalability structure, so
 * that all descriptors are one byte. Receivers (libwebrtc among them) then take frames in order of their sequence numbers.
 */
export function createVp9Packetizer(payloadBytesMax: number): Packetizer {
  const { interPredicted, startsLayerFrame, endsLayerFrame } = Vp9Bit;
  return new DescribedPacketizer(
    ({ isKeyframe, isFirst, isLast }) =>
      (isKeyframe ? 0 : interPredicted) | (isFirst ? startsLayerFrame : 0) | (isLast ? endsLayerFrame : 0),
    payloadBytesMax,
  );
}
