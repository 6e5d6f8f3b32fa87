// The clock bar is a row of light and dark cells along the picture's upper edge that carries the capture time in a
// form programs can read back after any number of re-encodings: a light and a dark cell, 44 bits of Unix
// milliseconds (most significant first), 4 bits of checksum (the XOR of the eleven nibbles), a dark and a light cell.

const TIME_BITS = 44;
const CHECKSUM_BITS = 4;
/** How many cells the bar has. */
export const CLOCK_BAR_CELLS: number = 2 + TIME_BITS + CHECKSUM_BITS + 2;
/** The bar's height in picture lines. */
export const CLOCK_BAR_HEIGHT = 16;

/** The cells of `unixMs` from left to right; true is light. */
export function clockBarCells(unixMs: number): boolean[] {
  const cells = [true, false];
  const time = BigInt(Math.floor(unixMs));
  for (let bit = TIME_BITS - 1; bit >= 0; bit--) cells.push(((time >> BigInt(bit)) & 1n) === 1n);
  const sum = checksum(time);
  for (let bit = CHECKSUM_BITS - 1; bit >= 0; bit--) cells.push(((sum >> bit) & 1) === 1);
  cells.push(false, true);
  return cells;
}

/**
 * Reads the bar back. `lightAt(x, y)` gives the brightness of a pixel of a picture `width` pixels wide, 0 to 255.
 * Returns Unix milliseconds, or undefined when the edge cells or the checksum say that no bar is there.
 */
export function readClockBar(width: number, lightAt: (x: number, y: number) => number): number | undefined {
  const cellWidth = width / CLOCK_BAR_CELLS;
  const cells: boolean[] = [];
  for (let cell = 0; cell < CLOCK_BAR_CELLS; cell++) {
    cells.push(lightAt(Math.floor((cell + 0.5) * cellWidth), CLOCK_BAR_HEIGHT >> 1) > 127);
  }
  if (!cells[0] || cells[1] || cells.at(-2) || !cells.at(-1)) return undefined;
  const time = readBits(cells, 2, TIME_BITS);
  return Number(readBits(cells, 2 + TIME_BITS, CHECKSUM_BITS)) === checksum(time) ? Number(time) : undefined;
}

function readBits(cells: readonly boolean[], start: number, count: number): bigint {
  let value = 0n;
  for (let bit = start; bit < start + count; bit++) value = (value << 1n) | (cells[bit] ? 1n : 0n);
  return value;
}

function checksum(time: bigint): number {
  let sum = 0;
  for (let rest = time; rest > 0n; rest >>= 4n) sum ^= Number(rest & 15n);
  return sum;
}
