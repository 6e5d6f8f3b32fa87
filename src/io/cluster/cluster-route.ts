import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptedBy, type NodeEndpoints, type RouteDecision, type RouteWish, routeSomewhere } from '../../cluster/mod.ts';
import { isName } from '../../core/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { ClientPlace, ClientRegion } from './client-region.ts';
import { type RouteProblem, sendRouteProblem } from './route-problems.ts';

/** Chooses nodes from what this one knows of all. */
export interface ClusterRouting {
  /** `stream` is `app/name`: the best node for it. Without it, the nodes that fit have their turns. */
  route(wish: RouteWish, stream: string | undefined): RouteDecision;
  endpointsOf(node: string): NodeEndpoints | undefined;
}

export interface ClusterRouteOptions {
  readonly routing: ClusterRouting;
  readonly region: ClientRegion;
  /** Whether clients reach the only node by the name that they asked, whatever it takes itself to be called. */
  readonly isNamedByClients?: boolean;
}

const PATH = '/cluster';
const HEADERS = { 'cache-control': 'no-store', 'access-control-allow-origin': '*' };

/**
 * `GET /cluster`: which node to go to, one after the other. `?stream=app/name` asks for the best one to watch it, `&publish=1` for one to publish to, `&region=`
 * says where the client is. The answer is `HOST:PORT` of the node's HTTP port as plain text, or JSON where the client accepts that; `&explain=1` gives the
 * reasons, with `&address=` those for a client of that address. It is decided as for clients who ask for the media itself: a node that is full is better than
 * none.
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
    const refuse = (code: RouteProblem): void => sendRouteProblem(response, code, HEADERS, request.method === 'HEAD');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse('cluster.method-not-allowed');
      return;
    }
    const stream = query.get('stream') ?? undefined;
    if (stream !== undefined && !isStreamPath(stream)) {
      refuse('cluster.bad-query');
      return;
    }
    const { routing } = this.options;
    const kind = query.get('publish') === '1' ? 'publish' : 'play';
    const isExplained = query.get('explain') === '1';
    const place = this.placeOf(request, query, isExplained);
    // Whoever wants any node, and of whom nothing is known, goes round all regions.
    const region = stream === undefined && place.by === 'node' ? undefined : place.region;
    const decision = routeSomewhere(kind, (extent) => routing.route({ kind, region, ...acceptedBy(extent) }, stream));
    const { node, extent } = decision;
    const endpoints = node === undefined ? undefined : this.endpointsOf(node, request.headers.host ?? '');
    if (isExplained) {
      const chosen = endpoints === undefined ? {} : { node, endpoints, extent };
      const choice = stream === undefined ? 'turn' : 'score';
      const about = { region: place.region, regionBy: place.by, choice, ...chosen, nodes: decision.opinions };
      sendJson(response, endpoints === undefined ? 503 : 200, about);
    } else if (endpoints === undefined) {
      refuse('cluster.no-node');
    } else if ((request.headers.accept ?? '').includes('application/json')) {
      sendJson(response, 200, { region: place.region, node, endpoints });
    } else {
      response.writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${new URL(endpoints.http).host}\n`);
    }
  }

  private endpointsOf(node: string, host: string): NodeEndpoints | undefined {
    const { routing, isNamedByClients = false } = this.options;
    const known = routing.endpointsOf(node);
    return known !== undefined && isNamedByClients ? namedAs(known, host) : known;
  }

  /** Who asks for reasons may ask for those of another address. */
  private placeOf(request: IncomingMessage, query: URLSearchParams, isExplained: boolean): ClientPlace {
    const { region } = this.options;
    const elsewhere = isExplained ? (query.get('address') ?? '') : '';
    const asked = query.get('region') ?? undefined;
    return elsewhere === '' ? region.placeOf(remoteAddress(request.socket), request.headers, asked) : region.placeOf(elsewhere, {}, asked);
  }
}

/** Endpoints with the name, and for HTTP the port, by which a client reached this node: `Host` of its request. */
function namedAs(endpoints: NodeEndpoints, host: string): NodeEndpoints {
  const { protocol } = new URL(endpoints.http);
  const asked = host === '' || !URL.canParse(`${protocol}//${host}`) ? undefined : new URL(`${protocol}//${host}`);
  if (asked === undefined) return endpoints;
  const { http: _http, rtmp, ...rest } = endpoints;
  const rtmpAt = rtmp === undefined ? {} : { rtmp: `rtmp://${asked.hostname}:${new URL(rtmp).port}` };
  return { ...rest, http: `${protocol}//${host}`, ...rtmpAt };
}

function isStreamPath(text: string): boolean {
  const [app, name, ...more] = text.split('/');
  return app !== undefined && name !== undefined && more.length === 0 && isName(app) && isName(name);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
}
