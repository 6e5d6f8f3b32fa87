/** A jump forward by at least this many packets is a restart of the sender, or a forgery (RFC 3550 A.1, MAX_DROPOUT). */
const DROPOUT_MAX = 3_000;
/** Packets up to this much behind the highest are late ones (MAX_MISORDER; larger than the RFC's 100, for senders that repeat without RTX). */
const MISORDER_MAX = 1_000;
const MODULUS = 0x1_0000;

/** What {@link SequenceNumbers.extend} says. */
export type SequenceVerdict = 'in-window' | 'restarted' | 'refused';

/** Extends 16-bit sequence numbers of one stream, and decides on restarts (RFC 3550 A.1). */
export class SequenceNumbers {
  private highestExtended: number | undefined = undefined;
  private firstExtended = 0;
  /** The number that proves a restart when it comes next. */
  private suspected: number | undefined = undefined;
  private lastExtended = 0;

  /** The highest extended number so far; -1 before the first packet. */
  get highest(): number {
    return this.highestExtended ?? -1;
  }

  /** The extended number that the stream, or its last restart, began with. */
  get first(): number {
    return this.firstExtended;
  }

  /** The extended number of the packet last judged `in-window` or `restarted`; 16 bits of it are the packet's own. Grows over restarts. */
  get extended(): number {
    return this.lastExtended;
  }

  /** Judges a packet of the stream. After a jump that no loss explains, the packet is refused until its successor comes: then it was a restart. */
  extend(sequenceNumber: number): SequenceVerdict {
    if (this.highestExtended === undefined) {
      // A cycle ahead, so that packets from before the first one have positive numbers too.
      this.start(MODULUS + sequenceNumber);
      return 'in-window';
    }
    const extended = this.near(sequenceNumber);
    const distance = extended - this.highestExtended;
    if (distance < DROPOUT_MAX && distance >= -MISORDER_MAX) {
      this.lastExtended = extended;
      this.suspected = undefined;
      if (distance > 0) this.highestExtended = extended;
      return 'in-window';
    }
    if (sequenceNumber !== this.suspected) {
      this.suspected = (sequenceNumber + 1) % MODULUS;
      return 'refused';
    }
    this.start((Math.floor(this.highestExtended / MODULUS) + 2) * MODULUS + sequenceNumber);
    return 'restarted';
  }

  /** The extended number closest to the highest one, without taking it for received; only after the first packet. */
  near(sequenceNumber: number): number {
    const highest = this.highest;
    return highest + (((sequenceNumber - highest) << 16) >> 16);
  }

  private start(extended: number): void {
    this.firstExtended = extended;
    this.highestExtended = extended;
    this.lastExtended = extended;
    this.suspected = undefined;
  }
}
