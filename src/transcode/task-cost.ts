/** What making a rung costs depends on this. */
export interface TaskShape {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  /** In pixels; 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** 0: not known. */
  readonly frameRate: number;
}

const ASSUMED_FRAME_RATE = 30;
/** CPU seconds for a million pixels in H.264 with a fast preset, decoding and scaling included. */
const CPU_S_A_MEGAPIXEL = 0.012;
const CODEC_COST: Readonly<Record<string, number>> = { h264: 1, vp8: 1.5, vp9: 3, hevc: 3, av1: 3 };
const SOUND_CPU = 0.02;
/** What was measured of a shape is one value in this many; what is older counts less and less. */
const SMOOTHING = 0.2;
const SHAPES_MAX = 64;

/** Rungs with the same key cost the same. */
export const shapeKey = ({ kind, codec, width, height, frameRate }: TaskShape): string =>
  kind === 'audio' ? codec : `${codec}-${width}x${height}-${Math.round(frameRate > 0 ? frameRate : ASSUMED_FRAME_RATE)}`;

/** CPU seconds a second that a rung takes, for want of a measurement. */
export function estimatedCost({ kind, codec, width, height, frameRate }: TaskShape): number {
  if (kind === 'audio') return SOUND_CPU;
  const megapixels = (width * height * (frameRate > 0 ? frameRate : ASSUMED_FRAME_RATE)) / 1e6;
  return megapixels * CPU_S_A_MEGAPIXEL * (CODEC_COST[codec] ?? 1);
}

/** What rungs were seen to cost on this machine. */
export class MeasuredCosts {
  private readonly costs = new Map<string, number>();

  /** Rungs that were made together took so many CPU seconds a second; each is thought to have had its estimated share. */
  took(shapes: readonly TaskShape[], cpu: number): void {
    const estimate = shapes.reduce((sum, shape) => sum + estimatedCost(shape), 0);
    if (!(estimate > 0) || !(cpu >= 0)) return;
    for (const shape of shapes) {
      const key = shapeKey(shape);
      const cost = (cpu * estimatedCost(shape)) / estimate;
      const known = this.costs.get(key);
      if (known === undefined && this.costs.size >= SHAPES_MAX) continue;
      this.costs.set(key, known === undefined ? cost : known + (cost - known) * SMOOTHING);
    }
  }

  /** CPU seconds a second by {@link shapeKey}. */
  get byShape(): ReadonlyMap<string, number> {
    return this.costs;
  }
}
