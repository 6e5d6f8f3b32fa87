import { ApiProblem } from './api-problem.ts';

/** One call of the API. */
export interface ApiCall extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, encoded. */
  readonly path: string;
  readonly query?: object | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** What may be said with every call. */
export interface CallOptions {
  /** Of a POST: sent again with the same key, it gets the first one's answer, and nothing is done twice. */
  readonly idempotencyKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes a call: resolves with the JSON of the answer, undefined where it has none; rejects for everything else. */
export type Transport = <Answer>(call: ApiCall) => Promise<Answer>;

/** A part of a list; `nextCursor` is given as `cursor` for the next one, and absent on the last. */
export interface Page<Item> {
  items: Item[];
  nextCursor?: string;
}

/** Which part of a list. */
export interface PageQuery {
  /** 1 to 200; 50 without. */
  limit?: number;
  /** `nextCursor` of the part before. */
  cursor?: string;
}

/** One part of a path. Throws for what an address cannot have as one: dots would lead elsewhere, however they are written. */
export function part(value: string): string {
  if (value === '' || value === '.' || value === '..')
    throw new ApiProblem(0, 'api.not-found', `there is nothing named ${JSON.stringify(value)}`);
  return encodeURIComponent(value);
}

/** Path and query of a call below the server's address. */
export function addressOf({ path, query }: Pick<ApiCall, 'path' | 'query'>): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text === '' ? '' : `?${text}`}`;
}

/** The headers of a call. */
export function headersOf({ body, headers, idempotencyKey }: ApiCall): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    // RFC 9651: a text that is a structured field stands in quotes.
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': `"${idempotencyKey.replaceAll(/["\\]/g, '\\$&')}"` }),
    ...headers,
  };
}

const LIST_LIMIT = 200;

/** All items of a list, page by page. */
export async function allItems<Item>(
  list: (query: PageQuery) => Promise<Page<Item>>,
  itemsMax: number = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await list({ limit: LIST_LIMIT, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && items.length < itemsMax);
  return items;
}
