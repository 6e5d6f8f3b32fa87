import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { nameOfKey } from './authorize.ts';
import type { SessionResource } from './console-contract.ts';
import type { GuardedKeys } from './guarded-keys.ts';
import type { ApiCaller, Operation } from './operation.ts';
import { ApiError } from './problem.ts';
import { opensSessions, type SessionCookies, type SessionKey } from './session-cookies.ts';

export interface SessionOperationsOptions {
  readonly keys: GuardedKeys;
  readonly sessions: SessionCookies;
  readonly publicReads: boolean;
  /** Told with every answer: who it is that answers. */
  readonly server: { readonly node: string; readonly version: string; readonly isInCluster: boolean };
}

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
  const base = { path: '/session', scope: 'token', tag: 'session' } as const;
  return [
    {
      ...base,
      id: 'getSession',
      method: 'GET',
      summary: 'Ask who one is',
      description: 'What the caller may do, and which server answers. Needs nothing.',
      success: { status: 200, schema: session },
      errors: ['api.too-many-attempts'],
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
      handle: ({ body, caller, answer, note }): SessionResource => {
        const key = keyOf((body as { key: string }).key, caller, options);
        const begun = sessions.begin(key, caller.isTls);
        note({ who: nameOfKey(key) });
        answer.header('set-cookie', begun.cookie);
        return { scope: key.held, by: 'session', expiresAt: timeOf(begun.session.expiresAtMs), server: { ...options.server } };
      },
    },
    {
      ...base,
      id: 'endSession',
      method: 'DELETE',
      summary: 'Sign out',
      description: 'Ends the session on all nodes and takes the cookie away. Needs none.',
      success: { status: 204 },
      handle: async ({ caller, answer, note }) => {
        const session = sessions.sessionOf(caller.header('cookie'));
        note({ who: session === undefined ? 'anybody' : `session of ${nameOfKey(session.key)}` });
        answer.header('set-cookie', await sessions.end(session, caller.isTls));
      },
    },
  ];
}

function keyOf(text: string, caller: ApiCaller, { keys }: SessionOperationsOptions): SessionKey {
  const key = keys.find(text, caller.address);
  if (key === undefined) throw new ApiError('api.key-wrong', 'no API key is like the one given; keys start with "sk_"');
  if (opensSessions(key)) return key;
  throw new ApiError('api.scope-missing', 'the console takes keys with scope "read" or "admin"; the one given is for single apps');
}

function standing(caller: ApiCaller, { keys, sessions, publicReads, server }: SessionOperationsOptions): SessionResource {
  const rest = { server: { ...server } };
  const everybody = { scope: publicReads ? 'public' : 'none', ...rest } as const;
  const header = caller.header('authorization');
  if (header !== undefined) {
    const held = keys.find(/^Bearer +(\S{1,256})$/i.exec(header)?.[1] ?? '', caller.address)?.held;
    return held === undefined ? everybody : { scope: held, by: 'key', ...rest };
  }
  const known = sessions.sessionOf(caller.header('cookie'));
  if (known !== undefined) return { scope: known.key.held, by: 'session', expiresAt: timeOf(known.expiresAtMs), ...rest };
  return caller.isLocal ? { scope: 'read', by: 'local', ...rest } : everybody;
}

const timeOf = (wallMs: number): string => new Date(wallMs).toISOString();

// The contract is written out for its readers; this line does not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: Same<Static<typeof session>, SessionResource> = true;
void contractIsSchema;
