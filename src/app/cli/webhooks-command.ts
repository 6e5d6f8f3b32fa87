import type { Command } from 'commander';
import {
  allItems,
  type CreateWebhookRequest,
  type DeadLetter,
  type TestWebhookAnswer,
  type Webhook,
  type WebhookDelivery,
} from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { EXIT_FAILED } from './exit-code.ts';
import { collect, parseSeconds } from './parse-amount.ts';
import { fieldLines, textTable } from './text-table.ts';

type AdmissionWish = NonNullable<CreateWebhookRequest['admission']>;
type EventsWish = NonNullable<CreateWebhookRequest['events']>;

interface CreateOptions extends ShowOptions {
  readonly ask?: string[];
  readonly event?: string[];
  readonly whenDown?: string;
  readonly retryFor?: number;
  readonly note?: string;
}

/** `sluice webhooks list|create|test|deliveries|dead-letters|retry|delete APP`. */
export function registerWebhooks(program: Command): void {
  const command = program.command('webhooks').description('make, test and look after the webhooks of an app');
  withShowOptions(command.command('list <app>').description('list the webhooks, without their secrets')).action(
    (app: string, options: ShowOptions) =>
      run(options, async () => {
        const { webhooks } = clientOf(options).apps;
        return shown(options, await allItems((query) => webhooks.list(app, query)), table);
      }),
  );
  registerCreate(command);
  registerTest(command);
  registerLetters(command);
  withShowOptions(command.command('delete <app> <id>').description('delete a webhook; what waits for it is dropped')).action(
    (app: string, id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).apps.webhooks.delete(app, id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

function registerCreate(command: Command): void {
  withShowOptions(command.command('create <app> <url>').description('make a webhook and print its secret this once'))
    .option('--ask <what>', 'ask it whether somebody may publish or play; may be given several times', collect)
    .option('--event <type>', 'tell it of such events, e.g. stream.started; may be given several times', collect)
    .option('--when-down <what>', 'what counts while a webhook that is asked gives no answer: allow or refuse')
    .option('--retry-for <time>', 'how long an event is tried again, e.g. 30m, 24h or 7d', parseSeconds)
    .option('--note <text>', 'to know it by')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice webhooks create live https://example.org/may --ask publish --when-down refuse\n  sluice webhooks create live https://example.org/told --event stream.started --event stream.ended',
    )
    .action((app: string, url: string, options: CreateOptions) =>
      run(options, async () => {
        const made = await clientOf(options).apps.webhooks.create(app, wishOf(url, options));
        return shown(
          options,
          made,
          ({ id, secret }) => `${secret}\n\nIts requests are signed with this. It has the id ${id}; the secret is not shown again.`,
        );
      }),
    );
}

function registerTest(command: Command): void {
  withShowOptions(
    command.command('test <app> <id>').description('send a test now, and show what comes back; fails when that would not do'),
  ).action((app: string, id: string, options: ShowOptions) =>
    run(options, async () => {
      const answer = await clientOf(options).apps.webhooks.test(app, id);
      if (!answer.ok) process.exitCode = EXIT_FAILED;
      return shown(options, answer, testText);
    }),
  );
  withShowOptions(command.command('deliveries <app> <id>').description('show what was sent by all nodes, the newest first')).action(
    (app: string, id: string, options: ShowOptions) =>
      run(options, async () => {
        const { items } = await clientOf(options).apps.webhooks.deliveries.list(app, id);
        return shown(options, items, deliveryTable);
      }),
  );
}

function registerLetters(command: Command): void {
  withShowOptions(command.command('dead-letters <app> <id>').description('show the events that did not arrive')).action(
    (app: string, id: string, options: ShowOptions) =>
      run(options, async () => shown(options, await lettersOf(app, id, options), letterTable)),
  );
  withShowOptions(
    command.command('retry <app> <id> [event]').description('send a dead letter again; all of them when none is named'),
  ).action((app: string, id: string, event: string | undefined, options: ShowOptions) =>
    run(options, async () => {
      const { deadLetters } = clientOf(options).apps.webhooks;
      const events = event === undefined ? (await lettersOf(app, id, options)).map((letter) => letter.id) : [event];
      for (const one of events) await deadLetters.retry(app, id, one);
      return shown(options, { retried: events }, () =>
        events.length === 1 ? `${events[0]} is sent again.` : `${events.length} events are sent again.`,
      );
    }),
  );
}

const lettersOf = (app: string, id: string, options: ShowOptions): Promise<DeadLetter[]> => {
  const { deadLetters } = clientOf(options).apps.webhooks;
  return allItems((query) => deadLetters.list(app, id, query));
};

/** What a value may be is judged by the server, which says so in its answer. */
function wishOf(url: string, { ask, event, whenDown, retryFor, note }: CreateOptions): CreateWebhookRequest {
  if ((ask === undefined) === (event === undefined))
    throw new SluiceError('cli.webhook-kind', 'give --ask for a webhook that is asked, or --event for one that is told of events');
  if (ask === undefined ? whenDown !== undefined : retryFor !== undefined)
    throw new SluiceError('cli.webhook-kind', '--when-down goes with --ask, and --retry-for with --event');
  const noted = note === undefined ? {} : { note };
  if (ask !== undefined) {
    const admission = {
      for: ask as AdmissionWish['for'],
      ...(whenDown === undefined ? {} : { whenDown: whenDown as 'allow' | 'refuse' }),
    };
    return { kind: 'admission', url, admission, ...noted };
  }
  const events = { types: event as EventsWish['types'], ...(retryFor === undefined ? {} : { retryForS: retryFor }) };
  return { kind: 'events', url, events, ...noted };
}

function table(webhooks: readonly Webhook[]): string {
  if (webhooks.length === 0) return 'There are no webhooks.';
  const rows = webhooks.map(({ id, kind, admission, events, enabled, url, note }) => [
    id,
    kind,
    [...(admission?.for ?? []), ...(events?.types ?? [])].join(','),
    enabled ? 'yes' : 'no',
    url,
    note,
  ]);
  return textTable(['WEBHOOK', 'KIND', 'OF', 'ENABLED', 'URL', 'NOTE'], rows);
}

const testText = ({ ok, httpStatus, durationMs, verdict, detail, body }: TestWebhookAnswer): string =>
  fieldLines([
    ['would do', ok ? 'yes' : 'no'],
    ['status', httpStatus === undefined ? 'no answer' : String(httpStatus)],
    ['took', `${Math.round(durationMs)} ms`],
    ['verdict', verdict],
    ['detail', detail],
    ['answer', body],
  ]);

function deliveryTable(deliveries: readonly WebhookDelivery[]): string {
  if (deliveries.length === 0) return 'Nothing was sent to it.';
  const rows = deliveries.map(({ at, type, stream, status, attempts, durationMs, httpStatus, node, detail }) => [
    at,
    type,
    stream ?? '',
    status,
    String(attempts),
    `${Math.round(durationMs)} ms`,
    httpStatus === undefined ? '' : String(httpStatus),
    node,
    detail ?? '',
  ]);
  return textTable(['AT', 'TYPE', 'STREAM', 'RESULT', 'ATTEMPTS', 'TOOK', 'STATUS', 'NODE', 'DETAIL'], rows);
}

function letterTable(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters.';
  const rows = letters.map(({ id, type, createdAt, diedAt, attempts, httpStatus, detail }) => [
    id,
    type,
    createdAt,
    diedAt,
    String(attempts),
    httpStatus === undefined ? '' : String(httpStatus),
    detail ?? '',
  ]);
  return textTable(['EVENT', 'TYPE', 'HAPPENED', 'GIVEN UP', 'ATTEMPTS', 'STATUS', 'DETAIL'], rows);
}
