/** On every answer. No cookies are ever looked at, so any page may ask. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Location, ETag, Link, Accept-Patch, Accept-Post, Allow, Retry-After, WWW-Authenticate',
};

/** On the answer to a preflight request. `*` would not let Authorization pass (Fetch 4.8), so headers are named. */
export function preflightHeaders(allow: string): Record<string, string> {
  return {
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'Authorization, Content-Type, If-Match, If-None-Match, Link',
    'access-control-max-age': '86400',
  };
}
