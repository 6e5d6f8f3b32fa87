/** What stands where a figure is not known. */
export const UNKNOWN = '–';

const known = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);

/** `2.5 Mbit/s`, `640 kbit/s`, `18.0 Gbit/s`. */
export function formatBitrate(bitrateBps: number | undefined): string {
  if (!known(bitrateBps)) return UNKNOWN;
  if (bitrateBps >= 1e9) return `${(bitrateBps / 1e9).toFixed(1)} Gbit/s`;
  if (bitrateBps >= 1e6) return `${(bitrateBps / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitrateBps / 1e3)} kbit/s`;
}

/** `1.23 s`; a clock that runs behind the server's may make it negative, and then it is shown so. */
export function formatSeconds(durationMs: number | undefined): string {
  return known(durationMs) ? `${(durationMs / 1000).toFixed(2)} s` : UNKNOWN;
}

/** `84 ms`, and above a second `1.23 s`. */
export function formatLatency(durationMs: number | undefined): string {
  return known(durationMs) && Math.abs(durationMs) < 1000 ? `${Math.round(durationMs)} ms` : formatSeconds(durationMs);
}

/** Of one step between nodes, which may be near: there, tenths of a millisecond are worth showing. */
export function formatHop(durationMs: number | undefined): string {
  return known(durationMs) && Math.abs(durationMs) < 10 ? `${durationMs.toFixed(1)} ms` : formatLatency(durationMs);
}

/** A ratio in [0, 1] as `0.25 %`. */
export function formatRatio(ratio: number | undefined): string {
  return known(ratio) ? `${(ratio * 100).toFixed(2)} %` : UNKNOWN;
}

/** How long something has been going on, in the units that matter by then: `12 s`, `3 min`, `2 h 14 min`, `5 d 3 h`. */
export function formatUptime(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `no viewers`, `1 viewer`, `1,234 viewers`. */
export function formatViewers(viewers: number): string {
  if (viewers === 0) return 'no viewers';
  return viewers === 1 ? '1 viewer' : `${viewers.toLocaleString('en')} viewers`;
}
