import { assert, SluiceError, utf8Decode } from '../../core/mod.ts';
import { headerValue, mediaType, type WhipBody, type WhipRequest, type WhipResponse } from './whip-message.ts';
import { problemResponse } from './whip-problem.ts';

/** The refusal of a body that is not there, not whole, or not of the type that the resource takes. */
export function wrongBody({ headers, body }: WhipRequest, type: string, accept: 'accept-post' | 'accept-patch'): WhipResponse | undefined {
  if (mediaType(headers) !== type) {
    const detail = `The Content-Type has to be ${type}.`;
    return problemResponse('media-type', { detail, headers: { [accept]: type } });
  }
  if ((headerValue(headers, 'content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    return problemResponse('content-coding', { headers: { 'accept-encoding': 'identity' } });
  }
  if (body === 'too-large') return problemResponse('body-too-large');
  if (body === 'too-slow') return problemResponse('body-timeout');
  if (body === 'too-many') return problemResponse('too-busy');
  return body.length === 0 ? problemResponse('empty-body') : undefined;
}

/** The text of a body that {@link wrongBody} has nothing against. */
export function bodyText(body: WhipBody): string {
  assert(typeof body !== 'string', 'a body that was refused is not read');
  return utf8Decode(body);
}

/** A code like `sdp.bad` or `ice.bad-candidate` is about what is malformed; all others are about what is well formed and cannot be done. */
const MALFORMED = /\.bad(-|$)/;

/** Runs what may throw for what a client sent: 400 for what is malformed, else 422 (RFC 9110 15.5.21). */
export function attempt<T extends object>(what: 'offer' | 'fragment' | 'layer', action: () => T): T | WhipResponse {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, message } = error;
    const problem = MALFORMED.test(code) ? (`bad-${what}` as const) : (`${what}-unusable` as const);
    return problemResponse(problem, { code, detail: message });
  }
}
