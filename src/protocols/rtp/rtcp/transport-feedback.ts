import { ProtocolError } from '../../../core/mod.ts';

/** Bytes of the feedback control information before the chunks: base, count, reference time, feedback count. */
export const TRANSPORT_FEEDBACK_HEADER_BYTES = 8;
/** A feedback about more packets than this is refused: nobody keeps that many, and a run-length chunk of 2 bytes can name 8,191. */
export const transportFeedbackStatusesMax = 8_192;

const REFERENCE_UNIT_US = 64_000;
const DELTA_UNIT_US = 250;
const REFERENCE_MODULUS = 2 ** 24;
const RUN_LENGTH_MAX = 0x1fff;
const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;
const ONE_BIT_SYMBOLS = 14;
const TWO_BIT_SYMBOLS = 7;

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const bad = (message: string): ProtocolError => new ProtocolError('rtcp.bad-packet', `transport feedback ${message}`);

/** Reads the arrivals of a transport feedback's control information (3.1), which is all of `fci`; see `TransportFeedback.arrivalsUs`. */
export function readArrivals(fci: Uint8Array): Float64Array {
  if (fci.length < TRANSPORT_FEEDBACK_HEADER_BYTES) throw bad(`of ${fci.length} bytes ends within its header`);
  const count = u16(fci, 2);
  if (count > transportFeedbackStatusesMax) throw bad(`about ${count} packets; at most ${transportFeedbackStatusesMax} are taken`);
  const referenceUs = (u16(fci, 4) * 256 + (fci[6] ?? 0)) * REFERENCE_UNIT_US;
  // First each packet's symbol, then in its place the arrival time.
  const arrivals = new Float64Array(count);
  const deltasAt = readChunks(fci, arrivals);
  readDeltas(fci, deltasAt, referenceUs, arrivals);
  return arrivals;
}

/** Fills in the status symbols (3.1.2 to 3.1.4); returns where the deltas begin. */
function readChunks(fci: Uint8Array, symbols: Float64Array): number {
  let at = TRANSPORT_FEEDBACK_HEADER_BYTES;
  let filled = 0;
  while (filled < symbols.length) {
    if (at + 2 > fci.length) throw bad(`ends after ${filled} of ${symbols.length} packet statuses`);
    const chunk = u16(fci, at);
    at += 2;
    filled += chunk < 0x8000 ? readRun(chunk, symbols, filled) : readVector(chunk, symbols, filled);
  }
  return at;
}

function readRun(chunk: number, symbols: Float64Array, from: number): number {
  const length = chunk & RUN_LENGTH_MAX;
  if (length === 0) throw bad('has a run of no packets');
  symbols.fill(chunk >> 13, from, from + length);
  return length;
}

function readVector(chunk: number, symbols: Float64Array, from: number): number {
  const isTwoBit = (chunk & 0x4000) !== 0;
  const length = isTwoBit ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS;
  for (let index = 0; index < length && from + index < symbols.length; index++) {
    symbols[from + index] = isTwoBit ? (chunk >> (12 - 2 * index)) & 3 : (chunk >> (13 - index)) & 1;
  }
  return length;
}

/** Turns symbols into arrival times by the deltas (3.1.5). */
function readDeltas(fci: Uint8Array, start: number, referenceUs: number, symbols: Float64Array): void {
  let at = start;
  let timeUs = referenceUs;
  for (let index = 0; index < symbols.length; index++) {
    const symbol = symbols[index];
    if (symbol === NOT_RECEIVED) {
      symbols[index] = Number.NaN;
      continue;
    }
    if (symbol !== SMALL_DELTA && symbol !== LARGE_DELTA) throw bad(`has the reserved packet status ${symbol}`);
    if (at + symbol > fci.length) throw bad(`ends before the receive delta of packet ${index}`);
    const delta = symbol === SMALL_DELTA ? (fci[at] ?? 0) : (u16(fci, at) << 16) >> 16;
    at += symbol;
    timeUs += delta * DELTA_UNIT_US;
    symbols[index] = timeUs;
  }
}

/** Where {@link TransportFeedbackEncoder} puts bytes. */
export interface ByteSink {
  u8(value: number): unknown;
  u16(value: number): unknown;
}

