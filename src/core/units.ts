declare const unit: unique symbol;
type Branded<Base, Unit extends string> = Base & { readonly [unit]: Unit };

/** A reading of the process's monotonic clock, in milliseconds. Only for timers and differences. */
export type MonotonicMs = Branded<number, 'monotonic-ms'>;
/** Milliseconds since the Unix epoch. Only for display and EXT-X-PROGRAM-DATE-TIME, never for timers. */
export type WallMs = Branded<number, 'wall-ms'>;
/** A length of time in milliseconds. */
export type DurationMs = Branded<number, 'ms'>;
/** An integer count of a track's `timescale` ticks on the stream's timeline. */
export type MediaTime = Branded<number, 'ticks'>;
/** Bits per second. */
export type BitrateBps = Branded<number, 'bps'>;
/** A size in bytes. */
export type SizeBytes = Branded<number, 'bytes'>;

export const monotonicMs = (value: number): MonotonicMs => value as MonotonicMs;
export const wallMs = (value: number): WallMs => value as WallMs;
export const durationMs = (value: number): DurationMs => value as DurationMs;
export const mediaTime = (value: number): MediaTime => value as MediaTime;
export const bitrateBps = (value: number): BitrateBps => value as BitrateBps;
export const sizeBytes = (value: number): SizeBytes => value as SizeBytes;

/** `ticks` of `timescale` as fractional milliseconds. */
export const ticksToMs = (ticks: number, timescale: number): number => (ticks * 1000) / timescale;
/** Milliseconds as the nearest integer tick of `timescale`. */
export const msToTicks = (ms: number, timescale: number): MediaTime => Math.round((ms * timescale) / 1000) as MediaTime;
