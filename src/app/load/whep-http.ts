import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

const ANSWER_BYTES_MAX = 256 * 1024;
const ERROR_TEXT_MAX = 200;
const TIMEOUT_MS = 15_000;
const REDIRECTS_MAX = 3;

/** What a WHEP server gave for an offer. */
export interface WhepAnswer {
  readonly sdp: string;
  /** Where the session is ended; undefined when the server names none. */
  readonly session: URL | undefined;
}

/** The signalling of WHEP (draft-ietf-wish-whep) over kept-alive connections, at most `connections` at a time. */
export class WhepHttp {
  private readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  private readonly authorization: Readonly<Record<string, string>>;

  constructor(options: { readonly connections: number; readonly token?: string }) {
    const settings = { keepAlive: true, maxSockets: options.connections };
    this.agents = { http: new HttpAgent(settings), https: new HttpsAgent(settings) };
    this.authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  }

  /** Posts an offer. Rejects with an Error that says what the server answered instead. */
  async offer(endpoint: URL, sdp: string): Promise<WhepAnswer> {
    let url = endpoint;
    for (let redirects = 0; ; redirects++) {
      const { status, location, body } = await this.ask('POST', url, sdp);
      const target = location === undefined ? undefined : new URL(location, url);
      if ((status === 307 || status === 308) && target !== undefined && redirects < REDIRECTS_MAX) url = target;
      else if (status >= 200 && status < 300 && body.startsWith('v=0')) return { sdp: body, session: target };
      else throw new Error(`whep.refused: the server answered ${status}${detailOf(body)}`);
    }
  }

  /** Ends a session. Rejects when the server cannot be reached; what it answers does not matter any more. */
  async end(session: URL): Promise<void> {
    await this.ask('DELETE', session, undefined);
  }

  /** Closes idle connections; those in use end with their answers. */
  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private ask(
    method: 'POST' | 'DELETE',
    url: URL,
    sdp: string | undefined,
  ): Promise<{ readonly status: number; readonly location: string | undefined; readonly body: string }> {
    const isSecure = url.protocol === 'https:';
    const content = sdp === undefined ? {} : { 'content-type': 'application/sdp', 'content-length': Buffer.byteLength(sdp) };
    const options: RequestOptions = {
      method,
      agent: isSecure ? this.agents.https : this.agents.http,
      timeout: TIMEOUT_MS,
      headers: { ...this.authorization, ...content, accept: 'application/sdp', 'user-agent': 'sluice-load' },
    };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? requestHttps : requestHttp)(url, options, (response) => {
        const { statusCode: status = 0, headers } = response;
        readText(response).then((body) => resolve({ status, location: headers.location, body }), reject);
      });
      request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      request.once('error', (error) => reject(new Error(`whep.unreachable: ${error.message}`)));
      request.end(sdp);
    });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) {
    text += piece;
    if (text.length > ANSWER_BYTES_MAX) throw new Error(`whep.refused: the answer is larger than ${ANSWER_BYTES_MAX} bytes`);
  }
  return text;
}

/** The beginning of what a server says about its refusal. */
function detailOf(body: string): string {
  const text = /"detail"\s*:\s*"([^"]*)"/.exec(body)?.[1] ?? body;
  const line = text.replace(/\s+/g, ' ').trim();
  return line === '' ? '' : `: ${line.slice(0, ERROR_TEXT_MAX)}`;
}
