import { type Av1Obu, buildAv1Config, isKeyframe } from '../../../media/mod.ts';
import { Av1Bit, Av1ObuType, isAv1Dropped, OBU_HAS_EXTENSION, OBU_HAS_SIZE } from './av1-packetizer.ts';
import { concatenate } from './concatenate.ts';
import { leb128Size, readLeb128, writeLeb128 } from './leb128.ts';
import { badPayload, reading } from './malformed.ts';
import type { AssembledFrame } from './payload-format.ts';

/** The most OBUs in one temporal unit: as many as the media room reads. */
const OBUS_MAX = 4_096;
const FORBIDDEN_BIT = 0x80;

/** The AV1 RTP payload format: OBU elements put together and given size fields, without temporal delimiters and padding. */
export function depacketizeAv1(payloads: readonly Uint8Array[]): AssembledFrame {
  const obus = collectElements(payloads)
    .map(toSizedObu)
    .filter((obu) => !isAv1Dropped(obu.type));
  const payload = concatenate(obus.map((obu) => obu.bytes));
  const frame = { payload, isKeyframe: isKeyframe('av1', payload) };
  const sequence = obus.find((obu) => obu.type === Av1ObuType.sequenceHeader);
  if (sequence === undefined) return frame;
  return { ...frame, config: reading('av1', 'in-band sequence header', () => buildAv1Config(sequence)) };
}

/** Whole OBUs as they were sent. */
function collectElements(payloads: readonly Uint8Array[]): readonly Uint8Array[] {
  const whole: Uint8Array[] = [];
  let fragments: Uint8Array[] = [];
  for (const payload of payloads) {
    const flags = payload[0] ?? 0;
    if (((flags & Av1Bit.continuesFragment) !== 0) !== fragments.length > 0) {
      throw badPayload('av1', fragments.length > 0 ? 'a fragmented OBU lacks its end' : 'a fragmented OBU lacks its start');
    }
    const elements = splitElements(payload);
    elements.forEach((element, index) => {
      fragments.push(element);
      if (index === elements.length - 1 && (flags & Av1Bit.endsInFragment) !== 0) return;
      whole.push(concatenate(fragments));
      fragments = [];
    });
    if (whole.length > OBUS_MAX) throw badPayload('av1', `more than ${OBUS_MAX} OBUs in one temporal unit`);
  }
  if (fragments.length > 0) throw badPayload('av1', 'the last fragmented OBU lacks its end');
  if (whole.length === 0) throw badPayload('av1', 'no OBU in the payloads of a frame');
  return whole;
}

/** The OBU elements of a payload (4.3, 4.4): each behind its length, save the last when W counts them. */
function splitElements(payload: Uint8Array): readonly Uint8Array[] {
  const counted = ((payload[0] ?? 0) >> 4) & 3;
  const elements: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    const isRest = counted > 0 && elements.length === counted - 1;
    const length = isRest ? { value: payload.length - at, end: at } : readLeb128(payload, at);
    if (length === undefined || length.value === 0 || length.end + length.value > payload.length) {
      throw badPayload('av1', `OBU element ${elements.length} at byte ${at} of ${payload.length} is empty or runs past the end`);
    }
    elements.push(payload.subarray(length.end, length.end + length.value));
    at = length.end + length.value;
  }
  if (elements.length === 0 || (counted > 0 && elements.length !== counted)) {
    throw badPayload('av1', `${elements.length} OBU elements where W announces ${counted === 0 ? 'at least 1' : counted}`);
  }
  return elements;
}

/** The OBU with a size field; senders should leave it out, but need not (section 5). */
function toSizedObu(obu: Uint8Array): Av1Obu {
  const first = obu[0] ?? 0;
  if ((first & FORBIDDEN_BIT) !== 0) throw badPayload('av1', 'obu_forbidden_bit is set; it must be 0');
  const headerBytes = (first & OBU_HAS_EXTENSION) !== 0 ? 2 : 1;
  const content = (first & OBU_HAS_SIZE) !== 0 ? sizedContent(obu, headerBytes) : obu.subarray(headerBytes);
  const bytes = new Uint8Array(headerBytes + leb128Size(content.length) + content.length);
  bytes.set(obu.subarray(0, headerBytes));
  bytes[0] = first | OBU_HAS_SIZE;
  bytes.set(content, writeLeb128(bytes, headerBytes, content.length));
  return { type: (first >> 3) & 15, bytes, content };
}

function sizedContent(obu: Uint8Array, headerBytes: number): Uint8Array {
  const size = readLeb128(obu, headerBytes);
  if (size === undefined || size.end + size.value > obu.length) throw badPayload('av1', 'obu_size runs past the end of its OBU element');
  return obu.subarray(size.end, size.end + size.value);
}

/** The first OBU's header and extension byte in a payload that starts with a whole OBU or the start of one; `undefined` otherwise. */
function firstObu(payload: Uint8Array): { readonly type: number; readonly spatialId: number } | undefined {
  const flags = payload[0] ?? 0;
  if ((flags & Av1Bit.continuesFragment) !== 0) return undefined;
  const at = ((flags >> 4) & 3) === 1 ? 1 : readLeb128(payload, 1)?.end;
  const header = at === undefined ? undefined : payload[at];
  if (at === undefined || header === undefined) return undefined;
  const extension = (header & OBU_HAS_EXTENSION) !== 0 ? (payload[at + 1] ?? 0) : 0;
  return { type: (header >> 3) & 15, spatialId: (extension >> 3) & 3 };
}

/**
 * Whether a temporal unit begins here, as far as its first OBU tells: not with tiles, and with the lowest spatial layer. A
 * temporal unit of several frames in one layer looks like several.
 */
export function av1StartsFrame(payload: Uint8Array): boolean {
  const first = firstObu(payload);
  if (first === undefined || first.spatialId > 0) return false;
  return first.type !== Av1ObuType.tileGroup && first.type !== Av1ObuType.redundantFrameHeader;
}

/** Whether a coded video sequence begins here: the N bit, or a sequence header first. */
export function av1StartsKeyframe(payload: Uint8Array): boolean {
  const startsSequence = ((payload[0] ?? 0) & Av1Bit.startsSequence) !== 0;
  return av1StartsFrame(payload) && (startsSequence || firstObu(payload)?.type === Av1ObuType.sequenceHeader);
}
