import { CORS_HEADERS } from './cors.ts';
import type { WhipTarget } from './whip-target.ts';

/** The body as the owner could read it: whole and at most the limit, or why not. `too-many`: as many bodies as may are being read already. */
export type WhipBody = Uint8Array | 'too-large' | 'too-slow' | 'too-many';

/** Headers by lower-case name; several of one name as an array, as Node gives them. */
export type WhipRequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One HTTP request to a WHIP or WHEP resource. */
export interface WhipRequest {
  /** In upper case. */
  readonly method: string;
  readonly target: WhipTarget;
  /** What follows `?`, without it; '' without. */
  readonly query: string;
  readonly headers: WhipRequestHeaders;
  /** Borrowed until the call returns. */
  readonly body: WhipBody;
  /** The client's IP address. */
  readonly address: string;
}

/** What to answer. Header names are in lower case; an array is several fields of one name. For `HEAD` the body is not to be sent. */
export interface WhipResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  /** The stable code of a refusal's problem document, for logs. */
  readonly code?: string;
}

/** The value of a header, several fields joined by commas (RFC 9110 5.3). */
export function headerValue(headers: WhipRequestHeaders, name: string): string | undefined {
  const value = headers[name];
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}

/** The media type of a `Content-Type` without its parameters, in lower case; '' without one. */
export function mediaType(headers: WhipRequestHeaders): string {
  const value = headerValue(headers, 'content-type') ?? '';
  const end = value.indexOf(';');
  return (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
}

/** An answer with the headers that every one has. */
export function answer(status: number, headers: WhipResponse['headers'], body = ''): WhipResponse {
  return { status, headers: { 'cache-control': 'no-store', ...CORS_HEADERS, ...headers }, body };
}
