import { ApiProblem } from './api-problem.ts';
import { addressOf, headersOf, type Transport } from './transport.ts';

export interface FetchTransportOptions {
  /** `https://HOST:PORT`; '' in a page of the server itself. */
  readonly url: string;
  /** An API key. Absent: what the browser has (a session). */
  readonly key?: string;
  /** With every call. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answerMsMax?: number;
  readonly fetch?: typeof fetch;
}

const ANSWER_MS_MAX = 10_000;

/** Makes calls by `fetch`; they reject with {@link ApiProblem}. */
export function fetchTransport(options: FetchTransportOptions): Transport {
  const { url, key, answerMsMax = ANSWER_MS_MAX } = options;
  const send = options.fetch ?? fetch;
  return async <Answer>(call: Parameters<Transport>[0]): Promise<Answer> => {
    const response = await send(url + addressOf(call), {
      method: call.method,
      credentials: 'same-origin',
      signal: call.signal ?? AbortSignal.timeout(answerMsMax),
      headers: { ...options.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headersOf(call) },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    }).catch((cause: unknown) => {
      throw new ApiProblem(0, '', 'The server does not answer.', { cause });
    });
    if (response.status === 204) return undefined as Answer;
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer as Answer;
    const { code, detail } = (answer ?? {}) as { code?: unknown; detail?: unknown };
    throw new ApiProblem(
      response.status,
      typeof code === 'string' ? code : '',
      typeof detail === 'string' ? detail : `The server answered with status ${response.status}.`,
    );
  };
}
