import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { EventParser, type ReceivedEvent } from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { readAuthority, run, type ShowOptions, serverAddress, withShowOptions } from './api-options.ts';
import { parseCount } from './parse-amount.ts';

interface EventsOptions extends ShowOptions {
  readonly count?: number;
}

const RETRY_MS = 1_000;

/** `sluice events`: what changes, as it changes, until Ctrl-C. */
export function registerEvents(program: Command): void {
  withShowOptions(program.command('events').description('print what changes on the server, as it changes; Ctrl-C ends it'))
    .option('--count <number>', 'end after so many events', parseCount)
    .action((options: EventsOptions) => run(options, () => follow(options)));
}

/** Listens again where a connection breaks, and goes on after the event that came last. */
async function follow(options: EventsOptions): Promise<string> {
  let lastId: string | undefined;
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const response = await open(options, lastId);
    if (response === undefined) {
      await sleep(RETRY_MS);
      continue;
    }
    const parser = new EventParser();
    response.setEncoding('utf8');
    try {
      for await (const text of response as AsyncIterable<string>) {
        for (const event of parser.push(text)) {
          lastId = event.id;
          if (event.type === 'hello') continue;
          console.log(lineOf(event, options));
          left -= 1;
          if (left <= 0) return `${options.count} events.`;
        }
      }
    } catch {
      // It broke: go on with the next one.
    } finally {
      response.destroy();
    }
    await sleep(RETRY_MS);
  }
}

const lineOf = ({ id, type, data }: ReceivedEvent, { json }: EventsOptions): string => {
  if (json === true) return JSON.stringify({ id, type, data });
  const fields = Object.entries((data ?? {}) as Record<string, unknown>).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [new Date().toISOString(), type, ...fields].join('  ');
};

/** Undefined: nobody answers now, though somebody did before. Throws when nobody does at first, or the server refuses. */
function open(
  { url, key = process.env['SLUICE_API_KEY'], ca }: EventsOptions,
  lastId: string | undefined,
): Promise<IncomingMessage | undefined> {
  const address = new URL('/api/v1/events', serverAddress(url));
  const authority = readAuthority(ca);
  const options = {
    agent: false as const,
    headers: {
      accept: 'text/event-stream',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    },
    ...(authority === undefined ? {} : { ca: authority }),
  };
  return new Promise((resolve, reject) => {
    const request = (address.protocol === 'https:' ? httpsRequest : httpRequest)(address, options, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      return reject(
        new SluiceError('cli.events-refused', `${address.origin} answered with status ${response.statusCode}: is the key right?`),
      );
    });
    request.on('error', (error) => {
      if (lastId !== undefined) resolve(undefined);
      else reject(new SluiceError('cluster.server-unreachable', `${address.origin} cannot be asked: ${error.message}`, { cause: error }));
    });
    request.end();
  });
}
