/** A picture's size in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const even = (pixels: number): number => Math.max(2, 2 * Math.round(pixels / 2));
const evenDown = (pixels: number): number => Math.max(2, 2 * Math.floor(pixels / 2));

/** The side that a rung's `height` speaks of. */
export const shorterSide = ({ width, height }: PictureSize): number => Math.min(width, height);

/** The source's size without the last row or column of an odd one: encoders of 4:2:0 pictures take even sizes only. */
export const evenSize = ({ width, height }: PictureSize): PictureSize => ({ width: evenDown(width), height: evenDown(height) });

/** The source's shape with `side` as its shorter side, both sides even and none larger than the source's. */
export function scaledTo(source: PictureSize, side: number): PictureSize {
  const short = Math.min(evenDown(side), evenDown(shorterSide(source)));
  const isPortrait = source.height > source.width;
  const [shortOfSource, longOfSource] = isPortrait ? [source.width, source.height] : [source.height, source.width];
  const long = Math.min(even((longOfSource * short) / shortOfSource), evenDown(longOfSource));
  return isPortrait ? { width: short, height: long } : { width: long, height: short };
}
