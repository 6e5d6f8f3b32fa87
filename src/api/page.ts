import { ApiError } from './problem.ts';

/** One page of `all` by `?limit=&cursor=`; `keyOf` tells each item's place in the order. */
export function pageOf<Item>(
  all: Iterable<Item>,
  keyOf: (item: Item) => string,
  query: Readonly<Record<string, unknown>>,
): { items: Item[]; nextCursor?: string } {
  const limit = query['limit'] as number;
  const after = query['cursor'] === undefined ? '' : readCursor(query['cursor'] as string);
  const rest = [...all].filter((item) => keyOf(item) > after).sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  if (rest.length <= limit || last === undefined) return { items };
  return { items, nextCursor: Buffer.from(`after:${keyOf(last)}`).toString('base64url') };
}

/** A cursor names the last item of the page before, so that a page is right although items come and go between two calls. */
function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!text.startsWith('after:'))
    throw new ApiError('api.bad-cursor', `${JSON.stringify(cursor.slice(0, 80))}: give "nextCursor" of the page before, unchanged`);
  return text.slice('after:'.length);
}
