import { ApiError } from './problem.ts';

/** Those of the items that may be seen, as a list is read. */
export function* seen<Item>(items: Iterable<Item>, isSeen: (item: Item) => boolean): Iterable<Item> {
  for (const item of items) if (isSeen(item)) yield item;
}

/** One page of `all` by `?limit=&cursor=`; `keyOf` tells each item's place in the order. */
export function pageOf<Item>(
  all: Iterable<Item>,
  keyOf: (item: Item) => string,
  query: Readonly<Record<string, unknown>>,
): { items: Item[]; nextCursor?: string } {
  const limit = query['limit'] as number;
  const after = query['cursor'] === undefined ? '' : readCursor(query['cursor'] as string);
  const items = firstAfter(all, keyOf, after, limit + 1);
  if (items.length <= limit) return { items };
  items.pop();
  const last = items.at(-1) as Item;
  return { items, nextCursor: Buffer.from(`after:${keyOf(last)}`).toString('base64url') };
}

/** The first `count` behind `after`, in order. Of a long list most are only looked at: sorting all of them for a page would cost more than the page. */
function firstAfter<Item>(all: Iterable<Item>, keyOf: (item: Item) => string, after: string, count: number): Item[] {
  const items: Item[] = [];
  const keys: string[] = [];
  for (const item of all) {
    const key = keyOf(item);
    if (key <= after) continue;
    if (keys.length === count) {
      if (key >= (keys[count - 1] as string)) continue;
      items.pop();
      keys.pop();
    }
    const at = placeOf(key, keys);
    items.splice(at, 0, item);
    keys.splice(at, 0, key);
  }
  return items;
}

/** Where `key` belongs in `keys`, behind those that are the same. */
function placeOf(key: string, keys: readonly string[]): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A cursor names the last item of the page before, so that a page is right although items come and go between two calls. */
function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!text.startsWith('after:'))
    throw new ApiError('api.bad-cursor', `${JSON.stringify(cursor.slice(0, 80))}: give "nextCursor" of the page before, unchanged`);
  return text.slice('after:'.length);
}
