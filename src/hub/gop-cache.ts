import type { SizeBytes } from '../core/mod.ts';
import type { Frame, Track } from '../media/mod.ts';

/**
 * What new viewers start with: the frames since the last lead keyframe, and before them those since the beginning of the
 * segment before the current one. Past the limit the earlier ones go first; a GOP above it is not kept at all, and viewers
 * who come then start at the next keyframe.
 */
export class GopCache {
  private readonly bytesMax: SizeBytes;
  private kept: Frame[] = [];
  private bytes = 0;
  private isOpen = false;
  /** Index of the last lead keyframe in `kept`. */
  private gopStart = 0;

  constructor(bytesMax: SizeBytes) {
    this.bytesMax = bytesMax;
  }

  /** From the last lead keyframe on. */
  get gop(): readonly Frame[] {
    return this.kept.slice(this.gopStart);
  }

  /** From the beginning of the last whole segment on, as far as it is kept; else from the last lead keyframe on. */
  get segments(): readonly Frame[] {
    const newest = this.kept.at(-1)?.segment.sequence ?? 0;
    const first = this.kept.findIndex(({ segment, part, startsPart }) => segment.sequence >= newest - 1 && part === 0 && startsPart);
    return first < 0 || first > this.gopStart ? this.gop : this.kept.slice(first);
  }

  /** The last lead keyframe, while it is kept. */
  get keyframe(): Frame | undefined {
    return this.isOpen ? this.kept[this.gopStart] : undefined;
  }

  /** The pictures since the last lead keyframe; none where sound leads. */
  get pictures(): readonly Frame[] {
    const { keyframe } = this;
    return keyframe?.track.kind === 'video' ? this.gop.filter(({ track }) => track === keyframe.track) : [];
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  push(frame: Frame, lead: Track): void {
    if (frame.track.id === lead.id && (lead.kind === 'video' ? frame.isKeyframe : frame.startsPart)) {
      if (frame.part === 0 && frame.startsPart)
        this.dropBefore(this.kept.findIndex(({ segment }) => segment.sequence >= frame.segment.sequence - 1));
      this.gopStart = this.kept.length;
      this.isOpen = true;
    }
    if (!this.isOpen) return;
    this.kept.push(frame);
    this.bytes += frame.payload.length;
    if (this.bytes > this.bytesMax) this.dropBefore(this.gopStart);
    if (this.bytes > this.bytesMax) this.clear();
  }

  /** Forgets everything and waits for the next lead keyframe. */
  clear(): void {
    this.kept = [];
    this.bytes = 0;
    this.gopStart = 0;
    this.isOpen = false;
  }

  /** Forgets the frames before `index`, all if it is -1. */
  private dropBefore(index: number): void {
    const count = index < 0 ? this.kept.length : index;
    for (let at = 0; at < count; at++) this.bytes -= this.kept[at]?.payload.length ?? 0;
    this.kept = this.kept.slice(count);
    this.gopStart = Math.max(0, this.gopStart - count);
  }
}
