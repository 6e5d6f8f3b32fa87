import { type ApiCall, ApiProblem, allItems, fetchTransport, type Page } from '../../../src/client/mod.ts';

export { ApiProblem };

/** Asks the server that the page came from. The session is in a cookie that the browser adds; by the header the server knows that a change is this page's. */
const send = fetchTransport({ url: '', headers: { 'x-sluice-console': '1' } });
const LIST_ITEMS_MAX = 4_000;

/** One call of the API, `path` below its prefix, perhaps with a query; rejects with {@link ApiProblem}. */
export const callApi = <Answer>(method: ApiCall['method'], path: string, body?: unknown): Promise<Answer> =>
  send<Answer>({ method, path, body });

/** All pages of a list, one after the other. */
export const listAll = <Item>(path: string): Promise<readonly Item[]> =>
  allItems((query) => send<Page<Item>>({ method: 'GET', path, query }), LIST_ITEMS_MAX);
