import { JOIN_TOKEN_HEADER } from './join.ts';
import type { Operation } from './operation.ts';
import { SESSION_COOKIE } from './session-cookies.ts';

type Shown = 'apiKey' | 'session' | 'joinToken' | 'link';

type SecurityScheme =
  | { type: 'http'; scheme: string; description: string }
  | { type: 'apiKey'; in: string; name: string; description: string };

/** What a caller shows, as the document names it. */
export const securitySchemes: Record<Shown, SecurityScheme> = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `sk_…`' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description: 'What `POST /session` answers with. A change needs the header `X-Sluice-Console: 1`, too',
  },
  joinToken: { type: 'apiKey', in: 'header', name: JOIN_TOKEN_HEADER, description: 'A join token, `clt_…`' },
  link: { type: 'apiKey', in: 'query', name: 'token', description: 'In an address that the server itself has given' },
};

type Requirement = Readonly<Partial<Record<Shown, readonly string[]>>>;

const KEY_OR_SESSION: readonly Requirement[] = [{ apiKey: [] }, { session: [] }];

/** What an operation needs: one of these; the empty one is nothing. Callers on the server's own machine read without any. */
export function securityOf({ scope, admits, checkCredential }: Operation, publicReads: boolean): readonly Requirement[] {
  if (scope === 'token') return checkCredential === undefined ? [{}, ...KEY_OR_SESSION] : [{ joinToken: [] }];
  const link: readonly Requirement[] = admits === undefined ? [] : [{ link: [] }];
  return [...(scope === 'public' && publicReads ? [{}] : []), ...KEY_OR_SESSION, ...link];
}
