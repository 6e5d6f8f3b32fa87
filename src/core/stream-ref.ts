import { SluiceError } from './errors.ts';

declare const valid: unique symbol;
/** A validated app or stream name: 1 to 64 of `A-Z a-z 0-9 _ . -`, starting with a letter, digit or underscore. Safe in URLs, paths and logs. */
export type Name = string & { readonly [valid]: 'name' };

/** Where a stream lives: `app/name`. Only made by {@link streamRef}. */
export interface StreamRef {
  readonly app: Name;
  readonly name: Name;
  /** `app/name`, the key in every map. */
  readonly path: string;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
// These are first path segments of URLs that mean something else (see docs/architecture.md).
const RESERVED_APPS: ReadonlySet<string> = new Set([
  'api',
  'watch',
  'publish',
  'cluster',
  'metrics',
  'healthz',
  'readyz',
  'assets',
  'console',
]);

/** Whether `text` can be an app's or a stream's name. */
export const isName = (text: string): text is Name => NAME.test(text) && !text.includes('..');

/** Validates both halves; throws `SluiceError` with code `core.bad-stream-name`. */
export function streamRef(app: string, name: string): StreamRef {
  if (!isName(app) || RESERVED_APPS.has(app)) throw badName('app', app);
  if (!isName(name)) throw badName('stream', name);
  return { app, name, path: `${app}/${name}` };
}

function badName(what: string, value: string): SluiceError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new SluiceError(
    'core.bad-stream-name',
    `${what} name ${shown} is not usable: take 1 to 64 letters, digits, "_", "." or "-", start with a letter, digit or "_", no "..", and no reserved word`,
  );
}
