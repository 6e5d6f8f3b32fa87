import { createHmac } from 'node:crypto';
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { cleanText, type HookOutcome, SIGNATURE_HEADER, signatureOf, UrlPolicy, type WebhookRecord } from '../../access/mod.ts';
import { judgedLookup, type Resolve, SourceRefused } from '../sources/judged-lookup.ts';

export interface HookSenderOptions {
  readonly policy: UrlPolicy;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** For tests; the system's resolver otherwise. */
  readonly resolve?: Resolve;
}

/** One request to a hook. Type and id go into headers: they are texts of this server's own. */
export interface HookMessage {
  readonly id: string;
  readonly type: string;
  readonly body: string;
  readonly timeoutMs: number;
}

/** What came of it, and how long that took. */
export type Sent = HookOutcome & { readonly durationMs: number };

const ANSWER_BYTES_MAX = 64 * 1024;
const DETAIL_LENGTH_MAX = 200;
const FREE_SOCKETS_MAX = 8;
const IDLE_MS_MAX = 15_000;
const NOWHERE = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** Why a webhook may not be at this URL, or undefined. Without TLS only in networks that are allowed though they are private. */
export function hookUrlRefusal(url: string, policy: UrlPolicy): string | undefined {
  const verdict = policy.judge(url, ['https', 'http']);
  if (!verdict.isAllowed) return verdict.reason;
  if (verdict.kind !== 'network') return 'a webhook is reached by HTTPS';
  if (!URL.canParse(url)) return 'it is no URL';
  const { username, password, hash } = new URL(url);
  if (username !== '' || password !== '') return 'it must not have a user name or password: the signature says who asks';
  if (hash !== '') return 'it must not have a fragment';
  return verdict.scheme === 'http' && !verdict.mustResolve && isPublic(verdict.host) ? PLAIN_HTTP : undefined;
}

/** What is said of a hook that this software does not understand. */
export const NEWER_HOOK = 'it was written by newer software, and this node leaves it alone: update this node';
const PLAIN_HTTP = 'a webhook in the public internet is reached by HTTPS: by HTTP, somebody on the way could answer in its place';
const isPublic = (address: string): boolean => NOWHERE.judgeAddress(address) === undefined;

/** Sends signed requests to hooks: to no address that the policy forbids, after no redirect, and without reading more than 64 KiB of an answer. */
export class HookSender {
  private readonly options: HookSenderOptions;
  private readonly http: HttpAgent;
  private readonly https: HttpsAgent;

  constructor(options: HookSenderOptions) {
    this.options = options;
    const agent = { keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX, timeout: IDLE_MS_MAX };
    this.http = new HttpAgent(agent);
    this.https = new HttpsAgent(agent);
  }

  /** Never rejects. */
  async post(hook: WebhookRecord, message: HookMessage): Promise<Sent> {
    const startedMs = performance.now();
    const outcome = await this.attempt(hook, message).catch((error: unknown) => failureOf(error as Error));
    return { ...outcome, durationMs: Math.round(performance.now() - startedMs) };
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  private attempt(hook: WebhookRecord, message: HookMessage): Promise<HookOutcome> {
    if (hook.isNewer === true) return Promise.resolve({ failed: 'newer', detail: NEWER_HOOK });
    const refusal = hookUrlRefusal(hook.url, this.options.policy);
    if (refusal !== undefined) return Promise.resolve({ failed: 'refused-address', detail: cleanText(refusal, DETAIL_LENGTH_MAX) });
    const isTls = hook.url.toLowerCase().startsWith('https:');
    const lookup = this.lookup(isTls);
    return new Promise((resolve) => {
      let current: ClientRequest | undefined;
      let isSettled = false;
      const settle = (outcome: HookOutcome): void => {
        isSettled = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        settle({ failed: 'timeout', detail: `it did not answer within ${message.timeoutMs} ms` });
        current?.destroy();
      }, message.timeoutMs);
      const go = (isRetry: boolean): void => {
        const request = this.request(hook, message, isTls, isRetry, lookup);
        current = request;
        request.on('response', (response) => takeAnswer(request, response, settle));
        request.on('error', (error: NodeJS.ErrnoException) => {
          // The peer hung up on a connection that was kept for reuse, just then: that says nothing of the hook.
          if (!isSettled && !isRetry && request.reusedSocket && isHangUp(error)) go(true);
          else settle(failureOf(error));
        });
        request.end(message.body);
      };
      go(false);
    });
  }

  private request(
    { url, secrets }: WebhookRecord,
    { id, type, body }: HookMessage,
    isTls: boolean,
    isRetry: boolean,
    lookup: LookupFunction,
  ): ClientRequest {
    const agent = isTls ? this.https : this.http;
    const options: RequestOptions = {
      method: 'POST',
      lookup,
      agent: isRetry ? false : agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Sluice',
        'x-sluice-event': type,
        'x-sluice-delivery': id,
        [SIGNATURE_HEADER]: signatureOf(secrets, body, this.options.wall(), hmac),
      },
    };
    return isTls ? requestHttps(url, options) : requestHttp(url, options);
  }

  private lookup(isTls: boolean): LookupFunction {
    const judged = judgedLookup(this.options.policy, this.options.resolve);
    if (isTls) return judged;
    return (hostname, options, callback) => {
      judged(hostname, { ...options, all: true }, (error, addresses) => {
        const all = error === null && Array.isArray(addresses) ? addresses : [];
        if (error !== null) callback(error, []);
        else if (all.some(({ address }) => isPublic(address))) callback(new SourceRefused({ code: 'address', reason: PLAIN_HTTP }), []);
        else if (options.all === true) callback(null, all);
        else callback(null, all[0]?.address ?? '', all[0]?.family);
      });
    };
  }
}

function takeAnswer(request: ClientRequest, response: IncomingMessage, settle: (outcome: HookOutcome) => void): void {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    settle({ failed: 'redirect', detail: `it answers with status ${status}: redirects are not followed` });
    request.destroy();
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= ANSWER_BYTES_MAX) {
      chunks.push(chunk);
      return;
    }
    settle({ failed: 'answer-too-long', detail: `its answer is longer than ${ANSWER_BYTES_MAX} bytes` });
    request.destroy();
  });
  response.on('end', () => settle({ status, body: Buffer.concat(chunks).toString('utf8') }));
  response.on('error', (error: NodeJS.ErrnoException) => settle(failureOf(error)));
}

const isHangUp = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNRESET' || code === 'EPIPE';

function failureOf(error: NodeJS.ErrnoException): HookOutcome {
  if (error instanceof SourceRefused) return { failed: 'refused-address', detail: cleanText(error.message, DETAIL_LENGTH_MAX) };
  return { failed: 'unreachable', detail: cleanText(`it cannot be reached: ${error.message}`, DETAIL_LENGTH_MAX) };
}
