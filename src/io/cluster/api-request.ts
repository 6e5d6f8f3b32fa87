import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PROBLEM_TYPE } from '../../api/mod.ts';
import { SluiceError } from '../../core/mod.ts';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Whole address. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** PEM of whom to trust instead of the system's authorities. */
  readonly ca: string | undefined;
}

const TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** What TLS says of a certificate that none of the trusted authorities vouches for. */
const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** What TLS says when the answer is not TLS. */
const PLAIN_HTTP = /wrong version number|packet length too long|record layer failure/;

/**
 * One call of another server's API, verified as TLS says; no redirect is followed. Returns the JSON of the answer, undefined when it has no body. Throws
 * `SluiceError`: the code of the problem document; `cluster.server-untrusted` when nobody vouches for the server's certificate, with nothing sent;
 * `cluster.server-plain-http`; `cluster.server-not-http`; `cluster.server-unreachable`; `cluster.answer-wrong`.
 */
export function apiRequest({ method, url, headers, body, ca }: ApiCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      headers: { accept: 'application/json', ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      agent: false as const,
      ...(ca === undefined ? {} : { ca }),
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      read(response)
        .then((text) => resolve(parse(response, text, url)))
        .catch((error: unknown) => reject(error instanceof SluiceError ? error : failure(error as NodeJS.ErrnoException, url)));
    });
    request.on('error', (error: NodeJS.ErrnoException) => reject(failure(error, url)));
    request.end(payload);
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) throw new SluiceError('cluster.answer-wrong', `the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse({ statusCode = 0, headers }: IncomingMessage, text: string, url: URL): unknown {
  const isDone = statusCode >= 200 && statusCode < 300;
  if (isDone && text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SluiceError('cluster.answer-wrong', `${url.origin} answered with status ${statusCode} and no JSON: is it a Sluice server?`);
  }
  if (isDone) return value;
  const { code, detail } = value as { code?: unknown; detail?: unknown };
  if (headers['content-type']?.startsWith(PROBLEM_TYPE) === true && typeof code === 'string' && typeof detail === 'string')
    throw new SluiceError(code, detail);
  throw new SluiceError('cluster.answer-wrong', `${url.origin} answered with status ${statusCode}: is it a Sluice server?`);
}

function failure(error: NodeJS.ErrnoException, url: URL): SluiceError {
  const { code = '', message } = error;
  if (UNTRUSTED.has(code)) {
    return new SluiceError(
      'cluster.server-untrusted',
      `nobody that this machine trusts vouches for the certificate of ${url.origin} (${message}): give the authority's certificate with --ca`,
      { cause: error },
    );
  }
  if (PLAIN_HTTP.test(message)) {
    return new SluiceError(
      'cluster.server-plain-http',
      `${url.origin} does not speak TLS: this port is plain http. Give the server a certificate (http.tls in its configuration), or http://${url.host}, which is right on its own machine; elsewhere whoever is on the way reads along ("sluice join" takes --insecure for that)`,
      { cause: error },
    );
  }
  if (code.startsWith('HPE_')) {
    return new SluiceError('cluster.server-not-http', `${url.origin} does not speak plain http: is it https://${url.host}?`, {
      cause: error,
    });
  }
  const why = error.name === 'AbortError' || error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS / 1000} s` : message || code;
  return new SluiceError('cluster.server-unreachable', `${url.origin} cannot be asked: ${why}`, { cause: error });
}
