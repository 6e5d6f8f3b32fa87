import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  acceptedBy,
  type ClientWish,
  type NodeEndpoints,
  type OwnStanding,
  type Placement,
  placeClient,
  servesAtOnce,
} from '../../cluster/mod.ts';
import { isName, type StreamRef } from '../../core/mod.ts';
import { parseWhipPath } from '../../protocols/whip/mod.ts';
import type { Clock } from '../clock.ts';
import { hlsPlace } from '../hls/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { RtmpElsewhere, RtmpPlaces } from '../rtmp/mod.ts';
import type { SharedRoute } from '../shared-route.ts';
import type { ClientRegion } from './client-region.ts';
import type { ClusterRouting } from './cluster-route.ts';
import { RETRY_AFTER_S, sendRouteProblem } from './route-problems.ts';
import { isSettled, withVia } from './via-mark.ts';

export interface RedirectGateOptions {
  readonly routing: ClusterRouting;
  readonly region: ClientRegion;
  /** Whether a stream is published here and no other node can know of it yet: its viewers are served here. */
  readonly isOnlyHere: (stream: string) => boolean;
  readonly clock: Clock;
}

interface Wish {
  readonly kind: ClientWish;
  /** `app/name`. */
  readonly stream: string;
}

/** What the gate has to know of a client. */
interface Client {
  readonly address: string;
  readonly headers: IncomingMessage['headers'];
  /** What follows `?`, or ''. */
  readonly query: string;
}

const FLV_PATH = /^\/([^/]+\/[^/]+)\.flv$/;
/** For so long an origin that found no edge does not look again for each request. */
const ALONE_MS = 1_000;
/** Nodes that are asked for an RTMP address one after the other: some take no RTMP. */
const RTMP_TRIES = 5;
const HEADERS = {
  'cache-control': 'no-store',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Location, Retry-After',
};

/**
 * Stands before the media routes of a node in a cluster and sends on who is to be served elsewhere: playlists and HTTP-FLV by 302, WHIP and WHEP by 307. Asks
 * nobody: it goes by this node's replica. Preflight requests are answered where they come, as every node answers them alike.
 */
export class RedirectGate implements RtmpPlaces {
  private readonly options: RedirectGateOptions;
  private own: OwnStanding;
  private takesViewers = true;
  private givesFiles = true;
  private aloneUntil = 0;

  constructor(own: OwnStanding, options: RedirectGateOptions) {
    this.options = options;
    this.own = own;
    this.standingChanged(own);
  }

  /** This node's roles or state are others now. */
  standingChanged(own: OwnStanding): void {
    this.own = own;
    this.takesViewers = servesAtOnce(own, 'playlist');
    this.givesFiles = servesAtOnce(own, 'file');
    this.aloneUntil = 0;
  }

  /** HLS by the fast way, for as long as this node serves it itself; what is to be sent on is left to {@link handle}. */
  shared(route: SharedRoute): SharedRoute {
    return (request, reply) => (this.takesViewers || this.servesShared(request.path)) && route(request, reply);
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    const wish = wishOf(request.method ?? '', path);
    if (wish === undefined || servesAtOnce(this.own, wish.kind)) return false;
    const plain = response as ServerResponse;
    const placement = this.place(wish, { address: remoteAddress(request.socket), headers: request.headers, query });
    if (placement.kind === 'serve') return false;
    const location = placement.kind === 'redirect' ? this.locationAt(placement.node, path, query) : undefined;
    // 307, so that a POST stays one.
    if (location !== undefined)
      plain.writeHead(request.method === 'POST' ? 307 : 302, { ...HEADERS, location, 'content-length': '0' }).end();
    else sendRouteProblem(plain, 'cluster.no-node', HEADERS, request.method === 'HEAD');
    return true;
  };

