/** What belongs to one request and not to the playlist: directives of LL-HLS, and the marks of nodes that sent the request on. */
const OF_ONE_REQUEST = ['_HLS_msn', '_HLS_part', '_HLS_skip', 'via'];

/**
 * Where to ask for a playlist from now on: where its last answer came from, if that is another server than the one that was asked; undefined when it stays
 * where it is. So one that drains is asked once more and not again.
 */
export function redirectedPlaylist(asked: string, answered: string): string | undefined {
  if (!URL.canParse(asked) || !URL.canParse(answered)) return undefined;
  const url = new URL(answered);
  if (url.origin === new URL(asked).origin) return undefined;
  for (const name of OF_ONE_REQUEST) url.searchParams.delete(name);
  return url.href;
}
