import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { WallMs } from '../core/mod.ts';

/** What a cookie says, after its signature was found right. */
export interface Session {
  readonly id: string;
  readonly scope: 'read' | 'admin';
  readonly expiresAtMs: number;
}

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
  /** Absent: only this server knows which sessions were ended here. */
  readonly ended?: EndedSessionList | undefined;
}

/** A working day: who looks on tomorrow signs in again. */
const SESSION_MS = 12 * 3_600_000;
/** Sessions that were ended here before their time; past it, the oldest is forgotten. */
const ENDED_MAX = 10_000;
const TOKEN_LENGTH_MAX = 512;
const NAME = 'sluice-session';
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
  begin(scope: Session['scope'], isTls: boolean): { readonly session: Session; readonly cookie: string } {
    const session: Session = {
      id: randomBytes(12).toString('base64url'),
      scope,
      expiresAtMs: Math.round(this.options.wall()) + SESSION_MS,
    };
    const body = Buffer.from(JSON.stringify({ v: 1, ...session })).toString('base64url');
    const [secret] = this.options.secrets();
    if (secret === undefined) throw new Error('there is no secret to sign sessions with');
    const token = `${body}.${sign(body, secret).toString('base64url')}`;
    return { session, cookie: `${NAME}=${token}; Max-Age=${SESSION_MS / 1000}; ${ATTRIBUTES}${isTls ? '; Secure' : ''}` };
  }

  /** The session of a `Cookie` header; undefined when there is none, or it is forged, over, or ended. */
  sessionOf(header: string | undefined): Session | undefined {
    const token = tokenOf(header);
    const dot = token?.indexOf('.') ?? -1;
    if (token === undefined || dot < 0 || token.length > TOKEN_LENGTH_MAX) return undefined;
    const body = token.slice(0, dot);
    const signature = Buffer.from(token.slice(dot + 1), 'base64url');
    if (!this.options.secrets().some((secret) => isSame(sign(body, secret), signature))) return undefined;
    const session = parse(body);
    if (session === undefined || session.expiresAtMs <= this.options.wall() || this.isEnded(session.id)) return undefined;
    return session;
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
    return `${NAME}=; Max-Age=0; ${ATTRIBUTES}${isTls ? '; Secure' : ''}`;
  }

  private isEnded(id: string): boolean {
    return this.ended.has(id) || this.options.ended?.has(id) === true;
  }
}

/** Whether a request was made by a page of the server itself: it has the console's header, and names no other origin. */
export function isFromOwnPage(headers: IncomingHttpHeaders): boolean {
  if (headers[CONSOLE_HEADER] === undefined) return false;
  const { origin } = headers;
  if (origin === undefined) return true;
  const host = headers.host ?? (headers as Record<string, unknown>)[':authority'];
  return URL.canParse(origin) && new URL(origin).host === host;
}

const sign = (body: string, secret: Uint8Array): Buffer => createHmac('sha256', secret).update(body).digest();
const isSame = (left: Buffer, right: Buffer): boolean => left.length === right.length && timingSafeEqual(left, right);

function tokenOf(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const text = pair.trim();
    if (text.startsWith(`${NAME}=`)) return text.slice(NAME.length + 1);
  }
  return undefined;
}

/** Of a body whose signature is right; one of another version is none. */
function parse(body: string): Session | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const { v, id, scope, expiresAtMs } = (value ?? {}) as Record<string, unknown>;
  if (v !== 1 || typeof id !== 'string' || typeof expiresAtMs !== 'number' || (scope !== 'read' && scope !== 'admin')) return undefined;
  return { id, scope, expiresAtMs };
}
