import { assert, SluiceError } from '../../core/mod.ts';
import { readCredential } from './bearer.ts';
import { preflightHeaders } from './cors.ts';
import { formatEntityTag, isMatch, isOpaqueTag } from './entity-tag.ts';
import { formatIceFragment, type IceFragment, parseIceFragment } from './ice-fragment.ts';
import { type IceServer, iceServerLink } from './ice-server.ts';
import { answerLayerRequest, LAYER_METHODS, LAYER_TYPE, layerLink } from './layer-resource.ts';
import { attempt, bodyText, wrongBody } from './whip-body.ts';
import { answer, headerValue, type WhipRequest, type WhipResponse } from './whip-message.ts';
import { problemResponse } from './whip-problem.ts';
import type { WhipAnswer, WhipRedirect, WhipRefused, WhipRestart, WhipSession, WhipSessions } from './whip-sessions.ts';
import { endpointPath, isNodeId, layerPath, parseSessionName, sessionId, sessionPath, type WhipTarget } from './whip-target.ts';

export interface WhipEndpointOptions {
  /** Stands in the sessions' URLs: 1 to 64 letters, digits, `_`, `.` or `-`. */
  readonly nodeId: string;
  /** Told to clients in `Link` headers. */
  readonly iceServers: readonly IceServer[];
  /** Whether sessions end here soon and are to be made anew, which leads to another node: viewers who ask for their layers are told. */
  readonly isLeaving?: () => boolean;
}

/** What the machine needs from outside besides the sessions. */
export interface WhipRandom {
  /** Cryptographically secure random bytes: session URLs must not be guessable (RFC 9725 5). */
  randomBytes(length: number): Uint8Array;
}

/** Counters since the start. */
export interface WhipStats {
  readonly created: number;
  readonly restarts: number;
  /** By code of the problem. */
  readonly refusedByCode: ReadonlyMap<string, number>;
}

const SDP = 'application/sdp';
const SDP_FRAGMENT = 'application/trickle-ice-sdpfrag';
const ENDPOINT_METHODS = 'GET, HEAD, POST, OPTIONS';
const SESSION_METHODS = 'GET, HEAD, PATCH, DELETE, OPTIONS';
const SESSION_ID_BYTES = 16;
const AGENT_LENGTH_MAX = 200;

/** WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as HTTP resources: requests go in, answers come out, sessions are made and changed by the port. */
export class WhipEndpoint {
  private readonly sessions: WhipSessions;
  private readonly random: WhipRandom;
  private readonly nodeId: string;
  private readonly links: readonly string[];
  /** Those without credentials, which anybody may know. */
  private readonly publicLinks: readonly string[];
  private readonly isLeaving: () => boolean;
  private readonly refused = new Map<string, number>();
  private created = 0;
  private restarts = 0;

  /** Throws `SluiceError` `whip.bad-node-id` or `whip.bad-ice-server`. */
  constructor(sessions: WhipSessions, random: WhipRandom, { nodeId, iceServers, isLeaving }: WhipEndpointOptions) {
    if (!isNodeId(nodeId)) {
      throw new SluiceError(
        'whip.bad-node-id',
        `node id ${JSON.stringify(nodeId)} cannot stand in a URL: take 1 to 64 letters, digits, "_", "." or "-"`,
      );
    }
    this.sessions = sessions;
    this.random = random;
    this.nodeId = nodeId;
    this.isLeaving = isLeaving ?? (() => false);
    this.links = iceServers.map(iceServerLink);
    this.publicLinks = iceServers.filter(({ credential }) => credential === undefined).map(iceServerLink);
  }

  /** Answers a request. Never throws for what comes from outside. */
  handle(request: WhipRequest): WhipResponse {
    const { method, target } = request;
    const response =
      method === 'OPTIONS'
        ? this.options(request)
        : target.session === undefined
          ? this.toEndpoint(request)
          : this.toSession(request, target.session);
    const { code } = response;
    if (code !== undefined) this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    return response;
  }

