import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ApiProblem, addressOf, createClient, headersOf, type SluiceClient, type Transport } from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { type ApiCall, apiRequest } from '../../io/mod.ts';
import { fail } from './fail.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Which server a command asks, and as whom. */
export interface ApiOptions {
  readonly url: string;
  readonly key?: string;
  readonly ca?: string;
}

/** Of a command that shows what the API answers. */
export interface ShowOptions extends ApiOptions {
  readonly json?: boolean;
}

/** Puts the options that {@link ApiOptions} are read from on a command. */
export const withApiOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the server (environment: SLUICE_URL)', process.env['SLUICE_URL'] ?? DEFAULT_URL)
    .option('--key <key>', 'an API key (environment: SLUICE_API_KEY, which other users of the machine do not see)')
    .option('--ca <file>', "certificate (PEM) of the authority that vouches for the server, where the system's do not");

/** The same, and `--json`. */
export const withShowOptions = (command: Command): Command => withApiOptions(command).option('--json', "print the API's answer as JSON");

/** A client of the server that the options name; its calls reject with `SluiceError`. */
export const clientOf = (options: ApiOptions): SluiceClient => createClient(transportOf(options));

/** What calls the server that the options name; rejects with `SluiceError`. A POST whose connection breaks is sent once more, with the same key: nothing is done twice. */
export function transportOf({ url, key = process.env['SLUICE_API_KEY'], ca }: ApiOptions): Transport {
  const base = serverAddress(url);
  const authority = readAuthority(ca);
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return async <Answer>(call: Parameters<Transport>[0]): Promise<Answer> => {
    const idempotencyKey = call.method === 'POST' ? (call.idempotencyKey ?? randomUUID()) : undefined;
    const send = (): Promise<unknown> =>
      apiRequest({
        method: call.method as ApiCall['method'],
        url: new URL(addressOf(call), base),
        headers: { ...authorization, ...headersOf({ ...call, idempotencyKey }) },
        ...(call.body === undefined ? {} : { body: call.body }),
        ca: authority,
      });
    const answer = send().catch((error: unknown) => {
      if (idempotencyKey === undefined || !isBroken(error as SluiceError)) throw error;
      return send();
    });
    return (await answer) as Answer;
  };
}

/** Whether a connection was there and broke, so that nobody knows how far the server came. */
const isBroken = ({ cause }: { readonly cause?: unknown }): boolean => BROKEN.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '');
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** The address in `--url`; throws `SluiceError` for what is none. */
export function serverAddress(url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new SluiceError('cli.bad-url', `${JSON.stringify(url)} is no address: give https://HOST:PORT`);
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

/** Prints what an action returns, or why it failed: in words, or with `--json` as JSON. */
export async function run({ json }: { readonly json?: boolean }, action: () => Promise<string>): Promise<void> {
  try {
    console.log(await action());
  } catch (cause) {
    process.exitCode = fail(cause instanceof ApiProblem ? new SluiceError(cause.code, cause.message, { cause }) : cause, json);
  }
}

/** What the API answered, as JSON or as the command words it. */
export const shown = <Answer>({ json }: { readonly json?: boolean }, answer: Answer, words: (answer: Answer) => string): string =>
  json === true ? JSON.stringify(answer, null, 2) : words(answer);
