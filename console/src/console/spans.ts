const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** How long a key may count, in seconds; `''` is for ever. */
export const EXPIRIES: readonly (readonly [seconds: string, words: string])[] = [
  ['', 'for ever'],
  [String(HOUR_S), '1 hour'],
  [String(DAY_S), '1 day'],
  [String(7 * DAY_S), '1 week'],
  [String(30 * DAY_S), '30 days'],
  [String(365 * DAY_S), '1 year'],
];

/** How long the secret before counts beside the new one, in seconds. */
export const GRACES: readonly (readonly [seconds: string, words: string])[] = [
  ['0', 'not at all'],
  ['300', '5 minutes'],
  [String(HOUR_S), '1 hour'],
  [String(DAY_S), '1 day'],
  [String(7 * DAY_S), '1 week'],
];

/** Part of a wish: nothing for `''`. */
export const expiryWish = (seconds: string): { expiresInS?: number } => (seconds === '' ? {} : { expiresInS: Number(seconds) });

/** `2026-01-02 03:04:05`, in the time of the browser. */
export function formatTime(at: string | number): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return '–';
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** What there is to say of a key's end: `for ever`, `until …`, `expired …`. */
export function formatExpiry(expiresAt: string | undefined, nowMs: number): string {
  if (expiresAt === undefined) return 'for ever';
  return `${Date.parse(expiresAt) <= nowMs ? 'expired' : 'until'} ${formatTime(expiresAt)}`;
}