  /** The answer to a client that may not have a session, for an owner who decides that before the request gets here. */
  refuse(target: WhipTarget, refused: WhipRefused): WhipResponse {
    const response = this.refusal(target, refused);
    const { code } = response;
    if (code !== undefined) this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    return response;
  }

  stats(): WhipStats {
    return { created: this.created, restarts: this.restarts, refusedByCode: this.refused };
  }

  /** RFC 9725 4.2: CORS, and what is taken here. */
  private options({ target, headers }: WhipRequest): WhipResponse {
    const { allow, ...accept } = acceptedBy(target);
    // RFC 9725 4.6: ICE servers have no place in a preflight's answer. Those with credentials are for clients that may have a session.
    const isPreflight = headers['access-control-request-method'] !== undefined;
    return answer(200, {
      ...preflightHeaders(allow),
      allow,
      ...accept,
      ...(target.session !== undefined || isPreflight ? {} : linkHeader(this.publicLinks)),
    });
  }

  private toEndpoint(request: WhipRequest): WhipResponse {
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return endpointRepresentation(request.target);
      case 'POST':
        return this.post(request);
      default:
        return problemResponse('method-not-allowed', { headers: { allow: ENDPOINT_METHODS } });
    }
  }

  private post(request: WhipRequest): WhipResponse {
    const wrong = wrongBody(request, SDP, 'accept-post');
    if (wrong !== undefined) return wrong;
    const { target, headers, query, address } = request;
    const credential = readCredential(headers, query);
    if (credential === undefined) return this.unauthorized(target, 'bad-authorization', {});
    const id = sessionId(this.random.randomBytes(SESSION_ID_BYTES));
    const agent = (headerValue(headers, 'user-agent') ?? '').slice(0, AGENT_LENGTH_MAX);
    const offer = { kind: target.kind, ref: target.ref, id, sdp: bodyText(request.body), credential, address, agent };
    const made = attempt('offer', () => this.sessions.create(offer));
    if ('status' in made) return made;
    if ('origin' in made) return redirect(request, made);
    return 'refused' in made ? this.refusal(target, made) : this.makeCreated(target, id, made);
  }

  /** RFC 9725 4.2 and 4.3.1: 201 with the answer, where the session is, and which ICE session it has. */
  private makeCreated({ kind, ref }: WhipTarget, id: string, { sdp, etag }: WhipAnswer): WhipResponse {
    this.created++;
    const location = sessionPath(kind, ref, { nodeId: this.nodeId, id });
    const hasLayers = this.sessions.find(id)?.layers?.() !== undefined;
    const headers = {
      'content-type': SDP,
      location,
      etag: entityTag(etag),
      'accept-patch': SDP_FRAGMENT,
      ...linkHeader(hasLayers ? [...this.links, layerLink(layerPath(location))] : this.links),
    };
    return answer(201, headers, sdp);
  }

  private toSession(request: WhipRequest, name: string): WhipResponse {
    const session = this.findSession(request.target, name);
    if (session === undefined) return problemResponse('session-not-found');
    if (request.target.part === 'layer') return answerLayerRequest(request, session, this.isLeaving());
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        // RFC 9725 4.1: there is no representation.
        return answer(204, {});
      case 'PATCH':
        return this.patch(request, session);
      case 'DELETE':
        // RFC 9725 4.3.1: entity tags are ignored here.
        session.remove();
        return answer(200, {});
      default:
        return problemResponse('method-not-allowed', { headers: { allow: SESSION_METHODS } });
    }
  }

  /** A session is found only under its own stream and protocol, and on the node that holds it. */
  private findSession({ kind, ref }: WhipTarget, text: string): WhipSession | undefined {
    const name = parseSessionName(text);
    if (name === undefined || name.nodeId !== this.nodeId) return undefined;
    const session = this.sessions.find(name.id);
    return session !== undefined && session.kind === kind && session.ref.path === ref.path ? session : undefined;
  }

  private patch(request: WhipRequest, session: WhipSession): WhipResponse {
    const wrong = wrongBody(request, SDP_FRAGMENT, 'accept-patch');
    if (wrong !== undefined) return wrong;
    const fragment = attempt('fragment', () => parseIceFragment(bodyText(request.body)));
    if ('status' in fragment) return fragment;
    // Preconditions come after everything that is wrong without them (RFC 9110 13.2.1).
    const ifMatch = headerValue(request.headers, 'if-match');
    if (ifMatch === undefined) return problemResponse('if-match-missing');
    if (!isMatch(ifMatch, session.etag)) return problemResponse('etag-mismatch');
    return isRestart(fragment, session) ? this.restart(request, session, fragment) : trickle(session, fragment);
  }

  /** RFC 9725 4.3.3. */
  private restart(request: WhipRequest, session: WhipSession, fragment: IceFragment & Credentials): WhipResponse {
    const restarted = attempt('fragment', () => session.restart(fragment));
    if ('status' in restarted) return restarted;
    if ('refused' in restarted) return this.refusal(request.target, restarted);
    this.restarts++;
    const { ice, etag }: WhipRestart = restarted;
    return answer(200, { 'content-type': SDP_FRAGMENT, etag: entityTag(etag) }, formatIceFragment(ice, fragment));
  }

  private refusal(target: WhipTarget, refused: WhipRefused): WhipResponse {
    const isAboutCredential = refused.refused === 'credential-missing' || refused.refused === 'credential-wrong';
    return isAboutCredential ? this.unauthorized(target, refused.refused, refused) : problemResponse(refused.refused, refused);
  }

  /** RFC 6750 3: without a credential there is no error to tell. */
  private unauthorized(
    { ref }: WhipTarget,
    problem: 'credential-missing' | 'credential-wrong' | 'bad-authorization',
    { detail, code }: { readonly detail?: string; readonly code?: string },
  ): WhipResponse {
    const error =
      problem === 'credential-missing' ? '' : `, error="${problem === 'credential-wrong' ? 'invalid_token' : 'invalid_request'}"`;
    return problemResponse(problem, { detail, code, headers: { 'www-authenticate': `Bearer realm="${ref.path}"${error}` } });
  }
}

