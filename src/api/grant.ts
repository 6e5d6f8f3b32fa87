import { ApiError } from './problem.ts';

/** An API key that counts. */
export interface KnownKey {
  /** Stays its own for as long as it is there; no secret. */
  readonly id: string;
  /** What people know it by; may be empty. */
  readonly name: string;
  /** What it may with all apps; undefined: nothing. */
  readonly held: 'read' | 'admin' | undefined;
  /** The apps that it is for beside that. */
  readonly apps: readonly string[];
  /** When it ends by itself; undefined: never. */
  readonly expiresAtMs?: number | undefined;
}

/** Whom an operation is done for. */
export interface Grant {
  readonly who: string;
  /** Whether it may see all apps, and what concerns none. */
  readonly seesAll: boolean;
  maySee(app: string): boolean;
  /** Whether the key or the session behind it is still there: for what goes on for long. */
  holds(): boolean;
}

/** What a change was, for the log. Never with a secret in it. */
export interface Change {
  /** Who made it, where the operation itself finds that out. */
  readonly who?: string;
  readonly app?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change that was made. */
export interface NotedChange extends Change {
  readonly who: string;
  readonly address: string;
  /** The id of the operation. */
  readonly action: string;
  /** A path below `/api/v1`. */
  readonly target: string;
}

/** The answer for an app that there is not, and for one that is another's. */
export const appNotFound = (name: string): ApiError =>
  new ApiError('apps.not-found', `no app is named ${JSON.stringify(name)}: GET /api/v1/apps lists them`);

/** The app of what is named by a path that begins with it, `app/name`. */
export const appOf = (path: string): string => path.split('/', 1)[0] ?? '';

/** The answer for a stream that there is not, and for one that is another's. */
export const streamNotFound = (path: string): ApiError => new ApiError('api.stream-not-found', `${JSON.stringify(path)} is not live now`);

/** The answer about an app whose streams not everybody may play, for who has shown no key; whether it is there or not. */
export const closedApp = (): ApiError =>
  new ApiError('api.key-missing', 'not everybody may see the streams of this app: send an API key as "Authorization: Bearer sk_…"', {
    'www-authenticate': 'Bearer realm="sluice"',
  });

/** The answer for what a path names, an app or a stream of it. */
export const notFoundAt = ({ app = '', name }: Readonly<Record<string, string>>): ApiError =>
  name === undefined ? appNotFound(app) : streamNotFound(`${app}/${name}`);

/** What a key may see; `everything` for who needs none. */
export const grantOf = (of: KnownKey | 'everything' | undefined, who: string, holds: () => boolean = () => true): Grant => {
  const seesAll = of === 'everything' || of?.held !== undefined;
  const apps = new Set(of === 'everything' ? [] : of?.apps);
  return { who, seesAll, maySee: (app) => seesAll || apps.has(app), holds };
};

/** Of who shows a credential for the one thing that is asked for. */
export const linkGrant: Grant = { who: 'link', seesAll: false, maySee: () => true, holds: () => true };
