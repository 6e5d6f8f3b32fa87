import { CLOCK_BAR_CELLS, CLOCK_BAR_HEIGHT, clockBarCells } from './clock-bar.ts';

/** The planes of a 4:2:0 picture, borrowed and written to. Strides in bytes; the chroma planes share one. */
export interface PicturePlanes {
  readonly width: number;
  readonly height: number;
  readonly luma: Uint8Array;
  readonly lumaStride: number;
  readonly chroma: readonly [Uint8Array, Uint8Array];
  readonly chromaStride: number;
}

const WHITE = 235;
const BLACK = 16;
const GREY_CHROMA = 128;

// Which of the seven segments a digit lights: top, upper left, upper right, middle, lower left, lower right, bottom.
const DIGIT_SEGMENTS = ['1110111', '0010010', '1011101', '1011011', '0111010', '1101011', '1101111', '1010010', '1111111', '1111011'];

/** Draws the clock of `unixMs` (UTC, to the millisecond) in the middle of the picture and its clock bar along the upper edge. */
export function drawPictureClock(picture: PicturePlanes, unixMs: number): void {
  drawBar(picture, unixMs);
  drawDigits(picture, new Date(unixMs).toISOString().slice(11, 23));
}

function drawBar(picture: PicturePlanes, unixMs: number): void {
  const cellWidth = picture.width / CLOCK_BAR_CELLS;
  clockBarCells(unixMs).forEach((light, cell) => {
    const left = Math.round(cell * cellWidth);
    fill(picture, left, 0, Math.round((cell + 1) * cellWidth) - left, CLOCK_BAR_HEIGHT, light ? WHITE : BLACK);
  });
}

// The clock has its own digits rather than FFmpeg's drawtext: that needs a font file, which a bare machine does not have.
function drawDigits(picture: PicturePlanes, text: string): void {
  const unit = Math.max(1, Math.floor(picture.width / 160));
  const advance = 8 * unit;
  const left = (picture.width - text.length * advance) >> 1;
  const top = (picture.height >> 1) - 6 * unit;
  fill(picture, left - 3 * unit, top - 3 * unit, text.length * advance + 4 * unit, 17 * unit, BLACK);
  [...text].forEach((character, index) => {
    drawCharacter(picture, character, left + index * advance, top, unit);
  });
}

function drawCharacter(picture: PicturePlanes, character: string, x: number, y: number, unit: number): void {
  if (character === ':') {
    fill(picture, x + 2 * unit, y + 3 * unit, unit, unit, WHITE);
    fill(picture, x + 2 * unit, y + 7 * unit, unit, unit, WHITE);
    return;
  }
  if (character === '.') {
    fill(picture, x + 2 * unit, y + 10 * unit, unit, unit, WHITE);
    return;
  }
  const segments = DIGIT_SEGMENTS[Number(character)] ?? '';
  const horizontals = [0, 3, 6];
  const verticals: ReadonlyArray<readonly [segment: number, dx: number, dy: number]> = [
    [1, 0, 0],
    [2, 5, 0],
    [4, 0, 5],
    [5, 5, 5],
  ];
  horizontals.forEach((segment, row) => {
    if (segments[segment] === '1') fill(picture, x, y + row * 5 * unit, 6 * unit, unit, WHITE);
  });
  for (const [segment, dx, dy] of verticals) {
    if (segments[segment] === '1') fill(picture, x + dx * unit, y + dy * unit, unit, 6 * unit, WHITE);
  }
}

function fill(picture: PicturePlanes, left: number, top: number, width: number, height: number, light: number): void {
  const right = Math.min(left + width, picture.width);
  const bottom = Math.min(top + height, picture.height);
  for (let y = Math.max(0, top); y < bottom; y++) {
    picture.luma.fill(light, y * picture.lumaStride + Math.max(0, left), y * picture.lumaStride + right);
  }
  for (let y = Math.max(0, top) >> 1; y < bottom >> 1; y++) {
    for (const plane of picture.chroma) {
      plane.fill(GREY_CHROMA, y * picture.chromaStride + (Math.max(0, left) >> 1), y * picture.chromaStride + (right >> 1));
    }
  }
}
