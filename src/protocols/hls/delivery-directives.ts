import { ProtocolError } from '../../core/mod.ts';

/** The delivery directives of one playlist request (draft-pantos-hls-rfc8216bis, 6.2.5). */
export interface DeliveryDirectives {
  /** `_HLS_msn`: wait until this Media Sequence Number is in the playlist. */
  readonly msn?: number;
  /** `_HLS_part`: wait for this part of it. Only with `msn`. */
  readonly part?: number;
  /** `_HLS_skip=YES` or `v2`: a delta update is wanted. */
  readonly skip: boolean;
}

/** How far the playlist has come. */
export interface PlaylistEdge {
  /** The Media Sequence Number of the segment that is growing, or the next one to come; all before it are complete. */
  readonly openSequence: number;
  /** Complete parts of that segment. */
  readonly openParts: number;
  /** Parts of the segment before it. */
  readonly lastParts: number;
}

/** More query than any player sends, its data by CMCD with it. */
const QUERY_LENGTH_MAX = 2048;
/** Media Sequence Numbers begin at the Unix time: this many digits last until the year 33658 and stay exact. */
const DIGITS_MAX = 12;
/** How many segments past the last one a client may ask for (6.2.5.2). */
const ADVANCE_SEGMENTS_MAX = 2;
const NONE: DeliveryDirectives = { skip: false };

/**
 * Reads the directives in a URL's query (without `?`). Other parameters are left alone, `_HLS_skip` with an unknown value too.
 * Throws `ProtocolError`: `hls.bad-directive` for a number that is none, `hls.part-without-msn`.
 */
export function parseDeliveryDirectives(query: string): DeliveryDirectives {
  if (query.length === 0) return NONE;
  if (query.length > QUERY_LENGTH_MAX) {
    throw new ProtocolError('hls.query-too-long', `query has ${query.length} characters, the limit is ${QUERY_LENGTH_MAX}`);
  }
  let msn: number | undefined;
  let part: number | undefined;
  let skip = false;
  for (const pair of query.split('&')) {
    if (pair.startsWith('_HLS_msn=')) msn = decimalInteger('_HLS_msn', pair.slice(9));
    else if (pair.startsWith('_HLS_part=')) part = decimalInteger('_HLS_part', pair.slice(10));
    else if (pair === '_HLS_skip=YES' || pair === '_HLS_skip=v2') skip = true;
  }
  if (msn === undefined) {
    // 6.2.5.2: "_HLS_part" without "_HLS_msn" is a bad request.
    if (part !== undefined) throw new ProtocolError('hls.part-without-msn', `_HLS_part=${part} needs _HLS_msn beside it`);
    return skip ? { skip } : NONE;
  }
  return part === undefined ? { msn, skip } : { msn, part, skip };
}

function decimalInteger(name: string, text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) value = Number.NaN;
    else value = value * 10 + digit;
  }
  if (text.length === 0 || text.length > DIGITS_MAX || Number.isNaN(value)) {
    const shown = JSON.stringify(text.slice(0, 32));
    throw new ProtocolError('hls.bad-directive', `${name}=${shown} is not a decimal integer of 1 to ${DIGITS_MAX} digits`);
  }
  return value;
}

/** Whether the playlist holds what `msn` and `part` ask for (6.2.5.2). */
export function isReached(edge: PlaylistEdge, msn: number, part: number | undefined): boolean {
  if (msn < edge.openSequence) {
    // A part index past the segment's last one means part 0 of the next segment (6.2.5.2).
    const isPastTheEnd = part !== undefined && msn === edge.openSequence - 1 && part >= edge.lastParts;
    return !isPastTheEnd || edge.openParts > 0;
  }
  return part !== undefined && msn === edge.openSequence && part < edge.openParts;
}

/** Whether `msn` and `part` are further ahead than a player would ask, and get a Bad Request (6.2.5.2). */
export function isTooFarAhead(edge: PlaylistEdge, msn: number, part: number | undefined, partTargetMs: number): boolean {
  const lastSequence = edge.openSequence - 1;
  if (msn > lastSequence + ADVANCE_SEGMENTS_MAX) return true;
  if (part === undefined || msn <= lastSequence) return false;
  const lastPart = msn === edge.openSequence ? edge.openParts - 1 : -1;
  return part > lastPart + advancePartLimit(partTargetMs);
}

/** The Advance Part Limit (6.2.5.2): three seconds' worth of parts, or three parts if they are longer than a second. */
const advancePartLimit = (partTargetMs: number): number => (partTargetMs < 1000 ? Math.ceil(3000 / partTargetMs) : 3);
