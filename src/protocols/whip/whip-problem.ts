import { CORS_HEADERS } from './cors.ts';
import type { WhipResponse } from './whip-message.ts';

interface Problem {
  readonly status: number;
  readonly title: string;
  /** What to do, where the one who refuses has nothing more exact to say. */
  readonly detail: string;
  readonly retryAfterS?: number;
}

/** Why the owner of the sessions may refuse something. */
export type WhipRefusal =
  | 'credential-missing'
  | 'credential-wrong'
  | 'forbidden'
  | 'stream-not-found'
  | 'stream-not-live'
  | 'source-not-started'
  | 'stream-taken'
  | 'offer-unusable'
  | 'restart-refused'
  | 'too-many-attempts'
  | 'too-many-requests'
  | 'too-many-sessions'
  | 'unavailable';

type WhipProblem =
  | WhipRefusal
  | 'fragment-unusable'
  | 'empty-body'
  | 'bad-offer'
  | 'bad-fragment'
  | 'bad-layer'
  | 'layer-unusable'
  | 'no-layers'
  | 'bad-authorization'
  | 'session-not-found'
  | 'method-not-allowed'
  | 'body-timeout'
  | 'etag-mismatch'
  | 'body-too-large'
  | 'media-type'
  | 'content-coding'
  | 'if-match-missing'
  | 'too-busy'
  | 'internal';

/** The registry of the room's codes, each with `whip.` before it. They are never renamed. */
const PROBLEMS: Readonly<Record<WhipProblem, Problem>> = {
  'empty-body': { status: 400, title: 'The request has no body', detail: 'Send the SDP as the body.' },
  'bad-offer': { status: 400, title: 'The SDP offer is malformed', detail: 'Send an SDP offer as a WebRTC peer makes it.' },
  'bad-fragment': { status: 400, title: 'The ICE fragment is malformed', detail: 'Send a fragment after RFC 8840.' },
  'bad-layer': {
    status: 400,
    title: 'The choice of a layer is malformed',
    detail: 'Send a JSON object with the encodingId of a layer, or an empty one for an automatic choice.',
  },
  'credential-missing': { status: 401, title: 'A token is needed', detail: 'Send Authorization: Bearer with the stream key or token.' },
  'credential-wrong': { status: 401, title: 'The token is not right', detail: 'Check the stream key or token.' },
  'bad-authorization': {
    status: 401,
    title: 'The Authorization is not understood',
    detail: 'Send Authorization: Bearer and a token of 1 to 4,096 visible ASCII characters.',
  },
  forbidden: { status: 403, title: 'This is not allowed', detail: 'Ask the owner of the app for the right to do this.' },
  'stream-not-found': { status: 404, title: 'There is no such stream', detail: 'Check app and name in the URL.' },
  'source-not-started': {
    status: 404,
    title: "The stream's source did not start in time",
    detail: 'It may still come. Try again after the time in Retry-After.',
    retryAfterS: 5,
  },
  'session-not-found': {
    status: 404,
    title: 'There is no such session',
    detail: 'It has ended, or never was. Make a new one by POST to the endpoint.',
  },
  'no-layers': { status: 404, title: 'The session has no layers', detail: 'Only pictures that are played have layers to choose from.' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here', detail: 'Use a method of the Allow header.' },
  'body-timeout': { status: 408, title: 'The body took too long to arrive', detail: 'Send the whole body at once.' },
  'stream-not-live': {
    status: 409,
    title: 'The stream is not live',
    detail: 'Nobody publishes it now. Try again after the time in Retry-After.',
    retryAfterS: 2,
  },
  'stream-taken': {
    status: 409,
    title: 'Somebody publishes the stream already',
    detail: 'Publish under another name, or end the other publisher first.',
  },
  'etag-mismatch': {
    status: 412,
    title: 'The ICE session has changed',
    detail: 'Send If-Match with the ETag of the last answer that had one, or "*" with an ICE restart.',
  },
  'body-too-large': { status: 413, title: 'The body is too large', detail: 'Leave out codecs and candidates that are not needed.' },
  'media-type': { status: 415, title: 'The body has a type that is not taken', detail: 'Set the Content-Type.' },
  'content-coding': { status: 415, title: 'The body is encoded', detail: 'Send the body without Content-Encoding.' },
  'offer-unusable': { status: 422, title: 'The offer cannot be answered', detail: 'Offer other codecs or media.' },
  'fragment-unusable': {
    status: 422,
    title: 'The ICE fragment cannot be used',
    detail: 'The session goes on as it is; end it and make a new one.',
  },
  'layer-unusable': {
    status: 422,
    title: 'The layer cannot be sent',
    detail: 'GET this URL for the layers that there are. What is sent stays as it is.',
  },
  'restart-refused': {
    status: 422,
    title: 'The ICE session cannot be restarted',
    detail: 'The session goes on as it is; end it and make a new one.',
  },
  'if-match-missing': {
    status: 428,
    title: 'The request has to be conditional',
    detail: 'Send If-Match with the ETag of the session, or "*" with an ICE restart.',
  },
  'too-many-attempts': {
    status: 429,
    title: 'Too many wrong tokens came from this address',
    detail: 'Wait, and check the token.',
    retryAfterS: 10,
  },
  'too-many-requests': { status: 429, title: 'Too many requests came', detail: 'Wait before the next one.', retryAfterS: 1 },
  'too-many-sessions': {
    status: 503,
    title: 'The server has as many sessions as it may',
    detail: 'Try again later, or raise the limit in the configuration.',
    retryAfterS: 5,
  },
  unavailable: { status: 503, title: 'WebRTC is not to be had now', detail: 'Try again later, or use another protocol.', retryAfterS: 5 },
  'too-busy': { status: 503, title: 'The server is busy', detail: 'Try again in a moment.', retryAfterS: 1 },
  internal: { status: 500, title: 'A fault of the server', detail: 'The log of the server says more.' },
};

/** What may be said more exactly than the registry does. */
export interface ProblemDetails {
  readonly detail?: string | undefined;
  /** Another stable code than `whip.` and the problem. */
  readonly code?: string | undefined;
  readonly retryAfterS?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem document (RFC 9457) as an answer. */
export function problemResponse(problem: WhipProblem, details: ProblemDetails = {}): WhipResponse {
  const { status, title, ...known } = PROBLEMS[problem];
  const code = details.code ?? `whip.${problem}`;
  const retryAfterS = details.retryAfterS ?? known.retryAfterS;
  const document = { type: `urn:sluice:problem:${code}`, title, status, detail: details.detail ?? known.detail, code };
  return {
    status,
    code,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...CORS_HEADERS,
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterS))) }),
      ...details.headers,
    },
    body: JSON.stringify(document),
  };
}
