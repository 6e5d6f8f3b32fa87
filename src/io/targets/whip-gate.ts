import { randomBytes } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import type { UrlPolicy } from '../../access/mod.ts';
import type { TargetReason } from '../../targets/mod.ts';
import { certificateReason, redirectAddress, TargetError, targetAddress } from './target-address.ts';
import { withAllowedCandidates } from './whip-answer.ts';

export interface WhipGateOptions {
  /** `https://…` or `http://…`; may hold secrets. */
  readonly url: string;
  /** The bearer token, or nothing. */
  readonly token: string;
  readonly policy: UrlPolicy;
  /** Certificates (PEM) that are trusted beside the well-known ones. */
  readonly trusted: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Where it came from in the end. */
  readonly url: string;
}

const BODY_BYTES_MAX = 256 * 1024;
const REQUEST_MS_MAX = 10_000;
const REDIRECTS_MAX = 5;
/** Those that keep the method and the body (RFC 9110 section 15.4); WHIP servers use no others (RFC 9725 section 4.5). */
const REDIRECTS: ReadonlySet<number | undefined> = new Set([307, 308]);
const UNAUTHORIZED: ReadonlySet<number> = new Set([401, 403]);

/**
 * The HTTP side of one WHIP publication, on a loopback port for FFmpeg's muxer to talk to: the muxer follows redirects and resolves names by itself, checks
 * no certificates, and does not tell what the server said. The token never reaches it.
 */
export class WhipGate {
  private readonly options: WhipGateOptions;
  private readonly server: Server;
  private readonly path = `/${randomBytes(16).toString('hex')}`;
  private resource: string | undefined = undefined;
  private failure: { reason: TargetReason; isFinal: boolean } | undefined = undefined;

  private constructor(options: WhipGateOptions) {
    this.options = options;
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  static async open(options: WhipGateOptions): Promise<WhipGate> {
    const gate = new WhipGate(options);
    await new Promise<void>((resolve, reject) => {
      gate.server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return gate;
  }

  /** What the muxer is given in place of the target's URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.path}`;
  }

  /** Why the publication was not taken, if it was not. */
  get refusal(): { readonly reason: TargetReason; readonly isFinal: boolean } | undefined {
    return this.failure;
  }

  /** Ends a session that the muxer has not ended, as one that died: its server would take the next one for a second publisher. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    // Whether it is heard makes no difference here.
    this.goodbye().catch(() => undefined);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.url !== this.path) response.writeHead(404).end();
      else if (request.method === 'POST') await this.offer(request, response);
      else if (request.method === 'DELETE') await this.end(response);
      else response.writeHead(405, { allow: 'POST, DELETE' }).end();
    } catch (error) {
      this.failure = failureOf(error);
      response.writeHead(502).end();
    }
  }

  private async offer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.ask('POST', this.options.url, await bodyOf(request));
    if (answer.status !== 201) {
      throw new TargetError('targets.peer-refused', wordsOf(answer), false);
    }
    const { location } = answer.headers;
    this.resource = location === undefined ? undefined : new URL(location, answer.url).href;
    const sdp = withAllowedCandidates(answer.body, this.options.policy);
    response.writeHead(201, { 'content-type': 'application/sdp', location: this.url }).end(sdp);
  }

  private async end(response: ServerResponse): Promise<void> {
    await this.goodbye();
    response.writeHead(200).end();
  }

  private async goodbye(): Promise<void> {
    const { resource } = this;
    this.resource = undefined;
    if (resource !== undefined) await this.ask('DELETE', resource);
  }

  /** Asks, and follows redirects; each place is judged, and asked at the address that was judged. The token goes to the first origin alone. */
  private async ask(method: 'POST' | 'DELETE', first: string, body?: string): Promise<Answer> {
    const { policy, url } = this.options;
    let place = first;
    for (let count = 0; count <= REDIRECTS_MAX; count++) {
      const { ip } = count === 0 && first === url ? await targetAddress(policy, place) : await redirectAddress(policy, place);
      const answer = await this.exchange(method, place, ip, body);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      place = new URL(location, place).href;
    }
    throw new TargetError('targets.redirect', `more than ${REDIRECTS_MAX} redirects`, false);
  }

  private exchange(method: string, place: string, ip: string, body: string | undefined): Promise<Answer> {
    const { url, token, trusted } = this.options;
    const { origin, protocol, hostname } = new URL(place);
    const isTrusting = token !== '' && origin === new URL(url).origin;
    const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
    const options = {
      method,
      agent: false,
      timeout: REQUEST_MS_MAX,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/sdp', 'content-length': Buffer.byteLength(body) }),
        ...(isTrusting ? { authorization: `Bearer ${token}` } : {}),
      },
      // Node asks for the addresses of a name alone.
      ...(isName ? { lookup: pinned(ip) } : {}),
      ...(trusted.length === 0 ? {} : { ca: [...trusted] }),
    };
    return new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? httpsRequest : httpRequest)(place, options, (response) => {
        bodyOf(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, url: place }),
          reject,
        );
      });
      request.once('timeout', () => request.destroy(new Error(`no answer within ${REQUEST_MS_MAX} ms`)));
      request.once('error', reject);
      request.end(body);
    });
  }
}

type LookupAnswer = (error: null, address: string | { address: string; family: number }[], family?: number) => void;

/** A resolver that gives the address that was judged, whoever asks. */
function pinned(ip: string) {
  const family = isIP(ip);
  return (_name: string, { all }: { readonly all?: boolean | undefined }, answer: LookupAnswer): void => {
    if (all === true) answer(null, [{ address: ip, family }]);
    else answer(null, ip, family);
  };
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > BODY_BYTES_MAX) throw new Error(`a body of more than ${BODY_BYTES_MAX} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function failureOf(error: unknown): { reason: TargetReason; isFinal: boolean } {
  if (error instanceof TargetError) return error;
  const { message, code = '' } = error as NodeJS.ErrnoException;
  return { reason: certificateReason(code, message) ?? { code: 'targets.connect', message }, isFinal: false };
}

/** The server's own words: of a problem document (RFC 9457) its detail, of another text its beginning. */
function wordsOf({ status, headers, body }: Answer): string {
  const said =
    headers['content-type']?.includes('json') === true ? detailOf(body) : headers['content-type']?.startsWith('text/plain') ? body : '';
  const what = UNAUTHORIZED.has(status) ? `status ${status}: the token is missing or wrong` : `status ${status}`;
  return said === '' ? what : `${what}: ${said.slice(0, 200)}`;
}

function detailOf(json: string): string {
  try {
    const { detail, title } = JSON.parse(json) as { detail?: unknown; title?: unknown };
    return [detail, title].find((text) => typeof text === 'string') ?? '';
  } catch {
    return '';
  }
}
