import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { AttemptLimit } from '../access/mod.ts';
import { durationMs, type MonotonicMs } from '../core/mod.ts';
import type { ApiKeys } from './api.ts';
import type { SessionResource } from './console-contract.ts';
import type { ApiCaller, Operation } from './operation.ts';
import { ApiError } from './problem.ts';
import type { SessionCookies } from './session-cookies.ts';

export interface SessionOperationsOptions {
  readonly keys: ApiKeys;
  readonly sessions: SessionCookies;
  readonly publicReads: boolean;
  /** Told with every answer: who it is that answers. */
  readonly server: { readonly node: string; readonly version: string; readonly isInCluster: boolean };
  readonly now: () => MonotonicMs;
}

/** Ten wrong keys at once and one more each six seconds. */
const ATTEMPTS = { attemptsMax: 10, refillMs: durationMs(6_000), addressesMax: 10_000 };

const session = Type.Object({
  scope: Type.Union([Type.Literal('none'), Type.Literal('public'), Type.Literal('read'), Type.Literal('admin')], {
    examples: ['admin'],
    description: '`public`: what everybody may see; `none`: not even that',
  }),
  by: Type.Optional(
    Type.Union([Type.Literal('session'), Type.Literal('key'), Type.Literal('local')], {
      description: 'What the scope comes from; `local`: from being on the same machine',
    }),
  ),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'Of a session' })),
  server: Type.Object({ node: Type.String(), version: Type.String(), isInCluster: Type.Boolean() }),
});
const signIn: TSchema = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 256, description: 'An API key', examples: ['sk_…'] }) },
  { additionalProperties: false },
);

/** Sign-in of browsers: `POST`, `GET` and `DELETE /session`. */
export function sessionOperations(options: SessionOperationsOptions): readonly Operation[] {
  const { sessions } = options;
  const attempts = new AttemptLimit(ATTEMPTS);
  const base = { path: '/session', scope: 'token', tag: 'session' } as const;
  return [
    {
      ...base,
      id: 'getSession',
      method: 'GET',
      summary: 'Ask who one is',
      description: 'What the caller may do, and which server answers. Needs nothing.',
      success: { status: 200, schema: session },
      handle: ({ caller }) => standing(caller, options),
    },
    {
      ...base,
      id: 'beginSession',
      method: 'POST',
      summary: 'Sign in',
      description:
        'Takes an API key and answers with a session in a cookie (HttpOnly, SameSite=Strict, under TLS Secure), which stands for the key for twelve hours on every node. Changes by session need the header "X-Sluice-Console: 1".',
      body: signIn,
      success: { status: 200, schema: session },
      errors: ['api.key-wrong', 'api.scope-missing', 'api.too-many-attempts'],
      handle: ({ body, caller, answer }): SessionResource => {
        const scope = scopeOf((body as { key: string }).key, caller, attempts, options);
        const begun = sessions.begin(scope, caller.isTls);
        answer.header('set-cookie', begun.cookie);
        return { scope, by: 'session', expiresAt: timeOf(begun.session.expiresAtMs), server: { ...options.server } };
      },
    },
    {
      ...base,
      id: 'endSession',
      method: 'DELETE',
      summary: 'Sign out',
      description: 'Ends the session on all nodes and takes the cookie away. Needs none.',
      success: { status: 204 },
      handle: async ({ caller, answer }) => {
        answer.header('set-cookie', await sessions.end(sessions.sessionOf(caller.header('cookie')), caller.isTls));
      },
    },
  ];
}

function scopeOf(key: string, caller: ApiCaller, attempts: AttemptLimit, { keys, now }: SessionOperationsOptions): 'read' | 'admin' {
  // Before the comparison: an address that guesses must not learn that it guessed right.
  if (attempts.isExhausted(caller.address, now()))
    throw new ApiError('api.too-many-attempts', 'too many wrong keys came from this address: wait a minute', { 'retry-after': '60' });
  const scope = keys.scopeOf(key);
  if (scope !== undefined) return scope;
  if (keys.grantOf?.(key) !== undefined)
    throw new ApiError('api.scope-missing', 'the console takes keys with scope "read" or "admin"; the one given is for single apps');
  attempts.noteWrong(caller.address, now());
  throw new ApiError('api.key-wrong', 'no API key of this node is like the one given; keys start with "sk_"');
}

function standing(caller: ApiCaller, { keys, sessions, publicReads, server }: SessionOperationsOptions): SessionResource {
  const rest = { server: { ...server } };
  const key = /^Bearer +(\S{1,256})$/i.exec(caller.header('authorization') ?? '')?.[1];
  const scope = key === undefined ? undefined : keys.scopeOf(key);
  if (scope !== undefined) return { scope, by: 'key', ...rest };
  const known = sessions.sessionOf(caller.header('cookie'));
  if (known !== undefined) return { scope: known.scope, by: 'session', expiresAt: timeOf(known.expiresAtMs), ...rest };
  if (caller.isLocal) return { scope: 'read', by: 'local', ...rest };
  return { scope: publicReads ? 'public' : 'none', ...rest };
}

const timeOf = (wallMs: number): string => new Date(wallMs).toISOString();

// The contract is written out for its readers; this line does not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: Same<Static<typeof session>, SessionResource> = true;
void contractIsSchema;
