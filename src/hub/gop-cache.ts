import type { SizeBytes } from '../core/mod.ts';
import type { Frame, Track } from '../media/mod.ts';

/**
 * The frames since the last lead keyframe, for viewers to start with. A GOP above the limit is not kept at all:
 * viewers who come then start at the next keyframe.
 */
export class GopCache {
  private readonly bytesMax: SizeBytes;
  private kept: Frame[] = [];
  private bytes = 0;
  private isOpen = false;

  constructor(bytesMax: SizeBytes) {
    this.bytesMax = bytesMax;
  }

  /** Shared: the next `push` may add to it. */
  get frames(): readonly Frame[] {
    return this.kept;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  push(frame: Frame, lead: Track): void {
    if (frame.track.id === lead.id && (lead.kind === 'video' ? frame.isKeyframe : frame.startsPart)) {
      this.clear();
      this.isOpen = true;
    }
    if (!this.isOpen) return;
    this.kept.push(frame);
    this.bytes += frame.payload.length;
    if (this.bytes > this.bytesMax) this.clear();
  }

  /** Forgets everything and waits for the next lead keyframe. */
  clear(): void {
    this.kept = [];
    this.bytes = 0;
    this.isOpen = false;
  }
}
