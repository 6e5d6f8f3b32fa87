import type { TokenRefused } from './token-claims.ts';

/** The app has as much as it may. Never renamed. */
export type LimitRefused = 'limit-streams' | 'limit-viewers' | 'limit-bitrate-in' | 'limit-bitrate-out';

/** Why somebody may not publish or play. Never renamed. */
export type AccessRefused =
  | TokenRefused
  | LimitRefused
  | 'key-missing'
  | 'key-wrong'
  | 'key-expired'
  | 'key-stream'
  | 'app-unknown'
  | 'too-many-attempts'
  | 'token-missing'
  | 'domain'
  | 'network'
  | 'hook-refused'
  | 'hook-unavailable'
  | 'not-ready';

/** What a protocol makes of it: 401 without or with `invalid_token`, 403, 404, 429, 503. */
export type RefusalKind = 'missing' | 'wrong' | 'forbidden' | 'not-found' | 'too-many' | 'unavailable';

/** The registry of the room's refusals. The message says what to do, and tells no secret. */
export const ACCESS_REFUSALS: Readonly<Record<AccessRefused, { readonly kind: RefusalKind; readonly message: string }>> = {
  'key-missing': { kind: 'missing', message: 'this stream needs a key: publish to NAME?key=SECRET' },
  'key-wrong': { kind: 'wrong', message: 'the stream key is wrong' },
  'key-expired': { kind: 'wrong', message: 'the stream key has expired: ask for a new one' },
  'key-stream': { kind: 'forbidden', message: 'the stream key is for another stream of the app' },
  'app-unknown': { kind: 'not-found', message: 'there is no such app' },
  'too-many-attempts': { kind: 'too-many', message: 'too many wrong keys came from this address; wait a while' },
  'token-missing': { kind: 'missing', message: 'playing this needs a signed token' },
  'token-malformed': { kind: 'wrong', message: 'the token is no signed token: copy it whole' },
  'token-algorithm': { kind: 'wrong', message: 'the app has no key for the algorithm of the token' },
  'token-signature': { kind: 'wrong', message: 'the signature of the token is not of a key of this app' },
  'token-claims': { kind: 'wrong', message: 'a claim of the token is missing or wrong: it needs stream (or sub), act and exp' },
  'token-issuer': { kind: 'wrong', message: 'the token is by another issuer than the app takes' },
  'token-audience': { kind: 'wrong', message: 'the token is for another audience' },
  'token-expired': { kind: 'wrong', message: 'the token has expired: ask for a new one' },
  'token-not-yet': { kind: 'wrong', message: 'the token does not hold yet' },
  'token-revoked': { kind: 'wrong', message: 'the token was revoked: ask for a new one' },
  'token-act': { kind: 'forbidden', message: 'the token is not for this: one to play does not publish, nor the other way round' },
  'token-stream': { kind: 'forbidden', message: 'the token is for another stream' },
  'token-address': { kind: 'forbidden', message: 'the token is for another address' },
  'token-keys-unavailable': { kind: 'unavailable', message: 'the keys to check the token with cannot be fetched now; try again soon' },
  domain: { kind: 'forbidden', message: 'this may not be played on that page' },
  network: { kind: 'forbidden', message: 'this may not be played from that address' },
  'hook-refused': { kind: 'forbidden', message: 'a webhook of the app does not allow it' },
  'hook-unavailable': { kind: 'unavailable', message: 'a webhook of the app has to allow this, and gives no answer now; try again soon' },
  'limit-streams': { kind: 'too-many', message: 'the app has as many streams as it may: end one, or try again later' },
  'limit-viewers': { kind: 'too-many', message: 'the app has as many viewers as it may: try again later' },
  'limit-bitrate-in': {
    kind: 'too-many',
    message: 'the publishers of the app send as much as they may: lower the bitrate, or try again later',
  },
  'limit-bitrate-out': { kind: 'too-many', message: 'the viewers of the app get as much as they may: try again later' },
  'not-ready': { kind: 'unavailable', message: 'the server does not know yet who may do this; try again soon' },
};
