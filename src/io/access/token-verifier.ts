import { hash } from 'node:crypto';
import {
  type CompactVerifyGetKey,
  type CryptoKey,
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  importSPKI,
} from 'jose';
import {
  readClaims,
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
  type TokenKey,
  type TokenSettings,
  type TokenVerdict,
  type UrlPolicy,
} from '../../access/mod.ts';
import { hs256Payload } from './hs256.ts';
import { KeySetFetch } from './key-set-fetch.ts';

export interface TokenVerifierOptions {
  /** What key sets may be fetched from. */
  readonly policy: UrlPolicy;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Tokens kept; past it, the one that was checked first is forgotten. */
  readonly cachedMax?: number;
}

const CACHED_MAX = 50_000;
const KEY_SETS_MAX = 1_000;
const KEY_SET_COOLDOWN_MS = 30_000;
const KEY_SET_AGE_MS_MAX = 10 * 60_000;

type Done = (verdict: TokenVerdict) => void;
interface Cached {
  /** With other settings the token has to be checked anew. */
  readonly settings: TokenSettings;
  readonly verdict: TokenVerdict;
  readonly expiresAtMs: number;
}

/** Checks the signatures of tokens (RFC 7515, RFC 7519), each token once: it is known by its hash until it lapses. */
export class TokenVerifier {
  private readonly options: TokenVerifierOptions;
  private readonly cached = new Map<string, Cached>();
  private readonly pending = new Map<string, { readonly settings: TokenSettings; readonly waiting: Done[] }>();
  private readonly imported = new WeakMap<TokenKey, Promise<CryptoKey>>();
  private readonly keySets = new Map<string, CompactVerifyGetKey>();

  constructor(options: TokenVerifierOptions) {
    this.options = options;
  }

  /** Tokens that are known. */
  get size(): number {
    return this.cached.size;
  }

  /** `done` is called once: at once for a token that is known or signed with a secret, else later. Tells nothing of times: those are judged at each use. */
  readonly verify = (app: string, settings: TokenSettings, token: string, done: Done): void => {
    const id = `${app}/${hash('sha256', token, 'base64')}`;
    const known = this.cached.get(id);
    if (known !== undefined && known.settings === settings) {
      if (known.expiresAtMs > this.options.wall()) {
        done(known.verdict);
        return;
      }
      this.cached.delete(id);
    }
    const judged = judgedAtOnce(settings, token);
    if ('verdict' in judged) {
      this.tell(id, settings, judged.verdict, [done]);
      return;
    }
    const pending = this.pending.get(id);
    if (pending?.settings === settings) {
      pending.waiting.push(done);
      return;
    }
    const waiting = [done];
    this.pending.set(id, { settings, waiting });
    void this.check(settings, token, judged.algorithm, judged.kid).then((verdict) => {
      if (this.pending.get(id)?.waiting === waiting) this.pending.delete(id);
      this.tell(id, settings, verdict, waiting);
    });
  };

  private tell(id: string, settings: TokenSettings, verdict: TokenVerdict, waiting: readonly Done[]): void {
    if ('claims' in verdict) this.keep(id, { settings, verdict, expiresAtMs: verdict.claims.exp * 1000 });
    for (const done of waiting) done(verdict);
  }

  private keep(id: string, cached: Cached): void {
    this.cached.delete(id);
    this.cached.set(id, cached);
    if (this.cached.size <= (this.options.cachedMax ?? CACHED_MAX)) return;
    for (const oldest of this.cached.keys()) {
      this.cached.delete(oldest);
      break;
    }
  }

  /** Never rejects. */
  private async check(settings: TokenSettings, token: string, algorithm: PublicAlgorithm, kid: string | undefined): Promise<TokenVerdict> {
    const keys = keysOf(settings, algorithm, kid);
    const keySet = this.keySet(settings.jwksUrl);
    if (keySet === undefined && !settings.keys.some((key) => key.algorithm === algorithm)) return { refused: 'token-algorithm' };
    for (const key of keys) {
      const payload = await this.payloadOf(token, key);
      if (payload !== undefined) return claimsOf(payload, settings);
    }
    return keySet === undefined ? { refused: 'token-signature' } : checkByKeySet(token, algorithm, keySet, settings);
  }

  private async payloadOf(token: string, key: TokenKey): Promise<Uint8Array | undefined> {
    try {
      const material = await this.materialOf(key);
      return (await compactVerify(token, material, { algorithms: namesOf(key.algorithm) })).payload;
    } catch {
      return undefined;
    }
  }

