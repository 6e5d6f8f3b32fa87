import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SluiceError } from '../../core/mod.ts';
import { type ApiCall, apiRequest } from '../../io/mod.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Which server a command asks, and as whom. */
export interface ApiOptions {
  readonly url: string;
  readonly key?: string;
  readonly ca?: string;
}

/** Puts the options that {@link ApiOptions} are read from on a command. */
export const withApiOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the server (environment: SLUICE_URL)', process.env['SLUICE_URL'] ?? DEFAULT_URL)
    .option('--key <key>', 'an API key (environment: SLUICE_API_KEY)')
    .option('--ca <file>', "certificate (PEM) of the authority that vouches for the server, where the system's do not");

/** Calls the server's API below `/api/v1`. */
export function callApi(options: ApiOptions, method: ApiCall['method'], path: string, body?: unknown): Promise<unknown> {
  if (!URL.canParse(options.url))
    throw new SluiceError('cli.bad-url', `${JSON.stringify(options.url)} is no address: give https://HOST:PORT`);
  const key = options.key ?? process.env['SLUICE_API_KEY'];
  return apiRequest({
    method,
    url: new URL(`/api/v1${path}`, options.url),
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body }),
    ca: readAuthority(options.ca),
  });
}

/** All items of a list, page by page. */
export async function listAll<Item>(options: ApiOptions, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await callApi(options, 'GET', `${path}?limit=200${query}`)) as { items: Item[]; nextCursor?: string };
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

/** The certificates in a file; undefined for no file. */
export function readAuthority(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SluiceError('cli.file-unreadable', `${file} (--ca) cannot be read: ${(cause as Error).message}`, { cause });
  }
}
