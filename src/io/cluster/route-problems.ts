import type { ServerResponse } from 'node:http';

/** Codes are never renamed. */
export type RouteProblem = 'cluster.no-node' | 'cluster.bad-query' | 'cluster.method-not-allowed';

/** Clients that nobody could take may ask again after so long. */
export const RETRY_AFTER_S = 5;

const PROBLEMS: Readonly<Record<RouteProblem, { readonly status: number; readonly title: string; readonly detail: string }>> = {
  'cluster.no-node': {
    status: 503,
    title: 'No node can take this now',
    detail: 'GET /cluster?explain=1 says why. Try again after the time in Retry-After.',
  },
  'cluster.bad-query': { status: 400, title: 'The query is not right', detail: 'stream is written as app/name, e.g. ?stream=live/show' },
  'cluster.method-not-allowed': { status: 405, title: 'The method is not allowed here', detail: 'use GET' },
};

const HEADERS: Readonly<Partial<Record<RouteProblem, Readonly<Record<string, string>>>>> = {
  'cluster.no-node': { 'retry-after': String(RETRY_AFTER_S) },
  'cluster.method-not-allowed': { allow: 'GET, HEAD' },
};

/** Answers with a problem document (RFC 9457). */
export function sendRouteProblem(
  response: ServerResponse,
  code: RouteProblem,
  headers: Readonly<Record<string, string>>,
  isHead: boolean,
): void {
  const { status, title, detail } = PROBLEMS[code];
  const body = JSON.stringify({ type: `urn:sluice:problem:${code}`, title, status, detail, code });
  response
    .writeHead(status, {
      ...headers,
      ...HEADERS[code],
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
    })
    .end(isHead ? undefined : body);
}
