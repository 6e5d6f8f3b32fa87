/** What a {@link SendGate} has to know of a frame. */
export interface GatedFrame {
  /** Of the pictures, or of the sound where there are none. */
  readonly isLead: boolean;
  readonly isKeyframe: boolean;
  readonly sizeBytes: number;
}

/** Lets the frames of one connection pass while it takes them: past its bound nothing goes in until the next keyframe finds half of it free. */
export class SendGate {
  private readonly queueBytesMax: number;
  private isOpen = false;
  private hasBegun = false;
  private droppedFrames = 0;
  private skipCount = 0;

  constructor(queueBytesMax: number) {
    this.queueBytesMax = queueBytesMax;
  }

  /** Frames that were left out; those before the first keyframe do not count. */
  get dropped(): number {
    return this.droppedFrames;
  }

  /** How often frames began to be left out. */
  get skips(): number {
    return this.skipCount;
  }

  /** Whether the frame may go in, with so many bytes waiting before it. */
  admits({ isLead, isKeyframe, sizeBytes }: GatedFrame, backlogBytes: number): boolean {
    if (this.isOpen && backlogBytes > 0 && backlogBytes + sizeBytes > this.queueBytesMax) {
      this.isOpen = false;
      this.skipCount++;
    }
    if (!this.isOpen && isLead && isKeyframe && backlogBytes * 2 <= this.queueBytesMax) {
      this.isOpen = true;
      this.hasBegun = true;
    }
    if (!this.isOpen && this.hasBegun) this.droppedFrames++;
    return this.isOpen;
  }

  /** Another connection, or other tracks: it begins with a keyframe. */
  restart(): void {
    this.isOpen = false;
    this.hasBegun = false;
  }
}
