import { type MonotonicMs, monotonicMs, type SizeBytes } from '../../../core/mod.ts';
import type { RtpPacket } from '../packet.ts';
import { startsKeyframe } from '../payload/depacketizer.ts';
import type { RtpCodec } from '../payload/payload-format.ts';

/** Packets before the first one that may have been overtaken by it. */
const START_REORDER_MAX = 64;
/** So long they are waited for where the first one is not itself the beginning of a keyframe. */
const START_WAIT_MS = 20;

/** The packets of one frame, complete. */
export interface BufferedFrame {
  /** In order, without empty ones; given. */
  readonly payloads: readonly Uint8Array[];
  /** 32 bits. */
  readonly timestamp: number;
  /** When the first and the last of its packets came. */
  readonly firstPacketAt: MonotonicMs;
  readonly lastPacketAt: MonotonicMs;
  readonly isKeyframe: boolean;
  /** Unix ms of the capture if one of its packets says so; else NaN. */
  readonly captureMs: number;
}

/** Takes what {@link JitterBuffer} makes. */
export interface JitterBufferOutput {
  /** Frames in decode order. */
  frame(frame: BufferedFrame): void;
  /** So many packets were waited for in vain. */
  lost(packets: number): void;
  /** Packets are dropped since nothing can be decoded until a keyframe comes; said for each of them. */
  keyframeNeeded(): void;
  /** The beginning of the keyframe is there. */
  keyframeBegun(): void;
}

/** Settings of a {@link JitterBuffer}. */
export interface JitterBufferOptions {
  readonly codec: RtpCodec;
  /** A power of two: so far the newest packet may be ahead of the oldest one waited for. */
  readonly packetsMax: number;
  /** Payload bytes held. At either limit everything held is dropped, and video goes on with the next keyframe. */
  readonly bytesMax: SizeBytes;
}

interface HeldPacket {
  readonly payload: Uint8Array;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly arrivedAt: MonotonicMs;
  readonly captureMs: number;
}

/**
 * Puts packets (by extended sequence number) in order and gathers them to frames, which leave at once when they are complete: a frame ends
 * with the marker, or where the next timestamp begins; of audio each packet is a frame. A missing packet holds up what follows for
 * `lossWaitMs`; then audio goes on behind it, and video with the next keyframe.
 */
export class JitterBuffer {
  /** How long a missing packet is waited for. May be changed at any time. */
  lossWaitMs: number;
  private readonly out: JitterBufferOutput;
  private readonly options: JitterBufferOptions;
  private readonly isAudio: boolean;
  private readonly mask: number;
  private readonly packets: (HeldPacket | undefined)[];
  /** When each missing packet was noticed, by the coming of a later one. */
  private readonly noticedAt: Float64Array;
  /** Packets before it are not taken any more. */
  private floor = 0;
  /** The first packet of the frame that is gathered; what is between it and `scan` is held. */
  private next = -1;
  private scan = -1;
  private highest = -1;
  private bytes = 0;
  /** The first packet after a reset; missing ones before it are not lost, as far as anybody knows. */
  private startedAt = 0;
  private isSynced: boolean;
  private overflowCount = 0;

  constructor(out: JitterBufferOutput, options: JitterBufferOptions, lossWaitMs: number) {
    this.out = out;
    this.options = options;
    this.lossWaitMs = lossWaitMs;
    this.isAudio = options.codec === 'opus';
    this.isSynced = this.isAudio;
    this.mask = options.packetsMax - 1;
    this.packets = Array.from({ length: options.packetsMax }, () => undefined);
    this.noticedAt = new Float64Array(options.packetsMax);
  }

  /** Payload bytes held. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** How often a limit was hit. */
  get overflows(): number {
    return this.overflowCount;
  }

  /** Whether a keyframe is waited for. */
  get isAwaitingKeyframe(): boolean {
    return !this.isSynced;
  }

  /** Retransmissions of packets before this one are of no use. */
  get neededFrom(): number {
    return this.next;
  }

  /** When a missing packet is given up; infinite while none holds anything up. */
  get wakeAt(): MonotonicMs {
    if (this.scan > this.highest || this.highest < 0) return monotonicMs(Number.POSITIVE_INFINITY);
    return monotonicMs((this.noticedAt[this.scan & this.mask] ?? 0) + this.lossWaitMs);
  }

  /** Forgets everything; goes on with whatever comes next. */
  reset(): void {
    this.packets.fill(undefined);
    this.bytes = 0;
    this.next = -1;
    this.scan = -1;
    this.highest = -1;
    this.isSynced = this.isAudio;
  }

  /** Takes a packet; its payload is borrowed and copied. False for duplicates and packets that come too late. */
  insert(sequence: number, packet: RtpPacket, captureMs: number, now: MonotonicMs): boolean {
    if (sequence < this.floor) return false;
    if (this.highest < 0) this.begin(sequence, packet, now);
    if (sequence < this.next) {
      if (!this.canBeginWith(packet)) return false;
      this.noticedAt.fill(now);
      this.next = sequence;
      this.scan = sequence;
    } else if (sequence - this.next >= this.packets.length || this.bytes + packet.payload.length > this.options.bytesMax) {
      this.overflow(sequence);
    }
    if (this.packets[sequence & this.mask] !== undefined) return false;
    for (let missing = this.highest + 1; missing < sequence; missing++) this.noticedAt[missing & this.mask] = now;
    this.highest = Math.max(this.highest, sequence);
    const { timestamp, marker } = packet;
    this.packets[sequence & this.mask] = { payload: packet.payload.slice(), timestamp, marker, arrivedAt: now, captureMs };
    this.bytes += packet.payload.length;
    if (!this.isSynced && sequence > this.scan) this.skipToKeyframe(sequence, packet);
    this.drain();
    return true;
  }

