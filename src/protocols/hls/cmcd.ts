/** Longer ones are none (CTA-5004, table of keys: "Maximum length is 64 characters"). */
const ID_LENGTH_MAX = 64;
/** More than all keys of CTA-5004 take. */
const DATA_LENGTH_MAX = 2048;
const PARAMETER = 'CMCD=';
/** A key, in the list of keys, and its quoted text. */
const SESSION_ID = /(?:^|,)\s*sid="((?:[^"\\]|\\.)*)"/;

/**
 * The session id of a player that sends Common Media Client Data (CTA-5004): one playback of one viewer, whatever address it comes from.
 * `query`: a URL's, without `?`; `header`: the value of `CMCD-Session`; '' where there is none. Undefined when neither names one.
 */
export function cmcdSessionId(query: string, header: string): string | undefined {
  return sessionIdIn(header) ?? sessionIdIn(parameterIn(query));
}

function sessionIdIn(data: string): string | undefined {
  if (data === '' || data.length > DATA_LENGTH_MAX) return undefined;
  const id = SESSION_ID.exec(data)?.[1];
  return id === undefined || id.length === 0 || id.length > ID_LENGTH_MAX ? undefined : id;
}

function parameterIn(query: string): string {
  if (!query.includes(PARAMETER)) return '';
  const pair = query.split('&').find((each) => each.startsWith(PARAMETER));
  try {
    return pair === undefined ? '' : decodeURIComponent(pair.slice(PARAMETER.length));
  } catch {
    // No URI encoding: a player's mistake, which costs it being told apart.
    return '';
  }
}
