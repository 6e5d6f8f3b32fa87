import { ProtocolError, streamRef, utf8Encode } from '../../core/mod.ts';
import {
  type IceFragment,
  type IceServer,
  parseWhipPath,
  WhipEndpoint,
  type WhipLayer,
  type WhipLayerChoice,
  type WhipLayers,
  type WhipOffer,
  type WhipRedirect,
  type WhipRefused,
  type WhipRequest,
  type WhipResponse,
  type WhipSession,
  type WhipSessions,
} from './mod.ts';

const OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';

/** Keeps sessions in memory. Offers that begin with `malformed` or `unusable` are thrown out as an SDP parser and a negotiation would. */
export class MemorySessions implements WhipSessions {
  readonly live: Map<string, MemorySession> = new Map();
  readonly offers: WhipOffer[] = [];
  refuse: WhipRefused | WhipRedirect | undefined;
  /** What sessions that play can choose from; without any they have no pictures. */
  layers: MemoryLayers | undefined;

  create(offer: WhipOffer): ReturnType<WhipSessions['create']> {
    this.offers.push(offer);
    if (offer.sdp.startsWith('malformed')) throw new ProtocolError('sdp.bad', 'line 1 is no SDP');
    if (offer.sdp.startsWith('unusable')) throw new ProtocolError('sdp.no-usable-codec', 'offer H.264 or VP8');
    if (this.refuse !== undefined) return this.refuse;
    const session = new MemorySession(offer, offer.kind === 'play' ? this.layers : undefined, () => this.live.delete(offer.id));
    this.live.set(offer.id, session);
    return { sdp: `answer to ${offer.kind}\r\n`, etag: session.etag };
  }

  find(id: string): MemorySession | undefined {
    return this.live.get(id);
  }
}

/** A choice between layers that takes effect at once. */
export class MemoryLayers implements WhipLayerChoice {
  private readonly all: readonly Omit<WhipLayer, 'active'>[];
  chosen: string | undefined;

  constructor(all: readonly Omit<WhipLayer, 'active'>[]) {
    this.all = all;
  }

  read(): WhipLayers {
    const active = this.chosen ?? this.all[0]?.encodingId ?? '';
    const layers = this.all.map((layer) => ({ ...layer, active: layer.encodingId === active }));
    return { active, automatic: this.chosen === undefined, reason: this.chosen === undefined ? 'highest' : 'pinned', layers };
  }

  select(encodingId: string | undefined): boolean {
    if (encodingId !== undefined && !this.all.some((layer) => layer.encodingId === encodingId)) return false;
    this.chosen = encodingId;
    return true;
  }
}

/** One session; `heard` is what was trickled to the ICE session now. */
class MemorySession implements WhipSession {
  readonly kind: WhipSession['kind'];
  readonly ref: WhipSession['ref'];
  readonly heard: string[] = [];
  etag = 'local1';
  remoteUfrag = 'EsAw';
  refuseRestart: WhipRefused | undefined;
  private readonly choice: WhipLayerChoice | undefined;
  private readonly gone: () => void;

  constructor({ kind, ref }: WhipOffer, choice: WhipLayerChoice | undefined, gone: () => void) {
    this.kind = kind;
    this.ref = ref;
    this.choice = choice;
    this.gone = gone;
  }

  trickle({ candidates }: IceFragment): void {
    if (candidates.some((candidate) => candidate.includes('broken'))) throw new ProtocolError('ice.bad-candidate', 'no candidate');
    this.heard.push(...candidates);
  }

  restart({ ufrag, candidates }: IceFragment & { readonly ufrag: string }): ReturnType<WhipSession['restart']> {
    if (this.refuseRestart !== undefined) return this.refuseRestart;
    this.remoteUfrag = ufrag;
    this.etag = `local${Number(this.etag.slice('local'.length)) + 1}`;
    this.heard.splice(0, this.heard.length, ...candidates);
    const candidate = 'candidate:1 1 udp 2130706431 198.51.100.1 8189 typ host';
    return {
      etag: this.etag,
      ice: { ufrag: 'srvU', pwd: 'serverPassword0123456789', candidates: [candidate], isLite: true, options: ['trickle', 'ice2'] },
    };
  }

  layers(): WhipLayerChoice | undefined {
    return this.choice;
  }

  remove(): void {
    this.gone();
  }
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: WhipRequest['headers'];
  /** Text, bytes, or one of the words for a body that could not be read. */
  readonly body?: string | Uint8Array;
}

/** An endpoint of node `n1` over memory, and short ways to ask it. */
export function makeEndpoint(
  iceServers: readonly IceServer[] = [],
  isLeaving = (): boolean => false,
): {
  readonly sessions: MemorySessions;
  readonly endpoint: WhipEndpoint;
  readonly ask: (request: Ask) => WhipResponse;
  readonly post: (protocol?: 'whip' | 'whep', request?: Ask) => WhipResponse;
  readonly patch: (path: string, fragment: string, ifMatch?: string) => WhipResponse;
} {
  let count = 0;
  const random = { randomBytes: (length: number): Uint8Array => new Uint8Array(length).fill(++count) };
  const sessions = new MemorySessions();
  const endpoint = new WhipEndpoint(sessions, random, { nodeId: 'n1', iceServers, isLeaving });
  const ask = ({ method = 'GET', path = '/live/show/whip', query = '', headers = {}, body = '' }: Ask): WhipResponse => {
    const target = parseWhipPath(path) ?? { kind: 'publish', ref: streamRef('live', 'unknown') };
    const isRefused = body === 'too-large' || body === 'too-slow' || body === 'too-many';
    const bytes = typeof body === 'string' && !isRefused ? utf8Encode(body) : body;
    return endpoint.handle({ method, target, query, headers, body: bytes as WhipRequest['body'], address: '192.0.2.1' });
  };
  const post = (protocol: 'whip' | 'whep' = 'whip', request: Ask = {}): WhipResponse =>
    ask({
      method: 'POST',
      path: `/live/show/${protocol}`,
      body: OFFER,
      ...request,
      headers: { 'content-type': 'application/sdp', ...request.headers },
    });
  const patch = (path: string, fragment: string, ifMatch?: string): WhipResponse => {
    const condition = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    return ask({ method: 'PATCH', path, body: fragment, headers: { 'content-type': 'application/trickle-ice-sdpfrag', ...condition } });
  };
  return { sessions, endpoint, ask, post, patch };
}