  /** Gives up packets that were waited for long enough. */
  tick(now: MonotonicMs): void {
    while (now >= this.wakeAt) this.giveUp();
  }

  private begin(sequence: number, packet: RtpPacket, now: MonotonicMs): void {
    this.start(sequence);
    this.floor = Math.max(this.floor, sequence - START_REORDER_MAX);
    if (this.isSynced || startsKeyframe(this.options.codec, packet.payload)) return;
    this.next = this.floor;
    this.scan = this.floor;
    this.noticedAt.fill(now + START_WAIT_MS - this.lossWaitMs);
  }

  private start(sequence: number): void {
    this.next = sequence;
    this.scan = sequence;
    this.highest = sequence - 1;
    this.startedAt = sequence;
  }

  /** Before the first frame is out, packets of its beginning that were overtaken are taken too: they may hold its parameter sets. */
  private canBeginWith(packet: RtpPacket): boolean {
    const first = this.packets[this.next & this.mask];
    return this.isSynced && first?.timestamp === packet.timestamp && startsKeyframe(this.options.codec, packet.payload);
  }

  /**
   * A keyframe behind a gap need not wait for it. But where its predecessor is missing too, that one may hold the keyframe's parameter sets.
   */
  private skipToKeyframe(sequence: number, packet: RtpPacket): void {
    const previous = this.packets[(sequence - 1) & this.mask];
    if (previous === undefined || previous.timestamp === packet.timestamp) return;
    if (startsKeyframe(this.options.codec, packet.payload)) this.skipTo(sequence);
  }

  private overflow(sequence: number): void {
    this.overflowCount++;
    this.reset();
    this.start(sequence);
    this.floor = sequence;
    if (!this.isSynced) this.out.keyframeNeeded();
  }

  /** Delivers every frame that is complete, and drops what cannot be decoded. */
  private drain(): void {
    for (;;) {
      const packet = this.packets[this.scan & this.mask];
      if (packet === undefined || this.scan > this.highest) return;
      if (!this.isSynced && !this.resumes(packet)) this.dropFirst();
      else if (packet.payload.length === 0 && this.scan === this.next) this.dropFirst();
      else this.gather(packet);
    }
  }

  private resumes(packet: HeldPacket): boolean {
    this.isSynced = startsKeyframe(this.options.codec, packet.payload);
    if (this.isSynced) this.out.keyframeBegun();
    else this.out.keyframeNeeded();
    return this.isSynced;
  }

  /** A packet that belongs to no frame: padding between frames, or before the keyframe that is waited for. */
  private dropFirst(): void {
    this.release(this.next);
    this.next++;
    this.scan = this.next;
    this.floor = this.next;
  }

  private gather(packet: HeldPacket): void {
    const first = this.packets[this.next & this.mask];
    if (first !== undefined && first.timestamp !== packet.timestamp) {
      this.deliver();
      return;
    }
    this.scan++;
    if (packet.marker || this.isAudio) this.deliver();
  }

  /** Hands out the packets from `next` to before `scan` as a frame. */
  private deliver(): void {
    const payloads: Uint8Array[] = [];
    const first = this.packets[this.next & this.mask] as HeldPacket;
    let { captureMs } = first;
    let firstPacketAt = first.arrivedAt;
    let lastPacketAt = first.arrivedAt;
    let isKeyframe = this.isAudio;
    for (let sequence = this.next; sequence < this.scan; sequence++) {
      const packet = this.packets[sequence & this.mask] as HeldPacket;
      if (packet.payload.length > 0) payloads.push(packet.payload);
      isKeyframe ||= startsKeyframe(this.options.codec, packet.payload);
      if (packet.arrivedAt < firstPacketAt) firstPacketAt = packet.arrivedAt;
      if (packet.arrivedAt > lastPacketAt) lastPacketAt = packet.arrivedAt;
      if (Number.isNaN(captureMs)) captureMs = packet.captureMs;
      this.release(sequence);
    }
    this.next = this.scan;
    this.floor = this.next;
    this.out.frame({ payloads, timestamp: first.timestamp, firstPacketAt, lastPacketAt, isKeyframe, captureMs });
  }

  private giveUp(): void {
    let sequence = this.scan;
    while (this.packets[sequence & this.mask] === undefined) sequence++;
    this.skipTo(sequence);
    this.isSynced = this.isAudio;
    this.drain();
  }

  /** Goes on with the packet `sequence`, which is held. */
  private skipTo(sequence: number): void {
    let missing = 0;
    for (let skipped = this.next; skipped < sequence; skipped++) {
      if (this.packets[skipped & this.mask] === undefined && skipped >= this.startedAt) missing++;
      this.release(skipped);
    }
    this.next = sequence;
    this.scan = sequence;
    this.floor = sequence;
    if (missing > 0) this.out.lost(missing);
  }

  private release(sequence: number): void {
    const slot = sequence & this.mask;
    this.bytes -= this.packets[slot]?.payload.length ?? 0;
    this.packets[slot] = undefined;
  }
}
