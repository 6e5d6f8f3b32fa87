import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import type { UrlPolicy } from '../../access/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { judgedLookup } from '../sources/judged-lookup.ts';

const BODY_BYTES_MAX = 256 * 1024;
const TIMEOUT_MS = 5_000;
/** For so long a set that could be fetched once counts while it cannot be fetched again. */
const KEPT_MS_MAX = 24 * 3600 * 1000;

/** Why a URL must not be fetched, or undefined. Only what nobody on the way can change: HTTPS, or this very machine. */
export function keySetRefusal(url: string, policy: UrlPolicy): string | undefined {
  const verdict = policy.judge(url, ['https', 'http']);
  if (!verdict.isAllowed) return verdict.reason;
  if (verdict.kind !== 'network') return 'a key set is fetched by HTTPS';
  const isOwn = ['localhost', '127.0.0.1', '::1'].includes(verdict.host);
  return verdict.scheme === 'https' || isOwn
    ? undefined
    : 'a key set is fetched by HTTPS: by HTTP, somebody on the way could give other keys';
}

/** Fetches a key set; while that fails, gives what the last fetch gave. Reaches only addresses that the policy allows, and follows no redirect. */
export class KeySetFetch {
  private readonly policy: UrlPolicy;
  private readonly now: () => number;
  private last: { readonly text: string; readonly at: number } | undefined;

  constructor(policy: UrlPolicy, now: () => number) {
    this.policy = policy;
    this.now = now;
  }

  /** Rejects when there is nothing to give. */
  async fetch(url: string): Promise<Response> {
    try {
      const text = await this.get(url);
      this.last = { text, at: this.now() };
      return new Response(text);
    } catch (error) {
      if (this.last === undefined || this.now() - this.last.at > KEPT_MS_MAX) throw error;
      return new Response(this.last.text);
    }
  }

  private get(url: string): Promise<string> {
    const refusal = keySetRefusal(url, this.policy);
    if (refusal !== undefined) return Promise.reject(new SluiceError('access.key-set', refusal));
    const options: RequestOptions = { lookup: judgedLookup(this.policy), signal: AbortSignal.timeout(TIMEOUT_MS), agent: false };
    return new Promise((resolve, reject) => {
      const request = (url.startsWith('https:') ? getHttps : getHttp)(url, options, (response) => {
        if (response.statusCode !== 200) {
          request.destroy(new SluiceError('access.key-set', `${url} answers with status ${response.statusCode}`));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > BODY_BYTES_MAX) request.destroy(new SluiceError('access.key-set', `${url} is longer than ${BODY_BYTES_MAX} bytes`));
        });
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      });
      request.on('error', reject);
    });
  }
}
