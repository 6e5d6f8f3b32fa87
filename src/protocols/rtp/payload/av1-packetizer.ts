import { type Av1Obu, av1SequenceObu, splitAv1Obus } from '../../../media/mod.ts';
import { leb128Size, writeLeb128 } from './leb128.ts';
import { equalPieceSize, PayloadBuffer } from './payload-buffer.ts';
import type { Packetizer, RtpFrame, RtpPayloads } from './payload-format.ts';

/** OBU types of the AV1 specification, 6.2.2. */
export const Av1ObuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  tileGroup: 4,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
} as const;
/** Bits of the aggregation header (AV1 RTP 4.4); W stands at bits 4 and 5. */
export const Av1Bit = { continuesFragment: 0x80, endsInFragment: 0x40, startsSequence: 0x08 } as const;
export const OBU_HAS_SIZE = 0x02;
export const OBU_HAS_EXTENSION = 0x04;
const AV1C_HEADER_BYTES = 4;
const AGGREGATION_HEADER_BYTES = 1;
/** W counts up to three elements, whose last then needs no length; with more, W is 0 and each has one. */
const COUNTED_ELEMENTS_MAX = 3;
/** Room that must stay behind an element with length, so that the next can begin in the same packet: length, OBU header, a byte. */
const ROOM_FOR_NEXT_MIN = 4;

/** An OBU without size field: its header of one or two bytes, and its content. */
interface Element {
  readonly header: Uint8Array;
  readonly content: Uint8Array;
  readonly size: number;
}

/** What one payload carries: elements `first` to `last`, the first from byte `from` of it on, the last up to byte `to`. */
interface Plan {
  readonly first: number;
  readonly from: number;
  readonly last: number;
  readonly to: number;
}

/** Whether an OBU has no business in RTP (AV1 RTP, section 5). */
export function isAv1Dropped(type: number): boolean {
  return type === Av1ObuType.temporalDelimiter || type === Av1ObuType.tileList || type === Av1ObuType.padding;
}

/**
 * The AV1 RTP payload format without dependency descriptor. OBUs are put one behind the other and cut into payloads of equal size.
 * A payload ends within an OBU unless it is the frame's last: receivers without dependency descriptor (libwebrtc) take
 * a payload with a whole OBU at its end for the end of the frame.
 */
export class Av1Packetizer implements Packetizer {
  private readonly sequence: Av1Obu | undefined;
  private readonly payloadBytesMax: number;
  private readonly payloads: PayloadBuffer = new PayloadBuffer();

  /** `config` is an av1C's content; throws `media.bad-av1-obus` when its OBUs cannot be read. */
  constructor(config: Uint8Array, payloadBytesMax: number) {
    this.sequence = av1SequenceObu(config.subarray(AV1C_HEADER_BYTES));
    this.payloadBytesMax = payloadBytesMax;
  }

  packetize(frame: RtpFrame): RtpPayloads {
    const obus = this.obusToSend(frame);
    const elements = obus.map(elementOf);
    const startsSequence = frame.isKeyframe && obus[0]?.type === Av1ObuType.sequenceHeader;
    this.payloads.reset();
    const spaceBytes = this.contentBytes(elements);
    for (let first = 0, from = 0; first < elements.length; ) {
      const plan = planPayload(elements, first, from, spaceBytes);
      this.addPayload(elements, plan, startsSequence && this.payloads.count === 0);
      const isWhole = plan.to === elements[plan.last]?.size;
      first = isWhole ? plan.last + 1 : plan.last;
      from = isWhole ? 0 : plan.to;
    }
    return this.payloads;
  }

  private obusToSend(frame: RtpFrame): readonly Av1Obu[] {
    const obus = splitAv1Obus(frame.payload).filter((obu) => !isAv1Dropped(obu.type));
    const lacksSequence = frame.isKeyframe && !obus.some((obu) => obu.type === Av1ObuType.sequenceHeader);
    return lacksSequence && this.sequence !== undefined ? [this.sequence, ...obus] : obus;
  }

