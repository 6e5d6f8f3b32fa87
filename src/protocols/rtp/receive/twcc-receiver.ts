import { assert, type DurationMs, durationMs, type MonotonicMs, monotonicMs } from '../../../core/mod.ts';
import type { RtcpWriter } from '../rtcp/writer.ts';

/** Packets whose arrival is kept; a power of two. Those further behind the newest one are told nothing about. */
const PACKETS_MAX = 4_096;
/** Packets one feedback tells about at most. */
const BATCH_MAX = 1_024;
/** A packet that comes later than this many behind what was told is left out: to tell about it costs as much as to tell about all behind it. */
const LATE_MAX = 256;

/** Takes RTCP that is to be sent. */
export interface RtcpSink {
  /** A compound, plain; borrowed until the call returns. */
  rtcp(compound: Uint8Array): void;
}

/** How often feedback is written. */
export interface TwccReceiverOptions {
  /** Our SSRC. */
  readonly localSsrc: number;
  /** From the first packet not yet told about to the feedback; default 80 ms. */
  readonly intervalMs?: DurationMs;
  /** Feedback goes out at once when it would tell about so many packets; default 100. */
  readonly packetsMax?: number;
  /** Writes what stands before feedback: nothing by default, which is reduced-size (RFC 5506). */
  readonly begin?: () => void;
}

/**
 * Transport-wide congestion control, the receiver's side (draft-holmer-rmcat-transport-wide-cc-extensions-01): keeps when the packets of a
 * session, all its streams together, arrived, and tells the sender.
 */
export class TwccReceiver {
  private readonly out: RtcpSink;
  private readonly writer: RtcpWriter;
  private readonly localSsrc: number;
  private readonly begin: () => void;
  private readonly intervalMs: number;
  private readonly packetsMax: number;
  /** By extended transport sequence number; NaN: not received. */
  private readonly arrivals = new Float64Array(PACKETS_MAX).fill(Number.NaN);
  private readonly batch = new Float64Array(BATCH_MAX);
  private mediaSsrc = 0;
  /** The first packet to be told about, and the newest one. */
  private base = 0;
  private highest = -1;
  private feedbackCount = 0;
  private due: number = Number.POSITIVE_INFINITY;

  /** The writer may be shared with everybody who finishes what he begins. */
  constructor(out: RtcpSink, writer: RtcpWriter, options: TwccReceiverOptions) {
    this.out = out;
    this.writer = writer;
    this.localSsrc = options.localSsrc;
    this.begin = options.begin ?? (() => undefined);
    this.intervalMs = options.intervalMs ?? durationMs(80);
    this.packetsMax = options.packetsMax ?? 100;
    assert(this.packetsMax < PACKETS_MAX, `feedback each ${this.packetsMax} packets, but only ${PACKETS_MAX} are kept`);
  }

  /** When `tick` has feedback to send; infinite while no packet came since the last one. */
  get wakeAt(): MonotonicMs {
    return monotonicMs(this.due);
  }

  /** A packet with this transport-wide sequence number (16 bits) arrived at `arrivalUs`; `mediaSsrc` is the stream it belongs to. */
  received(sequenceNumber: number, mediaSsrc: number, arrivalUs: number, now: MonotonicMs): void {
    this.mediaSsrc = mediaSsrc;
    const sequence = this.extend(sequenceNumber);
    if (sequence < this.base - LATE_MAX || sequence <= this.highest - PACKETS_MAX) return;
    this.makeRoom(sequence);
    const slot = sequence & (PACKETS_MAX - 1);
    // Of duplicates the first one counts.
    if (!Number.isNaN(this.arrivals[slot] ?? Number.NaN)) return;
    this.arrivals[slot] = arrivalUs;
    // A late one begins the next feedback, which then repeats what the one before said of the packets behind it.
    this.base = Math.min(this.base, sequence);
    this.due = Math.min(this.due, now + this.intervalMs);
    if (this.highest - this.base + 1 >= this.packetsMax && sequence === this.highest) this.flush();
  }

  tick(now: MonotonicMs): void {
    if (now >= this.due) this.flush();
  }

  private extend(sequenceNumber: number): number {
    if (this.highest < 0) {
      // A cycle ahead, so that packets from before the first one have positive numbers too.
      this.base = 0x1_0000 + sequenceNumber;
      this.highest = this.base - 1;
    }
    return this.highest + (((sequenceNumber - this.highest) << 16) >> 16);
  }

  /** Moves the window up to a new highest packet. */
  private makeRoom(sequence: number): void {
    if (sequence <= this.highest) return;
    if (sequence - this.highest >= PACKETS_MAX) this.arrivals.fill(Number.NaN);
    else for (let next = this.highest + 1; next <= sequence; next++) this.arrivals[next & (PACKETS_MAX - 1)] = Number.NaN;
    this.highest = sequence;
    this.base = Math.max(this.base, sequence - PACKETS_MAX + 1);
  }

  /** Tells about everything from `base` on, in as many feedback packets as it takes. */
  private flush(): void {
    this.due = Number.POSITIVE_INFINITY;
    while (this.base <= this.highest) {
      const count = Math.min(this.batch.length, this.highest - this.base + 1);
      for (let index = 0; index < count; index++) this.batch[index] = this.arrivals[(this.base + index) & (PACKETS_MAX - 1)] ?? Number.NaN;
      this.begin();
      const told = this.writer.transportFeedback(this.localSsrc, this.mediaSsrc, this.feedbackCount, this.base, this.batch, count);
      // A long hole goes unsaid: the sender sees it by the next feedback's first number.
      this.base += told === 0 ? count : told;
      const feedback = this.writer.finish();
      if (told === 0) continue;
      this.feedbackCount = (this.feedbackCount + 1) & 0xff;
      this.out.rtcp(feedback);
    }
  }
}
