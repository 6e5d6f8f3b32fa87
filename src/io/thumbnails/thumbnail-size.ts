const WIDTH_MAX = 320;
const HEIGHT_MAX = 640;

/** Size of the thumbnail of a picture: with its shape on a screen, no larger than it is, and even, as the chroma of JPEG wants. `pixelAspect`: width of a pixel by its height. */
export function thumbnailSize({
  width,
  height,
  pixelAspect,
}: {
  readonly width: number;
  readonly height: number;
  readonly pixelAspect: number;
}): { readonly width: number; readonly height: number } {
  const shown = width * pixelAspect;
  const factor = Math.min(1, WIDTH_MAX / shown, HEIGHT_MAX / height);
  return { width: even(shown * factor, WIDTH_MAX), height: even(height * factor, HEIGHT_MAX) };
}

const even = (length: number, max: number): number => Math.min(max, Math.max(2, 2 * Math.round(length / 2)));
