import { ProtocolError } from '../../core/mod.ts';

/**
 * Runs `parse` over bytes from outside and gives every way in which they can be bad the one `code` of that format, so that
 * callers need not know which field a hostile record was cut off in. The original error stays as `cause`.
 */
export function parsing<Result>(code: string, what: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code === code) throw error;
    throw new ProtocolError(code, `${what} cannot be read: ${error.message}`, { cause: error });
  }
}

/** The largest picture width or height that any codec here accepts. */
const PICTURE_SIDE_MAX = 16_384;
/** The most parameter sets (SPS, PPS, VPS, SEI) that a configuration record may carry. */
export const PARAMETER_SETS_MAX = 64;
/** Encoders with a clock of milliseconds and a variable rate claim 500 or 1000 frames a second: those are no rates. */
const FRAME_RATE_MAX = 300;

/** Throws `ProtocolError` with `code` unless both sides are 1 to 16384. */
export function checkDimensions(code: string, width: number, height: number): void {
  if (width >= 1 && height >= 1 && width <= PICTURE_SIDE_MAX && height <= PICTURE_SIDE_MAX) return;
  throw new ProtocolError(code, `picture is ${width}x${height}; both sides must be 1 to ${PICTURE_SIDE_MAX}`);
}

/** `timeScale / ticksPerFrame` when that is a believable rate: codec headers often carry nonsense for variable rates. */
export function plausibleFrameRate(timeScale: number, ticksPerFrame: number): number | undefined {
  const rate = timeScale / ticksPerFrame;
  return rate >= 1 && rate <= FRAME_RATE_MAX ? rate : undefined;
}
