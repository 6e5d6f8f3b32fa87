import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeEndpoints, RouteDecision, RouteWish } from '../../cluster/mod.ts';
import { isName } from '../../core/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { ClientRegion } from './client-region.ts';

/** Chooses nodes from what this one knows of all. */
export interface ClusterRouting {
  /** `stream` is `app/name`; without it, any node that fits. */
  route(wish: RouteWish, stream: string | undefined): RouteDecision;
  endpointsOf(node: string): NodeEndpoints | undefined;
}

export interface ClusterRouteOptions {
  readonly routing: ClusterRouting;
  readonly region: ClientRegion;
}

const PATH = '/cluster';
const HEADERS = { 'cache-control': 'no-store', 'access-control-allow-origin': '*' };

/**
 * `GET /cluster`: which node to go to. `?stream=app/name` asks for the best one to watch it, `&publish=1` for one to publish to, `&region=` says where the client
 * is. The answer is `HOST:PORT` of the node's HTTP port as plain text, or JSON where the client accepts that; `&explain=1` gives the reasons, with `&address=`
 * those for a client of that address.
 */
export class ClusterRoute {
  private readonly options: ClusterRouteOptions;

  constructor(options: ClusterRouteOptions) {
    this.options = options;
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    if (path !== PATH) return false;
    this.answer(request as IncomingMessage, response as ServerResponse, new URLSearchParams(query));
    return true;
  };

  private answer(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, 'cluster.method-not-allowed', 'use GET', { allow: 'GET, HEAD' });
      return;
    }
    const stream = query.get('stream') ?? undefined;
    if (stream !== undefined && !isStreamPath(stream)) {
      refuse(response, 400, 'cluster.bad-query', 'stream is written as app/name, e.g. ?stream=live/show', {});
      return;
    }
    const { routing, region } = this.options;
    const kind = query.get('publish') === '1' ? 'publish' : 'play';
    const isExplained = query.get('explain') === '1';
    const elsewhere = isExplained ? (query.get('address') ?? '') : '';
    const asked = query.get('region') ?? undefined;
    const client = elsewhere === '' ? region.of(remoteAddress(request.socket), request.headers, asked) : region.of(elsewhere, {}, asked);
    const decision = routing.route({ kind, region: client }, stream);
    const endpoints = decision.node === undefined ? undefined : routing.endpointsOf(decision.node);
    if (isExplained) {
      sendJson(response, endpoints === undefined ? 503 : 200, { region: client, node: decision.node, endpoints, nodes: decision.opinions });
    } else if (endpoints === undefined || decision.node === undefined) {
      refuse(response, 503, 'cluster.no-node', 'no node can take this now; ?explain=1 says why', { 'retry-after': '5' });
    } else if ((request.headers.accept ?? '').includes('application/json')) {
      sendJson(response, 200, { region: client, node: decision.node, endpoints });
    } else {
      response.writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${new URL(endpoints.http).host}\n`);
    }
  }
}

function isStreamPath(text: string): boolean {
  const [app, name, ...more] = text.split('/');
  return app !== undefined && name !== undefined && more.length === 0 && isName(app) && isName(name);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers with a problem document (RFC 9457). */
function refuse(response: ServerResponse, status: number, code: string, detail: string, headers: Readonly<Record<string, string>>): void {
  const body = JSON.stringify({ type: 'about:blank', title: detail, status, code });
  response.writeHead(status, { ...HEADERS, ...headers, 'content-type': 'application/problem+json' }).end(body);
}
