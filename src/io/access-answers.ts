import { ACCESS_REFUSALS, type AccessRefused, type RefusalKind } from '../access/mod.ts';

interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

// RFC 6750 3: a challenge with 401; without a token there is no error to tell.
const ANSWERS: Readonly<Record<RefusalKind, HttpAnswer>> = {
  missing: { status: 401, headers: { 'www-authenticate': 'Bearer realm="sluice"' } },
  wrong: { status: 401, headers: { 'www-authenticate': 'Bearer realm="sluice", error="invalid_token"' } },
  forbidden: { status: 403, headers: {} },
  'not-found': { status: 404, headers: {} },
  'too-many': { status: 429, headers: { 'retry-after': '10' } },
  unavailable: { status: 503, headers: { 'retry-after': '1' } },
};

/** How HTTP says that somebody may not play. */
export function accessAnswer(refused: AccessRefused): HttpAnswer & { readonly message: string } {
  const { kind, message } = ACCESS_REFUSALS[refused];
  return { ...ANSWERS[kind], message };
}

const TOKEN = /^token=([A-Za-z0-9_.~-]+)$/;

/** The signed token in a query; one with other characters than tokens have is '~', which is none. */
export function queryToken(query: string): string | undefined {
  if (!query.includes('token=')) return undefined;
  const field = query.split('&').find((part) => part.startsWith('token='));
  return field === undefined ? undefined : (TOKEN.exec(field)?.[1] ?? (field === 'token=' ? undefined : '~'));
}

/** The query without the token in it. */
export const withoutToken = (query: string): string =>
  query
    .split('&')
    .filter((part) => part !== '' && !part.startsWith('token='))
    .join('&');
