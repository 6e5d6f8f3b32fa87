import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/**
 * A handler of media URLs on the HTTP server's fast path, asked before the web framework.
 * `path` is the raw (not percent-decoded) path without the query; `query` is what follows `?`, without it, or ''.
 * Returns true when it took the request and will answer it; false leaves the request untouched for the next route.
 */
export type MediaRoute = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  path: string,
  query: string,
) => boolean;
