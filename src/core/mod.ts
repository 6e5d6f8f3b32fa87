export { BitReader } from './bit-reader.ts';
export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export { assert, assertNever, InvariantError, ProtocolError, SluiceError } from './errors.ts';
export { Slab } from './slab.ts';
export { isStreamPattern, matchesPattern, patternMatcher } from './stream-pattern.ts';
export { isName, type Name, type StreamRef, streamRef } from './stream-ref.ts';
export {
  type BitrateBps,
  bitrateBps,
  type DurationMs,
  durationMs,
  type MediaTime,
  type MonotonicMs,
  mediaTime,
  monotonicMs,
  msToTicks,
  type SizeBytes,
  sizeBytes,
  ticksToMs,
  type WallMs,
  wallMs,
} from './units.ts';
export { utf8Decode, utf8Encode } from './utf8.ts';
export {
  areNewer,
  decodeVersioned,
  encodeVersioned,
  isNewer,
  readAmount,
  readCount,
  readText,
  type UnknownFields,
} from './versioned-json.ts';
