/** The kinds of FLV tags (FLV 10.1, section E.4.1), which are RTMP's message types of the same numbers. */
export type FlvTagType = 'audio' | 'video' | 'script';

/** TagType on the wire. */
export const flvTagTypeCode: { readonly [type in FlvTagType]: number } = { audio: 8, video: 9, script: 18 };

export const FLV_TAG_HEADER_BYTES = 11;
export const FLV_PREVIOUS_TAG_SIZE_BYTES = 4;

/** The file header with PreviousTagSize0 (FLV 10.1, sections E.2 and E.3). Given. */
export function flvFileHeader(hasAudio: boolean, hasVideo: boolean): Uint8Array {
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0);
}

/**
 * Allocates a whole tag, its header and its PreviousTagSize written, with room for a body of `bodySize` bytes at
 * {@link FLV_TAG_HEADER_BYTES}. `timestampMs` may be any integer; its lowest 32 bits go on the wire.
 */
export function newFlvTag(type: FlvTagType, timestampMs: number, bodySize: number): Uint8Array {
  const end = FLV_TAG_HEADER_BYTES + bodySize;
  const tag = new Uint8Array(end + FLV_PREVIOUS_TAG_SIZE_BYTES);
  // Number to 32 bits modulo 2^32, also for negative ones.
  const timestamp = timestampMs >>> 0;
  tag[0] = flvTagTypeCode[type];
  tag[1] = bodySize >>> 16;
  tag[2] = bodySize >>> 8;
  tag[3] = bodySize;
  tag[4] = timestamp >>> 16;
  tag[5] = timestamp >>> 8;
  tag[6] = timestamp;
  // TimestampExtended: the upper 8 bits come last.
  tag[7] = timestamp >>> 24;
  tag[end] = end >>> 24;
  tag[end + 1] = end >>> 16;
  tag[end + 2] = end >>> 8;
  tag[end + 3] = end;
  return tag;
}

/** A whole tag around a copy of `body`. */
export function flvTag(type: FlvTagType, timestampMs: number, body: Uint8Array): Uint8Array {
  const tag = newFlvTag(type, timestampMs, body.length);
  tag.set(body, FLV_TAG_HEADER_BYTES);
  return tag;
}
