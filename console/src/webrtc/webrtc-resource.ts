import { type LayerList, parseLayerList } from './layer-list.ts';
import { iceServersOf, layerUrlOf } from './link-header.ts';

/** The server said no, or nothing at all. */
export class ResourceRefused extends Error {
  override readonly name = 'ResourceRefused';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** How long the server asks to wait (Retry-After), or `undefined`. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Where and how to reach an endpoint of WHIP (RFC 9725) or WHEP (draft-ietf-wish-whep). */
export interface ResourceOptions {
  /** Absolute URL of the endpoint. */
  readonly endpoint: string;
  /** Bearer token; left out when empty. */
  readonly token?: string;
  readonly fetch: typeof fetch;
  readonly answerMsMax: number;
}

/** One WebRTC session as the server's HTTP side knows it: made by an offer, kept until it is removed. */
export class WebrtcResource {
  /** SDP of the server's answer. */
  readonly answer: string;
  /** STUN and TURN servers that the server recommends (RFC 9725 §4.6). */
  readonly iceServers: readonly RTCIceServer[];
  readonly #url: string;
  readonly #etag: string | undefined;
  readonly #layerUrl: string | undefined;
  readonly #options: ResourceOptions;
  #takesCandidates = true;

  private constructor(answer: string, url: string, response: Response, options: ResourceOptions) {
    this.answer = answer;
    this.iceServers = iceServersOf(response.headers.get('link'));
    this.#url = url;
    this.#layerUrl = layerUrlOf(response.headers.get('link'), response.url || options.endpoint);
    this.#etag = response.headers.get('etag') ?? undefined;
    this.#options = options;
  }

  /** Posts an offer (RFC 9725 §4.2); rejects with {@link ResourceRefused} and nothing else. */
  static async open(offer: string, options: ResourceOptions): Promise<WebrtcResource> {
    const request = { body: offer, type: 'application/sdp' };
    let response = await send(options.endpoint, 'POST', options, request);
    // Browsers leave Authorization out when they follow a redirect to another server (Fetch 4.4, step 13), so it is asked itself.
    if (response.status === 401 && response.redirected && options.token) response = await send(response.url, 'POST', options, request);
    if (response.status !== 201) throw await refusal(response);
    const location = response.headers.get('location');
    if (location === null) throw new ResourceRefused(response.status, 'the answer names no session (Location is missing)');
    const answer = await response.text().catch(() => '');
    if (!answer.startsWith('v=0')) throw new ResourceRefused(response.status, 'the answer is not SDP');
    return new WebrtcResource(answer, new URL(location, response.url || options.endpoint).href, response, options);
  }

  /** Tells the server of candidates (RFC 9725 §4.3.1). Never rejects: a server that wants none is not asked again. */
  async addCandidates(fragment: string): Promise<void> {
    if (!this.#takesCandidates) return;
    const body = { body: fragment, type: 'application/trickle-ice-sdpfrag', ...(this.#etag === undefined ? {} : { etag: this.#etag }) };
    const response = await send(this.#url, 'PATCH', this.#options, body).catch(() => undefined);
    if (response && !response.ok) this.#takesCandidates = false;
  }

  /** What can be chosen from, and what is sent. Never rejects: undefined where the server does not say. */
  layers(): Promise<LayerList | undefined> {
    return this.#askLayers('GET', {});
  }

  /** Asks for a layer; without one the server is to choose. Never rejects: undefined where it cannot be. */
  selectLayer(encodingId: string | undefined): Promise<LayerList | undefined> {
    return this.#askLayers('POST', { body: JSON.stringify({ encodingId }), type: 'application/json' });
  }

  async #askLayers(method: string, request: Request): Promise<LayerList | undefined> {
    if (this.#layerUrl === undefined) return undefined;
    const response = await send(this.#layerUrl, method, this.#options, request).catch(() => undefined);
    return response?.ok ? parseLayerList(await response.text().catch(() => '')) : undefined;
  }

  /** Ends the session on the server. Never rejects; the request outlives the page, so that it can be made while leaving. */
  async remove(): Promise<void> {
    await send(this.#url, 'DELETE', this.#options, { keepalive: true }).catch(() => undefined);
  }
}

interface Request {
  readonly body?: string;
  readonly type?: string;
  readonly etag?: string;
  readonly keepalive?: boolean;
}

async function send(url: string, method: string, options: ResourceOptions, request: Request): Promise<Response> {
  const headers = {
    ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
    ...(request.type === undefined ? {} : { 'content-type': request.type }),
    ...(request.etag === undefined ? {} : { 'if-match': request.etag }),
  };
  try {
    return await options.fetch(url, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(options.answerMsMax),
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.keepalive ? { keepalive: true } : {}),
    });
  } catch {
    throw new ResourceRefused(0, 'the server does not answer');
  }
}

async function refusal(response: Response): Promise<ResourceRefused> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const text = await response.text().catch(() => '');
  return new ResourceRefused(response.status, wordsOf(text) ?? `HTTP ${response.status}`, seconds >= 0 ? seconds * 1000 : undefined);
}

/** `detail` or `title` of a problem document (RFC 9457). */
function wordsOf(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== 'object' || problem === null) return undefined;
    const { detail, title } = problem as { detail?: unknown; title?: unknown };
    return [detail, title].find((words) => typeof words === 'string' && words !== '') as string | undefined;
  } catch {
    return undefined;
  }
}