/** The methods of a resource, and the type of the bodies that it takes. */
function acceptedBy({ session, part }: WhipTarget): { readonly allow: string } & Readonly<Record<string, string>> {
  if (part === 'layer') return { allow: LAYER_METHODS, 'accept-post': LAYER_TYPE };
  return session === undefined ? { allow: ENDPOINT_METHODS, 'accept-post': SDP } : { allow: SESSION_METHODS, 'accept-patch': SDP_FRAGMENT };
}

/** RFC 9725 4.5: 307, so that the POST stays one. */
function redirect({ target, query }: WhipRequest, { origin }: WhipRedirect): WhipResponse {
  return answer(307, { location: origin + endpointPath(target.kind, target.ref) + (query === '' ? '' : `?${query}`) });
}

type Credentials = { readonly ufrag: string; readonly pwd: string };

/** RFC 9725 4.3.3: other credentials than those of the ICE session now ask for a new one. An ICE restart changes both (RFC 8839 4.4.1.1.1). */
function isRestart(fragment: IceFragment, session: WhipSession): fragment is IceFragment & Credentials {
  return fragment.ufrag !== undefined && fragment.ufrag !== session.remoteUfrag;
}

/** RFC 9725 4.3.2: 204 without a body and without an ETag. */
function trickle(session: WhipSession, fragment: IceFragment): WhipResponse {
  const done = attempt('fragment', () => {
    session.trickle(fragment);
    return fragment;
  });
  return 'status' in done ? done : answer(204, {});
}

/** No endpoint has a representation (RFC 9725 4.1); a WHEP endpoint says by its type that it is one (draft-ietf-wish-whep, 4.2). */
function endpointRepresentation({ kind }: WhipTarget): WhipResponse {
  return kind === 'play' ? answer(200, { 'content-type': SDP }) : answer(204, {});
}

function entityTag(tag: string): string {
  assert(isOpaqueTag(tag), 'an entity tag has 1 to 200 visible ASCII characters without quotes');
  return formatEntityTag(tag);
}

const linkHeader = (links: readonly string[]): { link?: readonly string[] } => (links.length === 0 ? {} : { link: links });
