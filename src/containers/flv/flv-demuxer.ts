import { ProtocolError } from '../../core/mod.ts';
import { FLV_PREVIOUS_TAG_SIZE_BYTES, FLV_TAG_HEADER_BYTES, type FlvTagType } from './flv-tag.ts';

/** One tag as it stood in the file. `timestampMs` is the unsigned 32-bit number of the wire. */
export interface FlvTag {
  readonly type: FlvTagType;
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** Takes what {@link FlvDemuxer} finds. */
export interface FlvDemuxerOutput {
  header(hasAudio: boolean, hasVideo: boolean): void;
  /** The body shares memory with the bytes received if the tag came whole, and is a copy if not. */
  tag(tag: FlvTag): void;
}

export interface FlvDemuxerOptions {
  /** The largest tag body taken. */
  readonly tagBytesMax?: number;
}

const TAG_BYTES_MAX_DEFAULT = 8 * 1024 * 1024;
const FILE_HEADER_BYTES = 9;
const FILE_HEADER_BYTES_MAX = 1024;

/**
 * Splits an FLV byte stream (FLV 10.1, annex E), however it was cut, into tags. Holds at most one unfinished tag.
 * `receive` throws `ProtocolError` with `flv.…`; the stream is over after that.
 */
export class FlvDemuxer {
  private readonly out: FlvDemuxerOutput;
  private readonly tagBytesMax: number;
  /** Bytes of an unfinished unit, in a buffer of the size that is known to be needed so far. */
  private pending: Uint8Array = new Uint8Array(0);
  private pendingLength = 0;
  private sawHeader = false;

  constructor(out: FlvDemuxerOutput, options: FlvDemuxerOptions = {}) {
    this.out = out;
    this.tagBytesMax = options.tagBytesMax ?? TAG_BYTES_MAX_DEFAULT;
  }

  /** Borrows `bytes` unless the output keeps a body of them. */
  receive(bytes: Uint8Array): void {
    let rest = bytes;
    while (this.pendingLength > 0 && rest.length > 0) rest = this.complete(rest);
    while (rest.length > 0) {
      const size = this.unitSize(rest);
      if (rest.length < size) {
        this.keep(rest, size);
        return;
      }
      this.unit(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  }

  // Fills the unfinished unit; its size may turn out larger once its header is whole.
  private complete(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(bytes.length, this.pending.length - this.pendingLength);
    this.pending.set(bytes.subarray(0, taken), this.pendingLength);
    this.pendingLength += taken;
    if (this.pendingLength < this.pending.length) return bytes.subarray(taken);
    const size = this.unitSize(this.pending);
    if (size > this.pending.length) {
      const larger = new Uint8Array(size);
      larger.set(this.pending);
      this.pending = larger;
    } else {
      const unit = this.pending;
      this.pendingLength = 0;
      this.unit(unit);
    }
    return bytes.subarray(taken);
  }

  private keep(bytes: Uint8Array, size: number): void {
    this.pending = new Uint8Array(size);
    this.pending.set(bytes);
    this.pendingLength = bytes.length;
  }

  /** The size of the unit at the start of `bytes`, as far as they tell: the header's until it is whole, the whole unit's then. */
  private unitSize(bytes: Uint8Array): number {
    if (!this.sawHeader) return fileHeaderSize(bytes);
    if (bytes.length < FLV_TAG_HEADER_BYTES) return FLV_TAG_HEADER_BYTES;
    const bodySize = u24(bytes, 1);
    if (bodySize > this.tagBytesMax) {
      throw new ProtocolError('flv.tag-too-large', `FLV tag of ${bodySize} bytes is above ${this.tagBytesMax}; raise tagBytesMax`);
    }
    return FLV_TAG_HEADER_BYTES + bodySize + FLV_PREVIOUS_TAG_SIZE_BYTES;
  }

  private unit(bytes: Uint8Array): void {
    if (this.sawHeader) {
      this.out.tag(parseTag(bytes));
      return;
    }
    this.sawHeader = true;
    const flags = bytes[4] ?? 0;
    this.out.header((flags & 4) !== 0, (flags & 1) !== 0);
  }
}

/** The file header with PreviousTagSize0. */
function fileHeaderSize(bytes: Uint8Array): number {
  if (bytes.length < FILE_HEADER_BYTES) return FILE_HEADER_BYTES;
  if (u24(bytes, 0) !== 0x464c56) throw new ProtocolError('flv.bad-signature', 'the stream does not start with "FLV"');
  const dataOffset = u32(bytes, 5);
  if (dataOffset < FILE_HEADER_BYTES || dataOffset > FILE_HEADER_BYTES_MAX) {
    throw new ProtocolError('flv.bad-header', `FLV header names a size of ${dataOffset} bytes; 9 to ${FILE_HEADER_BYTES_MAX} are taken`);
  }
  return dataOffset + FLV_PREVIOUS_TAG_SIZE_BYTES;
}

function parseTag(bytes: Uint8Array): FlvTag {
  const end = bytes.length - FLV_PREVIOUS_TAG_SIZE_BYTES;
  const previousTagSize = u32(bytes, end);
  if (previousTagSize !== end) {
    throw new ProtocolError(
      'flv.bad-previous-tag-size',
      `PreviousTagSize is ${previousTagSize} after a tag of ${end} bytes: the stream is out of step`,
    );
  }
  const timestampMs = (u24(bytes, 4) | ((bytes[7] ?? 0) << 24)) >>> 0;
  return { type: tagType(bytes[0] ?? 0), timestampMs, body: bytes.subarray(FLV_TAG_HEADER_BYTES, end) };
}

function tagType(code: number): FlvTagType {
  switch (code) {
    case 8:
      return 'audio';
    case 9:
      return 'video';
    case 18:
      return 'script';
    default:
      // Includes the filter bit 0x20 of encrypted tags.
      throw new ProtocolError('flv.bad-tag-type', `FLV tag type ${code} is none of audio (8), video (9) and script data (18)`);
  }
}

const u24 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
const u32 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 0x1000000 + u24(bytes, at + 1);
