/** Where the access unit begins in an AVC video tag's body: after frame type, packet type and composition time. */
const AVC_PAYLOAD_AT = 5;

/**
 * Looks at the first bytes of an FLV/RTMP video message body at `offset`: a coded frame or not (a sequence header and such),
 * and whether it is a keyframe. Knows the old layout and that of Enhanced RTMP.
 */
export function readVideoHead(head: Buffer, offset: number): 'keyframe' | 'frame' | 'other' {
  const first = head[offset] ?? 0;
  const second = head[offset + 1] ?? 0;
  const isEnhanced = (first & 0x80) !== 0;
  const packetType = isEnhanced ? first & 0x0f : second;
  const isCoded = isEnhanced ? packetType === 1 || packetType === 3 : packetType === 1;
  if (!isCoded) return 'other';
  return ((first >> 4) & 7) === 1 ? 'keyframe' : 'frame';
}

/** The offset of an AVC access unit in a message body that begins at `offset`. */
export const avcPayloadAt = (offset: number): number => offset + AVC_PAYLOAD_AT;
