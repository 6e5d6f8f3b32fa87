// As many as the kernel's record of sent packets holds.
const WINDOW = 512;
const HALF = 0x8000;

/** What is new in a feedback about one transport-wide sequence number. */
export type SeenVerdict = 'new' | 'known' | 'late';

/** Which of the last 512 transport-wide sequence numbers were reported already: feedback comes twice, late, and with overlaps. */
export class SeenPackets {
  // Two bits each: 0 not yet, 1 lost, 2 arrived.
  private readonly reported: Uint8Array = new Uint8Array(WINDOW / 4);
  private newest = -1;

  /** 'late': it was reported lost before and did arrive. */
  report(sequenceNumber: number, isLost: boolean): SeenVerdict {
    const number = sequenceNumber & 0xffff;
    const ahead = this.newest < 0 ? 1 : (number - this.newest) & 0xffff;
    if (this.newest < 0) this.newest = (number - 1) & 0xffff;
    if (ahead > 0 && ahead < HALF) this.advance(number, ahead);
    else if (((this.newest - number) & 0xffff) >= WINDOW) return 'known';
    const index = number % WINDOW;
    const before = this.read(index);
    if (before === 2 || (before === 1 && isLost)) return 'known';
    this.write(index, isLost ? 1 : 2);
    return before === 1 ? 'late' : 'new';
  }

  private advance(number: number, ahead: number): void {
    if (ahead >= WINDOW) this.reported.fill(0);
    else for (let step = 1; step <= ahead; step++) this.write((this.newest + step) % WINDOW, 0);
    this.newest = number;
  }

  private read(index: number): number {
    return ((this.reported[index >> 2] ?? 0) >> ((index & 3) * 2)) & 3;
  }

  private write(index: number, value: number): void {
    const shift = (index & 3) * 2;
    this.reported[index >> 2] = ((this.reported[index >> 2] ?? 0) & ~(3 << shift)) | (value << shift);
  }
}
