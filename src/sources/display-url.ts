const SHOWN_LENGTH_MAX = 300;
const USER_INFO = /([a-z][a-z0-9+]*:\/\/)[^/?#\s"'<>@]*(?:@[^/?#\s"'<>@]*)*@/gi;
const QUERY = /([a-z][a-z0-9+]*:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/gi;

/** A source's URL as it may be shown: without user name, password, query (which may hold a key or passphrase) and fragment. */
export function displayUrl(url: string): string {
  const end = url.search(/[?#]/);
  const path = end < 0 ? url : url.slice(0, end);
  // The last `@` before the path ends the user info; what is in front of it may hold others.
  const shown = path.replace(/^([a-z][a-z0-9+]*:\/\/)[^/]*@/i, '$1');
  return shown.slice(0, SHOWN_LENGTH_MAX);
}

/** A text such as an error message of a library, with all URLs in it as {@link displayUrl} shows them. */
export function withoutCredentials(text: string): string {
  return text.replace(USER_INFO, '$1').replace(QUERY, '$1').slice(0, SHOWN_LENGTH_MAX);
}
