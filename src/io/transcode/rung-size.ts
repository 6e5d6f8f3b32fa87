interface Size {
  readonly width: number;
  readonly height: number;
}

const even = (pixels: number): number => Math.max(2, 2 * Math.round(pixels / 2));

/**
 * The size of a rung's pictures: as planned while the source has the shape that it was planned for. For another shape the shorter side stays and the
 * longer one follows the source. Both sides are even.
 */
export function rungSize(source: Size, planned: Size): Size {
  // Sizes are rounded to even numbers, odd sources cut by one: that makes no other shape.
  const isPlanned = Math.abs((planned.height * source.width) / source.height - planned.width) <= 2 + planned.width / planned.height;
  if (isPlanned) return { width: planned.width, height: planned.height };
  const short = even(planned.width === 0 ? planned.height : Math.min(planned.width, planned.height));
  if (planned.width === 0) return { width: even((short * source.width) / source.height), height: short };
  const isPortrait = source.height > source.width;
  return isPortrait
    ? { width: short, height: even((short * source.height) / source.width) }
    : { width: even((short * source.width) / source.height), height: short };
}
