const FILE_HEADER_SIZE = 9 + 4;
const TAG_HEADER_SIZE = 11;
/** How much of each tag is looked at: its header, the video header and a sent-time SEI. */
const HEAD_SIZE = TAG_HEADER_SIZE + 64;

export interface FlvScannerListener {
  /** A tag began. `head` holds its 11 header bytes and at most 64 of its body; borrowed. `timestamp` is in ms. */
  tag(type: number, timestamp: number, head: Buffer): void;
}

/** Walks over an FLV stream from tag to tag and copies nothing but heads that are split over two reads. */
export class FlvScanner {
  private readonly listener: FlvScannerListener;
  private skip = FILE_HEADER_SIZE;
  private readonly split = Buffer.alloc(HEAD_SIZE);
  private splitSize = 0;

  constructor(listener: FlvScannerListener) {
    this.listener = listener;
  }

  /** Takes borrowed bytes; throws an Error on something that is not FLV. */
  receive(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, bytes.length - at);
        this.skip -= step;
        at += step;
      } else if (this.splitSize > 0) at = this.completeSplit(bytes, at);
      else at = this.readTag(bytes, at);
    }
  }

  private readTag(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    const size = available < 4 ? Number.POSITIVE_INFINITY : TAG_HEADER_SIZE + bytes.readUIntBE(at + 1, 3);
    const headSize = Math.min(HEAD_SIZE, size);
    if (available < headSize) {
      bytes.copy(this.split, 0, at);
      this.splitSize = available;
      return bytes.length;
    }
    this.emit(bytes.subarray(at, at + headSize));
    this.skip = size + 4;
    return at;
  }

  private completeSplit(bytes: Buffer, start: number): number {
    let at = start;
    const want = (): number => (this.splitSize < 4 ? 4 : Math.min(HEAD_SIZE, TAG_HEADER_SIZE + this.split.readUIntBE(1, 3)));
    while (this.splitSize < want()) {
      const step = Math.min(want() - this.splitSize, bytes.length - at);
      if (step === 0) return at;
      bytes.copy(this.split, this.splitSize, at, at + step);
      this.splitSize += step;
      at += step;
    }
    const size = TAG_HEADER_SIZE + this.split.readUIntBE(1, 3);
    this.skip = size + 4 - this.splitSize;
    this.emit(this.split.subarray(0, this.splitSize));
    this.splitSize = 0;
    return at;
  }

  private emit(head: Buffer): void {
    const type = head[0] ?? 0;
    if (type !== 8 && type !== 9 && type !== 18) throw new Error(`an FLV tag of unknown type ${type}`);
    this.listener.tag(type, head.readUIntBE(4, 3) + (head[7] ?? 0) * 2 ** 24, head);
  }
}