  private materialOf(key: TokenKey): Promise<CryptoKey> {
    const known = this.imported.get(key);
    if (known !== undefined) return known;
    const made = importKey({ algorithm: key.algorithm as PublicAlgorithm, material: key.material });
    // Told where it is used, too.
    made.catch(() => undefined);
    this.imported.set(key, made);
    return made;
  }

  private keySet(url: string | undefined): CompactVerifyGetKey | undefined {
    if (url === undefined) return undefined;
    const known = this.keySets.get(url);
    if (known !== undefined) return known;
    const { policy, wall } = this.options;
    const fetch = new KeySetFetch(policy, wall);
    const made = createRemoteJWKSet(new URL(url), {
      [customFetch]: (address: string) => fetch.fetch(address),
      cooldownDuration: KEY_SET_COOLDOWN_MS,
      cacheMaxAge: KEY_SET_AGE_MS_MAX,
    });
    if (this.keySets.size >= KEY_SETS_MAX) this.keySets.clear();
    this.keySets.set(url, made);
    return made;
  }
}

/** Reads a public key for its algorithm; rejects for what is none. Also for those who take keys in. */
export function importKey({ algorithm, material }: { readonly algorithm: PublicAlgorithm; readonly material: string }): Promise<CryptoKey> {
  return importSPKI(material, algorithm === 'EdDSA' ? 'Ed25519' : algorithm);
}

const keysOf = ({ keys }: TokenSettings, algorithm: TokenAlgorithm, kid: string | undefined): readonly TokenKey[] =>
  keys.filter((key) => key.algorithm === algorithm && (kid === undefined || kid === key.id));

/**
 * What needs no other thread: a token that is none, and one that is signed with a secret. A set of public keys is never asked for a secret: whoever can read it
 * could sign with what stands in it.
 */
function judgedAtOnce(settings: TokenSettings, token: string): { readonly verdict: TokenVerdict } | PublicSignature {
  const header = headerOf(token);
  if (header === undefined) return { verdict: { refused: 'token-malformed' } };
  const { algorithm, kid } = header;
  if (algorithm === undefined) return { verdict: { refused: 'token-algorithm' } };
  if (algorithm !== 'HS256') return { algorithm, kid };
  if (!settings.keys.some((key) => key.algorithm === 'HS256')) return { verdict: { refused: 'token-algorithm' } };
  for (const key of keysOf(settings, 'HS256', kid)) {
    const payload = hs256Payload(token, header.all, key);
    if (payload !== undefined) return { verdict: claimsOf(payload, settings) };
  }
  return { verdict: { refused: 'token-signature' } };
}

/** RFC 9864 names EdDSA over Ed25519 anew. */
const namesOf = (algorithm: TokenAlgorithm): string[] => (algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm]);

type PublicAlgorithm = Exclude<TokenAlgorithm, 'HS256'>;

/** What a token says that was signed with a private key. */
interface PublicSignature {
  readonly algorithm: PublicAlgorithm;
  readonly kid: string | undefined;
}

interface TokenHeader {
  readonly algorithm: TokenAlgorithm | undefined;
  readonly kid: string | undefined;
  readonly all: Readonly<Record<string, unknown>>;
}

function headerOf(token: string): TokenHeader | undefined {
  try {
    const all = decodeProtectedHeader(token);
    const { alg, kid } = all;
    return {
      all,
      algorithm: TOKEN_ALGORITHMS.find((known) => namesOf(known).includes(alg ?? '')),
      kid: typeof kid === 'string' ? kid : undefined,
    };
  } catch {
    return undefined;
  }
}

async function checkByKeySet(
  token: string,
  algorithm: TokenAlgorithm,
  keySet: CompactVerifyGetKey,
  settings: TokenSettings,
): Promise<TokenVerdict> {
  const algorithms = namesOf(algorithm);
  try {
    return claimsOf((await compactVerify(token, keySet, { algorithms })).payload, settings);
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return checkByEach(token, algorithms, error, settings);
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC')) {
      return { refused: error instanceof errors.JWKSInvalid ? 'token-keys-unavailable' : 'token-signature' };
    }
    return { refused: 'token-keys-unavailable' };
  }
}

async function checkByEach(
  token: string,
  algorithms: string[],
  keys: AsyncIterable<CryptoKey>,
  settings: TokenSettings,
): Promise<TokenVerdict> {
  for await (const key of keys) {
    try {
      return claimsOf((await compactVerify(token, key, { algorithms })).payload, settings);
    } catch {
      // The next one may be right.
    }
  }
  return { refused: 'token-signature' };
}

function claimsOf(payload: Uint8Array, settings: TokenSettings): TokenVerdict {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return { refused: 'token-claims' };
  }
  const read = readClaims(claims, settings);
  return 'refused' in read ? read : { claims: read };
}
