import { estimatedCost, shapeKey, type TaskShape } from './task-cost.ts';

/** What a shape costs where nothing was measured, and by what measurements are found. */
export interface ShapeCost {
  readonly shape: TaskShape;
  readonly key: string;
  readonly estimate: number;
}

/** The few shapes that very many tasks have. */
export class ShapeCosts {
  private readonly byWidth = new Map<number, ShapeCost[]>();

  of(shape: TaskShape): ShapeCost {
    let known = this.byWidth.get(shape.width);
    if (known === undefined) {
      known = [];
      this.byWidth.set(shape.width, known);
    }
    for (const cost of known) if (isSame(cost.shape, shape)) return cost;
    const cost = { shape, key: shapeKey(shape), estimate: estimatedCost(shape) };
    known.push(cost);
    return cost;
  }
}

const isSame = (a: TaskShape, b: TaskShape): boolean =>
  a.height === b.height && a.width === b.width && a.frameRate === b.frameRate && a.codec === b.codec && a.kind === b.kind;
