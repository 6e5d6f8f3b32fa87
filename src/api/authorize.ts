import type { FastifyRequest } from 'fastify';
import { type Grant, grantOf, type KnownKey, linkGrant, notFoundAt } from './grant.ts';
import type { GuardedKeys } from './guarded-keys.ts';
import type { Operation, Scope } from './operation.ts';
import { ApiError } from './problem.ts';
import { isFromOwnPage, type SessionCookies } from './session-cookies.ts';

export interface AuthorizeOptions {
  readonly keys: GuardedKeys;
  /** Absent: keys alone are taken. */
  readonly sessions?: SessionCookies;
  /** Whether `public` operations need no key; when false they need one, or loopback. */
  readonly publicReads: boolean;
  /** Whether a request comes from this very machine, not through a proxy. */
  readonly isLocal: (request: FastifyRequest) => boolean;
}

export interface Authorized {
  /** Whether the caller may see what is not public, of what the grant lets it see. */
  readonly isPrivileged: boolean;
  readonly grant: Grant;
  /** What the caller proved to be itself by; undefined: nothing. */
  readonly credential?: string | undefined;
}

interface Shown {
  readonly key: KnownKey | undefined;
  readonly bySession: boolean;
  readonly credential: string | undefined;
}

/** What the caller may do with the operation; throws when the operation needs more than the caller has. Looks at no body. */
export function authorize(request: FastifyRequest, operation: Operation, options: AuthorizeOptions): Authorized {
  const { scope } = operation;
  const params = request.params as Readonly<Record<string, string>>;
  if (scope === 'token') return { isPrivileged: false, grant: grantOf(undefined, 'token') };
  if (operation.admits?.(params, request.query as Readonly<Record<string, unknown>>) === true)
    return { isPrivileged: false, grant: linkGrant };
  const { key, bySession, credential } = shownBy(request, options);
  // HEAD asks for less than GET.
  const isChange = request.method !== 'GET' && request.method !== 'HEAD';
  if (key === undefined) return withoutKey(scope, options.isLocal(request), options.publicReads);
  allowKey(key, scope, isChange, params);
  if (bySession && isChange && !isFromOwnPage(request.headers)) throw crossSite();
  const who = bySession ? `session of ${nameOfKey(key)}` : nameOfKey(key);
  const holds = (): boolean =>
    bySession ? options.sessions?.sessionOf(request.headers.cookie) !== undefined : options.keys.byId(key.id) !== undefined;
  // To change something, it is not enough to see it: a key that reads everything changes what is of its apps.
  const counting = isChange && key.held === 'read' ? { ...key, held: undefined } : key;
  return { isPrivileged: true, grant: grantOf(counting, who, holds), credential };
}

function shownBy(request: FastifyRequest, { keys, sessions }: AuthorizeOptions): Shown {
  const header = request.headers.authorization;
  if (header === undefined) {
    const session = sessions?.sessionOf(request.headers.cookie);
    return { key: session?.key, bySession: session !== undefined, credential: session === undefined ? undefined : `session:${session.id}` };
  }
  const text = /^Bearer +(\S{1,256})$/i.exec(header)?.[1];
  if (text === undefined) throw new ApiError('api.key-wrong', 'the Authorization header must be "Bearer KEY"', CHALLENGE);
  const key = keys.find(text, addressOf(request));
  if (key === undefined) throw new ApiError('api.key-wrong', 'no API key is like the one given; keys start with "sk_"', CHALLENGE);
  return { key, bySession: false, credential: text };
}

/** The peer's address; IPv4 as `192.0.2.1`. */
export const addressOf = ({ ip }: FastifyRequest): string => (ip.startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip);

/** Who has shown nothing sees what everybody does, and on this very machine everything. */
function withoutKey(scope: Scope, isLocal: boolean, publicReads: boolean): Authorized {
  if (scope === 'admin' || scope === 'app')
    throw new ApiError('api.key-missing', 'send an API key as "Authorization: Bearer sk_…"', CHALLENGE);
  if (isLocal) return { isPrivileged: true, grant: grantOf('everything', 'anybody') };
  if (scope === 'public' && publicReads) return { isPrivileged: false, grant: grantOf(undefined, 'anybody') };
  throw new ApiError('api.key-missing', 'reading needs an API key as "Authorization: Bearer sk_…" (or set api.publicReads)', CHALLENGE);
}

/** Throws where a key may not do something. What is another tenant's is answered like what there is not. */
function allowKey({ held, apps }: KnownKey, scope: Scope, isChange: boolean, params: Readonly<Record<string, string>>): void {
  if (held === 'admin') return;
  const { app } = params;
  if (held === undefined && app !== undefined && !apps.includes(app)) throw notFoundAt(params);
  const isOfApp = apps.length > 0 && (app === undefined || apps.includes(app));
  if (scope === 'admin') throw new ApiError('api.scope-missing', 'this needs a key with scope "admin"');
  if (scope === 'read' && held === undefined)
    throw new ApiError('api.scope-missing', 'this needs a key with scope "read"; the one given is for single apps');
  if (scope === 'app' && isChange && !isOfApp)
    throw new ApiError('api.scope-missing', 'this needs a key with scope "admin" or of the app; the one given has "read"');
}

/** As the log of changes has it. */
export const nameOfKey = ({ id, name }: KnownKey): string => `key:${id}${name === '' ? '' : ` (${name})`}`;

const CHALLENGE = { 'www-authenticate': 'Bearer realm="sluice"' };

const crossSite = (): ApiError =>
  new ApiError('api.cross-site', 'a change by a session has to come from a page of this server, with the header "X-Sluice-Console: 1"');