  /** HTTP-FLV over WebSocket: browsers do not follow a redirect there, some other clients do. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex): boolean => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const stream = streamOfFlv(path);
    if (stream === undefined || servesAtOnce(this.own, 'play')) return false;
    const placement = this.place({ kind: 'play', stream }, { address: remoteAddress(request.socket), headers: request.headers, query });
    if (placement.kind === 'serve') return false;
    const location = placement.kind === 'redirect' ? this.locationAt(placement.node, path, query) : undefined;
    const head =
      location === undefined
        ? `503 Service Unavailable\r\nretry-after: ${RETRY_AFTER_S}`
        : `302 Found\r\nlocation: ${location.replace(/^http/, 'ws')}`;
    socket.end(`HTTP/1.1 ${head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
    return true;
  };

  /** Where an RTMP client belongs that came here. */
  elsewhere(intent: 'publish' | 'play', ref: StreamRef, address: string): RtmpElsewhere | undefined {
    if (servesAtOnce(this.own, intent)) return undefined;
    const withoutRtmp = new Set<string>();
    for (let tries = 0; tries < RTMP_TRIES; tries++) {
      const placement = this.place({ kind: intent, stream: ref.path }, { address, headers: {}, query: '' }, withoutRtmp);
      if (placement.kind === 'serve') return undefined;
      if (placement.kind === 'refuse') break;
      const server = this.endpointsOf(placement.node)?.rtmp;
      if (server !== undefined) return { tcUrl: `${server}/${ref.app}` };
      withoutRtmp.add(placement.node);
    }
    return {};
  }

  /** Without headers, which the fast way does not read: only whether this node serves, not where else. */
  private servesShared(path: string): boolean {
    const wish = wishOf('GET', path);
    if (wish === undefined) return true;
    if (wish.kind === 'file') return this.givesFiles;
    const now = this.options.clock.monotonic();
    if (now < this.aloneUntil) return true;
    if (this.place(wish, { address: '', headers: {}, query: '' }).kind !== 'serve') return false;
    this.aloneUntil = now + ALONE_MS;
    return true;
  }

  private place({ kind, stream }: Wish, { address, headers, query }: Client, exclude: ReadonlySet<string> = NOBODY): Placement {
    const { routing, region, isOnlyHere, clock } = this.options;
    const { own } = this;
    if (kind !== 'publish' && isOnlyHere(stream)) return { kind: 'serve' };
    const asked = query.includes('region=') ? (new URLSearchParams(query).get('region') ?? undefined) : undefined;
    const wish = {
      kind: kind === 'publish' ? ('publish' as const) : ('play' as const),
      region: region.placeOf(address, headers, asked).region,
      exclude: new Set([own.node, ...exclude]),
    };
    return placeClient(own, kind, {
      isSettled: isSettled(query, own.node, clock.wall()),
      route: (extent) => routing.route({ ...wish, ...acceptedBy(extent) }, stream),
    });
  }

  private endpointsOf(node: string): NodeEndpoints | undefined {
    return this.options.routing.endpointsOf(node);
  }

  private locationAt(node: string, path: string, query: string): string | undefined {
    const http = this.endpointsOf(node)?.http;
    return http === undefined ? undefined : `${http}${path}?${withVia(query, this.own.node, this.options.clock.wall())}`;
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** What a request asks for; undefined for what is none of the gate's business: other paths, preflights, sessions that are there already. */
function wishOf(method: string, path: string): Wish | undefined {
  if (method === 'POST') {
    const target = parseWhipPath(path);
    return target === undefined || target.session !== undefined ? undefined : { kind: target.kind, stream: target.ref.path };
  }
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const place = hlsPlace(path);
  if (place !== undefined) return wishFor(path.endsWith('.m3u8') ? 'playlist' : 'file', place.base.slice(1));
  const stream = streamOfFlv(path);
  return stream === undefined ? undefined : { kind: 'play', stream };
}

function streamOfFlv(path: string): string | undefined {
  const stream = FLV_PATH.exec(path)?.[1];
  return stream === undefined ? undefined : wishFor('play', stream)?.stream;
}

/** A name that no stream can have is left to the routes, which refuse it. */
const wishFor = (kind: ClientWish, stream: string): Wish | undefined => (stream.split('/').every(isName) ? { kind, stream } : undefined);