  /** How much goes into each payload behind the aggregation header, so that all are as equal as can be. */
  private contentBytes(elements: readonly Element[]): number {
    const lastLengthBytes = isCounted(elements) ? 0 : leb128Size(this.payloadBytesMax);
    let total = 0;
    elements.forEach((element, index) => {
      total += element.size + (index < elements.length - 1 ? leb128Size(element.size) : 0);
    });
    return equalPieceSize(total, this.payloadBytesMax - AGGREGATION_HEADER_BYTES - lastLengthBytes) + lastLengthBytes;
  }

  private addPayload(elements: readonly Element[], plan: Plan, startsSequence: boolean): void {
    const hasLastLength = !isCounted(elements);
    let size = AGGREGATION_HEADER_BYTES;
    for (let index = plan.first; index <= plan.last; index += 1) {
      const length = partEnd(elements, plan, index) - partStart(plan, index);
      size += length + (index < plan.last || hasLastLength ? leb128Size(length) : 0);
    }
    let at = this.payloads.add(size);
    const { bytes } = this.payloads;
    const endsInFragment = plan.to < (elements[plan.last]?.size ?? 0);
    bytes[at] =
      (plan.from > 0 ? Av1Bit.continuesFragment : 0) |
      (endsInFragment ? Av1Bit.endsInFragment : 0) |
      (hasLastLength ? 0 : (plan.last - plan.first + 1) << 4) |
      (startsSequence ? Av1Bit.startsSequence : 0);
    at += AGGREGATION_HEADER_BYTES;
    for (let index = plan.first; index <= plan.last; index += 1) {
      const start = partStart(plan, index);
      const end = partEnd(elements, plan, index);
      if (index < plan.last || hasLastLength) at = writeLeb128(bytes, at, end - start);
      writePart(bytes, at, elements[index], start, end);
      at += end - start;
    }
  }
}

const isCounted = (elements: readonly Element[]): boolean => elements.length <= COUNTED_ELEMENTS_MAX;
const partStart = (plan: Plan, index: number): number => (index === plan.first ? plan.from : 0);
const partEnd = (elements: readonly Element[], plan: Plan, index: number): number =>
  index === plan.last ? plan.to : (elements[index]?.size ?? 0);

function elementOf(obu: Av1Obu): Element {
  const first = obu.bytes[0] ?? 0;
  const headerBytes = (first & OBU_HAS_EXTENSION) !== 0 ? 2 : 1;
  const header = obu.bytes.slice(0, headerBytes);
  header[0] = first & ~OBU_HAS_SIZE;
  return { header, content: obu.content, size: headerBytes + obu.content.length };
}

function planPayload(elements: readonly Element[], first: number, from: number, spaceBytes: number): Plan {
  let space = spaceBytes;
  let start = from;
  let last = first;
  for (; last < elements.length - 1; last += 1) {
    const left = (elements[last]?.size ?? 0) - start;
    const needed = left + leb128Size(left);
    if (needed + ROOM_FOR_NEXT_MIN > space) break;
    space -= needed;
    start = 0;
  }
  const left = (elements[last]?.size ?? 0) - start;
  const room = isCounted(elements) ? space : space - leb128Size(space);
  const isLastElement = last === elements.length - 1;
  // A byte of an element that is not the frame's last goes on to the next payload.
  const length = isLastElement || left === 1 ? Math.min(left, room) : Math.min(left - 1, room);
  return { first, from, last, to: start + length };
}

/** Copies bytes `start` to `end` of an element, of which the first are its header. */
function writePart(bytes: Uint8Array, at: number, element: Element | undefined, start: number, end: number): void {
  if (element === undefined) return;
  const headerBytes = element.header.length;
  for (let index = start; index < Math.min(headerBytes, end); index += 1) bytes[at + index - start] = element.header[index] ?? 0;
  const contentStart = Math.max(start, headerBytes);
  if (end > contentStart) bytes.set(element.content.subarray(contentStart - headerBytes, end - headerBytes), at + contentStart - start);
}
