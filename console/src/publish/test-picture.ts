import { clockBarCells } from '../../../src/io/demo/clock-bar.ts';

/** What a canvas of either kind can do for the picture. */
type Brush = Pick<
  CanvasRenderingContext2D,
  'fillRect' | 'fillStyle' | 'font' | 'textAlign' | 'textBaseline' | 'fillText' | 'beginPath' | 'arc' | 'fill'
>;

const STRIPES = ['#c9ced6', '#c8bf3a', '#36b7c4', '#3aa84b', '#b04fc0', '#c23b45', '#3a56c8'];

/**
 * Draws the test picture of `unixMs`: colour bars, a disc that goes round once in two seconds, the time in large figures, and along the
 * upper edge the clock bar that programs read (the one of the demo stream, higher, so that it is still there in a picture a quarter as large).
 */
export function drawTestPicture(brush: Brush, width: number, height: number, unixMs: number, label: string): void {
  STRIPES.forEach((colour, at) => {
    brush.fillStyle = colour;
    brush.fillRect(Math.floor((at * width) / STRIPES.length), 0, Math.ceil(width / STRIPES.length), height);
  });
  brush.fillStyle = '#10151b';
  brush.fillRect(0, Math.round(height * 0.36), width, Math.round(height * 0.4));
  drawDisc(brush, width, height, unixMs);
  drawTime(brush, width, height, unixMs, label);
  drawClockBar(brush, width, height, unixMs);
}

function drawDisc(brush: Brush, width: number, height: number, unixMs: number): void {
  const angle = ((unixMs % 2000) / 2000) * 2 * Math.PI;
  const reach = height * 0.13;
  brush.fillStyle = '#57c5d0';
  brush.beginPath();
  brush.arc(width * 0.14 + reach * Math.cos(angle), height * 0.56 + reach * Math.sin(angle), height * 0.035, 0, 2 * Math.PI);
  brush.fill();
}

function drawTime(brush: Brush, width: number, height: number, unixMs: number, label: string): void {
  brush.fillStyle = '#f1f4f7';
  brush.textAlign = 'center';
  brush.textBaseline = 'middle';
  brush.font = `600 ${Math.round(height * 0.17)}px monospace`;
  brush.fillText(new Date(unixMs).toISOString().slice(11, 23), width * 0.58, height * 0.53);
  brush.font = `${Math.round(height * 0.055)}px sans-serif`;
  brush.fillText(label, width * 0.58, height * 0.68);
}

function drawClockBar(brush: Brush, width: number, height: number, unixMs: number): void {
  const cells = clockBarCells(unixMs);
  const barHeight = Math.round(height / 16);
  cells.forEach((isLight, at) => {
    const left = Math.round((at * width) / cells.length);
    brush.fillStyle = isLight ? '#ffffff' : '#000000';
    brush.fillRect(left, 0, Math.round(((at + 1) * width) / cells.length) - left, barHeight);
  });
}