/** Encodes arrivals into the feedback control information; its buffers are reused. */
export class TransportFeedbackEncoder {
  private readonly symbols = new Uint8Array(transportFeedbackStatusesMax);
  private readonly deltas = new Int16Array(transportFeedbackStatusesMax);

  /**
   * Writes as many of `arrivalsUs[0..count)` (NaN: not received) as fit into `bytesMax` and into what deltas can say; returns how many,
   * 0 when none was received. Leaves alignment to the caller.
   */
  write(
    out: ByteSink,
    baseSequenceNumber: number,
    feedbackCount: number,
    arrivalsUs: Float64Array,
    count: number,
    bytesMax: number,
  ): number {
    const first = firstReceived(arrivalsUs, count);
    if (first < 0) return 0;
    const reference = Math.floor((arrivalsUs[first] ?? 0) / REFERENCE_UNIT_US);
    const written = this.measure(arrivalsUs, count, reference, bytesMax);
    out.u16(baseSequenceNumber & 0xffff);
    out.u16(written);
    const wrapped = ((reference % REFERENCE_MODULUS) + REFERENCE_MODULUS) % REFERENCE_MODULUS;
    out.u16(wrapped >> 8);
    out.u8(wrapped & 0xff);
    out.u8(feedbackCount & 0xff);
    for (let at = 0; at < written; ) at += this.writeChunk(out, at, written);
    for (let index = 0; index < written; index++) {
      if (this.symbols[index] === SMALL_DELTA) out.u8(this.deltas[index] ?? 0);
      else if (this.symbols[index] === LARGE_DELTA) out.u16((this.deltas[index] ?? 0) & 0xffff);
    }
    return written;
  }

  /** Works out symbols and deltas; returns for how many packets there is room. */
  private measure(arrivalsUs: Float64Array, count: number, reference: number, bytesMax: number): number {
    const end = Math.min(count, this.symbols.length);
    let ticks = (reference * REFERENCE_UNIT_US) / DELTA_UNIT_US;
    let bytes = TRANSPORT_FEEDBACK_HEADER_BYTES + 2;
    for (let index = 0; index < end; index++) {
      const arrivalUs = arrivalsUs[index] ?? Number.NaN;
      let symbol: number = NOT_RECEIVED;
      if (!Number.isNaN(arrivalUs)) {
        // Against the last time as written, so that rounding does not add up.
        const delta = Math.round(arrivalUs / DELTA_UNIT_US) - ticks;
        if (delta < -0x8000 || delta > 0x7fff) return index;
        symbol = delta >= 0 && delta <= 0xff ? SMALL_DELTA : LARGE_DELTA;
        this.deltas[index] = delta;
        ticks += delta;
      }
      bytes += symbol + 2 / TWO_BIT_SYMBOLS;
      if (bytes > bytesMax) return index;
      this.symbols[index] = symbol;
    }
    return end;
  }

  /** Writes the chunk that says most from `from` on; returns how many statuses it holds. */
  private writeChunk(out: ByteSink, from: number, end: number): number {
    const symbol = this.symbols[from] ?? 0;
    let run = 1;
    while (run < RUN_LENGTH_MAX && from + run < end && this.symbols[from + run] === symbol) run++;
    if (run >= ONE_BIT_SYMBOLS || from + run === end || (symbol === LARGE_DELTA && run >= TWO_BIT_SYMBOLS)) {
      out.u16((symbol << 13) | run);
      return run;
    }
    const isOneBit = this.isOneBit(from, Math.min(end, from + ONE_BIT_SYMBOLS));
    const length = Math.min(isOneBit ? ONE_BIT_SYMBOLS : TWO_BIT_SYMBOLS, end - from);
    let chunk = isOneBit ? 0x8000 : 0xc000;
    for (let index = 0; index < length; index++) {
      chunk |= (this.symbols[from + index] ?? 0) << (isOneBit ? 13 - index : 12 - 2 * index);
    }
    out.u16(chunk);
    return length;
  }

  private isOneBit(from: number, end: number): boolean {
    for (let index = from; index < end; index++) if (this.symbols[index] === LARGE_DELTA) return false;
    return true;
  }
}

function firstReceived(arrivalsUs: Float64Array, count: number): number {
  for (let index = 0; index < count; index++) if (!Number.isNaN(arrivalsUs[index] ?? Number.NaN)) return index;
  return -1;
}
