import { splitNalUnits } from '../../../media/mod.ts';
import { equalPieceSize, PayloadBuffer } from './payload-buffer.ts';
import type { Packetizer, RtpFrame, RtpPayloads } from './payload-format.ts';

const UNIT_LENGTH_BYTES = 2;

/** What differs between the payload formats of H.264 and HEVC. */
export interface NalPayloadFormat {
  /** Bytes of a NAL unit header, and so of an aggregation packet's; a fragment's is one longer. */
  readonly headerBytes: 1 | 2;
  /** Whether a unit is of no use to a receiver: delimiters, filler. */
  isDropped(unit: Uint8Array): boolean;
  /** Whether these units carry the parameter sets that decoding them needs. */
  hasParameterSets(units: readonly Uint8Array[]): boolean;
  /** Writes the header of an aggregation packet of `units[from]` up to, not with, `units[to]`. */
  writeAggregationHeader(bytes: Uint8Array, at: number, units: readonly Uint8Array[], from: number, to: number): void;
  /** Writes payload header and FU header of a fragment of `unit`. */
  writeFragmentHeader(bytes: Uint8Array, at: number, unit: Uint8Array, isFirst: boolean, isLast: boolean): void;
}

/**
 * The packetizer that RFC 6184 (packetization-mode 1) and RFC 7798 (no DONL) share: neighbouring small units go together into
 * aggregation packets, a unit that is too large into fragmentation units of equal size.
 */
export class NalPacketizer implements Packetizer {
  private readonly format: NalPayloadFormat;
  private readonly parameterSets: readonly Uint8Array[];
  private readonly payloadBytesMax: number;
  private readonly payloads: PayloadBuffer = new PayloadBuffer();

  constructor(format: NalPayloadFormat, parameterSets: readonly Uint8Array[], payloadBytesMax: number) {
    this.format = format;
    this.parameterSets = parameterSets;
    this.payloadBytesMax = payloadBytesMax;
  }

  packetize(frame: RtpFrame): RtpPayloads {
    const units = this.unitsToSend(frame);
    this.payloads.reset();
    for (let from = 0; from < units.length; ) {
      const to = this.aggregatedUntil(units, from);
      const unit = units[from] ?? new Uint8Array();
      if (to > from + 1) this.addAggregate(units, from, to);
      else if (unit.length <= this.payloadBytesMax) this.payloads.put(unit);
      else this.addFragments(unit);
      from = to;
    }
    return this.payloads;
  }

  private unitsToSend(frame: RtpFrame): readonly Uint8Array[] {
    const units = splitNalUnits(frame.payload).filter((unit) => unit.length >= this.format.headerBytes && !this.format.isDropped(unit));
    return frame.isKeyframe && !this.format.hasParameterSets(units) ? [...this.parameterSets, ...units] : units;
  }

  /** Behind the last unit that fits into one payload together with `units[from]`; at least `from + 1`. */
  private aggregatedUntil(units: readonly Uint8Array[], from: number): number {
    let size = this.format.headerBytes;
    let to = from;
    for (; to < units.length; to += 1) {
      size += UNIT_LENGTH_BYTES + (units[to]?.length ?? 0);
      if (size > this.payloadBytesMax) break;
    }
    return Math.max(to, from + 1);
  }

  private addAggregate(units: readonly Uint8Array[], from: number, to: number): void {
    let size = this.format.headerBytes;
    for (let index = from; index < to; index += 1) size += UNIT_LENGTH_BYTES + (units[index]?.length ?? 0);
    let at = this.payloads.add(size);
    const { bytes } = this.payloads;
    this.format.writeAggregationHeader(bytes, at, units, from, to);
    at += this.format.headerBytes;
    for (let index = from; index < to; index += 1) {
      const unit = units[index] ?? new Uint8Array();
      bytes[at] = unit.length >> 8;
      bytes[at + 1] = unit.length & 0xff;
      bytes.set(unit, at + UNIT_LENGTH_BYTES);
      at += UNIT_LENGTH_BYTES + unit.length;
    }
  }

  private addFragments(unit: Uint8Array): void {
    const { headerBytes } = this.format;
    const fragmentHeaderBytes = headerBytes + 1;
    const size = equalPieceSize(unit.length - headerBytes, this.payloadBytesMax - fragmentHeaderBytes);
    for (let from = headerBytes; from < unit.length; from += size) {
      const to = Math.min(from + size, unit.length);
      const at = this.payloads.add(fragmentHeaderBytes + to - from);
      const { bytes } = this.payloads;
      this.format.writeFragmentHeader(bytes, at, unit, from === headerBytes, to === unit.length);
      bytes.set(unit.subarray(from, to), at + fragmentHeaderBytes);
    }
  }
}
