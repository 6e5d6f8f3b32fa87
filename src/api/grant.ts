import { ApiError } from './problem.ts';

/** What a key in the store is for, beside `read` and `admin`. */
export interface KeyGrant {
  /** To know it by in the log of changes. */
  readonly who: string;
  /** The apps that it is for. */
  readonly apps: readonly string[];
}

/** Whom an operation is done for. */
export interface Grant {
  readonly who: string;
  /** Whether it may see all apps, and what concerns none. */
  readonly seesAll: boolean;
  maySee(app: string): boolean;
}

/** What a change was, for the log. Never with a secret in it. */
export interface Change {
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

export const grantOf = (held: 'read' | 'admin' | undefined, key: KeyGrant | undefined, who: string): Grant => {
  const apps = new Set(key?.apps);
  return { who: key?.who ?? who, seesAll: held !== undefined, maySee: (app) => held !== undefined || apps.has(app) };
};

export interface AppCall {
  readonly held: 'read' | 'admin' | undefined;
  readonly key: KeyGrant | undefined;
  readonly isChange: boolean;
  /** The app in the path; undefined: the operation looks at all that the key may see. */
  readonly app: string | undefined;
}

/** Whether a key may do something with an app; throws otherwise. An app that is another's is answered like one that there is not. */
export function authorizeApp({ held, key, isChange, app }: AppCall): void {
  if (held === 'admin') return;
  const isOfApp = key !== undefined && (app === undefined ? key.apps.length > 0 : key.apps.includes(app));
  if (isOfApp || (held === 'read' && !isChange)) return;
  if (held === 'read')
    throw new ApiError('api.scope-missing', 'this needs a key with scope "admin" or of the app; the one given has "read"');
  throw app === undefined ? new ApiError('api.scope-missing', 'this needs another key') : appNotFound(app);
}
