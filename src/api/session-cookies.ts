import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { WallMs } from '../core/mod.ts';
import type { KnownKey } from './grant.ts';
import { readSigned, signedText } from './signed-text.ts';

/** What a cookie stands for, after its signature was found right and its key is there. */
export interface Session {
  readonly id: string;
  readonly key: SessionKey;
  readonly expiresAtMs: number;
}

/** A key that the console takes. */
export type SessionKey = KnownKey & { readonly held: 'read' | 'admin' };

/** The sessions that were ended before their time, on any node. */
export interface EndedSessionList {
  has(id: string): boolean;
  /** Never rejects. */
  add(id: string, expiresAtMs: number): Promise<void>;
}

export interface SessionCookiesOptions {
  /** At least 32 bytes each. The first signs; cookies signed by any of them are taken. */
  readonly secrets: () => readonly Uint8Array[];
  readonly wall: () => WallMs;
  /** The key of an id, as long as it counts: a session ends with the key that it stands for. */
  readonly keyOf: (id: string) => KnownKey | undefined;
  /** Absent: only this server knows which sessions were ended here. */
  readonly ended?: EndedSessionList | undefined;
}

/** A working day: who looks on tomorrow signs in again. */
const SESSION_MS = 12 * 3_600_000;
/** Sessions that were ended here before their time; past it, the oldest is forgotten. */
const ENDED_MAX = 10_000;
/** The name of the cookie. */
export const SESSION_COOKIE = 'sluice-session';
const ATTRIBUTES = 'Path=/api; HttpOnly; SameSite=Strict';

/** The header without which a session changes nothing: another site's page cannot send it without asking first, and is not answered. */
export const CONSOLE_HEADER = 'x-sluice-console';

/**
 * Sessions of browsers, each in a cookie that no script sees. The cookie says itself what it is worth, under an HMAC-SHA-256: whoever has the secret can tell,
 * so any node of a cluster serves it, and none has to remember it: only those that were ended are.
 */
export class SessionCookies {
  private readonly options: SessionCookiesOptions;
  private readonly ended = new Set<string>();

  constructor(options: SessionCookiesOptions) {
    this.options = options;
  }

  /** A new session, and the value of `Set-Cookie` that gives it to the browser. */
  begin(key: SessionKey, isTls: boolean): { readonly session: Session; readonly cookie: string } {
    const now = Math.round(this.options.wall());
    const id = randomBytes(12).toString('base64url');
    const expiresAtMs = Math.min(now + SESSION_MS, key.expiresAtMs ?? Number.POSITIVE_INFINITY);
    const token = signedText({ v: 2, id, key: key.id, expiresAtMs }, this.options.secrets());
    const age = Math.max(0, Math.floor((expiresAtMs - now) / 1000));
    return {
      session: { id, key, expiresAtMs },
      cookie: `${SESSION_COOKIE}=${token}; Max-Age=${age}; ${ATTRIBUTES}${isTls ? '; Secure' : ''}`,
    };
  }

  /** The session of a `Cookie` header; undefined when there is none, or it is forged, over, or ended, or its key is gone. */
  sessionOf(header: string | undefined): Session | undefined {
    const said = parse(readSigned(tokenOf(header), this.options.secrets()));
    if (said === undefined || said.expiresAtMs <= this.options.wall() || this.isEnded(said.id)) return undefined;
    const key = this.options.keyOf(said.key);
    return key !== undefined && opensSessions(key) ? { ...said, key } : undefined;
  }

  /** Ends a session before its time, and returns the value of `Set-Cookie` that takes it from the browser. */
  async end(session: Session | undefined, isTls: boolean): Promise<string> {
    if (session !== undefined) {
      this.ended.add(session.id);
      await this.options.ended?.add(session.id, session.expiresAtMs);
    }
    if (this.ended.size > ENDED_MAX) {
      for (const oldest of this.ended) {
        this.ended.delete(oldest);
        break;
      }
    }
    return `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}${isTls ? '; Secure' : ''}`;
  }

  private isEnded(id: string): boolean {
    return this.ended.has(id) || this.options.ended?.has(id) === true;
  }
}

/** Whether the console takes a key: one for single apps sees too little of it. */
export const opensSessions = (key: KnownKey): key is SessionKey => key.held !== undefined;

/** Whether a request was made by a page of the server itself: it has the console's header, and names no other origin. */
export function isFromOwnPage(headers: IncomingHttpHeaders): boolean {
  if (headers[CONSOLE_HEADER] === undefined) return false;
  const { origin } = headers;
  if (origin === undefined) return true;
  const host = headers.host ?? (headers as Record<string, unknown>)[':authority'];
  return URL.canParse(origin) && new URL(origin).host === host;
}

function tokenOf(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const text = pair.trim();
    if (text.startsWith(`${SESSION_COOKIE}=`)) return text.slice(SESSION_COOKIE.length + 1);
  }
  return undefined;
}

interface SaidSession extends Omit<Session, 'key'> {
  /** The id of its key. */
  readonly key: string;
}

/** Of what was signed; undefined for another version, and for what is no session. */
function parse(fields: Readonly<Record<string, unknown>> | undefined): SaidSession | undefined {
  const { v, id, key, expiresAtMs } = fields ?? {};
  if (v !== 2 || typeof id !== 'string' || typeof key !== 'string' || typeof expiresAtMs !== 'number') return undefined;
  return { id, key, expiresAtMs };
}
