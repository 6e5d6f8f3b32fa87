/** What the server says when it does not do what it was asked: a problem document (RFC 9457). */
export class ApiProblem extends Error {
  readonly status: number;
  /** Stable; '' when the answer was no problem document, or there was none. */
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

const ANSWER_MS_MAX = 10_000;
const PREFIX = '/api/v1';

/** Asks the API of the server that the page came from; throws {@link ApiProblem}. The session is in a cookie that the browser adds. */
export async function callApi<Answer>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(PREFIX + path, {
      method,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      headers: { 'x-sluice-console': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiProblem(0, '', 'The server does not answer.');
  }
  if (response.status === 204) return undefined as Answer;
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Answer;
  const { code = '', detail = `The server answered with status ${response.status}.` } = (answer ?? {}) as {
    code?: string;
    detail?: string;
  };
  throw new ApiProblem(response.status, code, detail);
}

/** All pages of a list, one after the other. */
export async function listAll<Item>(path: string, pagesMax = 20): Promise<readonly Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const query = new URLSearchParams({ limit: '200', ...(cursor === undefined ? {} : { cursor }) });
    const answer = await callApi<{ items: Item[]; nextCursor?: string }>('GET', `${path}?${query}`);
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return items;
}
