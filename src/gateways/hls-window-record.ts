import { ProtocolError, utf8Decode, utf8Encode } from '../core/mod.ts';
import { HlsSegment, type SegmentRecord } from './hls-segment.ts';

/** Grows when the record says something that readers of before have to know. */
const VERSION = 1;
/** Twice the longest playlist that can be configured, and what is between. */
const SEGMENTS_MAX = 2_048;
const PARTS_MAX = 1_024;
const PART_BYTES_MAX = 2 ** 30;
const DURATION_S_MAX = 3_600;
/** As far as dates go. */
const START_MS_MAX = 8.64e15;
const MAP_NAME = /^init-\d{1,16}-[0-9a-f]{16}\.mp4$/;

/**
 * What a node tells another one of its window: the complete segments without their bytes, as JSON. `readableFrom` is the oldest version whose readers
 * understand it; what they do not know they skip.
 */
export function writeWindowRecord(segments: readonly HlsSegment[]): Uint8Array {
  return utf8Encode(JSON.stringify({ version: VERSION, readableFrom: 1, segments: segments.map(({ record }) => record) }));
}

/** The segments of another node's window, oldest first; throws `ProtocolError` `hls.bad-window`. */
export function readWindowRecord(bytes: Uint8Array): readonly HlsSegment[] {
  const { readableFrom, segments } = object(parse(bytes));
  if (whole(readableFrom, VERSION + 1) > VERSION) throw bad(`is of version ${String(readableFrom)}: this build reads ${VERSION}`);
  let last = -1;
  return list(segments, SEGMENTS_MAX).map((value) => {
    const record = readSegment(object(value));
    if (record.sequence <= last) throw bad(`has segment ${record.sequence} behind ${last}`);
    last = record.sequence;
    return HlsSegment.recalled(record);
  });
}

function readSegment(from: Readonly<Record<string, unknown>>): SegmentRecord {
  const { mapUri } = from;
  if (typeof mapUri !== 'string' || !MAP_NAME.test(mapUri)) throw bad('names an init segment as no node does');
  return {
    sequence: whole(from['sequence'], Number.MAX_SAFE_INTEGER),
    discontinuity: whole(from['discontinuity'], Number.MAX_SAFE_INTEGER),
    startMs: number(from['startMs'], START_MS_MAX),
    mapUri,
    durationS: number(from['durationS'], DURATION_S_MAX),
    leadFrames: whole(from['leadFrames'], Number.MAX_SAFE_INTEGER),
    isGap: from['isGap'] === true,
    parts: list(from['parts'], PARTS_MAX).map((value) => {
      const part = object(value);
      return {
        durationS: number(part['durationS'], DURATION_S_MAX),
        sizeBytes: whole(part['sizeBytes'], PART_BYTES_MAX),
        isIndependent: part['isIndependent'] === true,
        isGap: part['isGap'] === true,
      };
    }),
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (cause) {
    throw new ProtocolError('hls.bad-window', 'the window of another node is no JSON', { cause });
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw bad('has a value where an object belongs');
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, countMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > countMax) throw bad(`has no list of at most ${countMax} where one belongs`);
  return value;
}

function number(value: unknown, max: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= max)) throw bad(`has ${shown(value)} where a number from 0 to ${max} belongs`);
  return value;
}

function whole(value: unknown, max: number): number {
  if (!Number.isSafeInteger(value)) throw bad(`has ${shown(value)} where a whole number belongs`);
  return number(value, max);
}

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 40);
const bad = (what: string): ProtocolError => new ProtocolError('hls.bad-window', `the window of another node ${what}`);
