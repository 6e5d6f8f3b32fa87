import type { Command } from 'commander';
import { type AddTokenKeyRequest, type App, allItems, type NewTokenKey, type RevokedToken } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { parseSeconds } from './parse-amount.ts';
import { readText } from './read-file.ts';
import { textTable } from './text-table.ts';

interface AddOptions extends ShowOptions {
  readonly algorithm: string;
  readonly file?: string;
}
interface RevokeOptions extends ShowOptions {
  readonly expires?: number;
  readonly endSessions?: boolean;
}

/** `sluice token-keys list|add|delete APP` and `sluice revoked-tokens list|add APP`: signed tokens. */
export function registerTokenKeys(program: Command): void {
  const keys = program.command('token-keys').description('list, add and delete the keys that check the signed tokens of an app');
  withShowOptions(keys.command('list <app>').description('list the keys, without secrets')).action((app: string, options: ShowOptions) =>
    run(options, async () => shown(options, (await clientOf(options).apps.get(app)).tokens.keys, keyTable)),
  );
  withShowOptions(keys.command('add <app>').description('add a key; of HS256 the server makes the secret, which is printed this once'))
    .option('--algorithm <name>', 'HS256, ES256 or EdDSA', 'HS256')
    .option('-f, --file <file>', 'the public key of ES256 or EdDSA in PEM; - reads standard input')
    .action((app: string, options: AddOptions) => run(options, () => add(app, options)));
  withShowOptions(keys.command('delete <app> <id>').description('delete a key; tokens that it has signed count no more')).action(
    (app: string, id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).apps.tokenKeys.delete(app, id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
  const revoked = program.command('revoked-tokens').description('list and revoke signed tokens of an app');
  withShowOptions(revoked.command('list <app>').description('list the tokens that were revoked')).action(
    (app: string, options: ShowOptions) =>
      run(options, async () =>
        shown(options, await allItems((query) => clientOf(options).apps.revokedTokens.list(app, query)), revokedTable),
      ),
  );
  withShowOptions(revoked.command('add <app> <jti>').description('revoke a token on all nodes, by its "jti"'))
    .option('--expires <time>', 'how long the token would still hold, e.g. 2h (default: 24h)', parseSeconds)
    .option('--end-sessions', 'end the publishers and viewers that it has let in, too')
    .action((app: string, jti: string, options: RevokeOptions) => run(options, () => revoke(app, jti, options)));
}

async function add(app: string, options: AddOptions): Promise<string> {
  const { algorithm, file } = options;
  const made = await clientOf(options).apps.tokenKeys.add(app, {
    // The server says what it makes of others.
    algorithm: algorithm as AddTokenKeyRequest['algorithm'],
    ...(file === undefined ? {} : { publicKey: readText(file) }),
  });
  return shown(options, made, addedText);
}

const addedText = ({ id, algorithm, secret }: NewTokenKey): string =>
  secret === undefined
    ? `${id} (${algorithm}) is added.`
    : `${secret}\n\nTokens are signed with this. It has the id ${id}, which may be their "kid", and is not shown again.`;

async function revoke(app: string, jti: string, options: RevokeOptions): Promise<string> {
  const { expires, endSessions } = options;
  const revoked = await clientOf(options).apps.revokedTokens.revoke(app, {
    jti,
    ...(expires === undefined ? {} : { expiresInS: expires }),
    ...(endSessions === undefined ? {} : { endSessions }),
  });
  return shown(options, revoked, ({ expiresAt }) => `${jti} is revoked; that is kept until ${expiresAt}.`);
}

function keyTable(keys: App['tokens']['keys']): string {
  if (keys.length === 0) return 'There are no keys for tokens.';
  return textTable(
    ['KEY', 'ALGORITHM', 'MADE'],
    keys.map(({ id, algorithm, createdAt }) => [id, algorithm, createdAt]),
  );
}

function revokedTable(tokens: readonly RevokedToken[]): string {
  if (tokens.length === 0) return 'No token is revoked.';
  return textTable(
    ['JTI', 'REVOKED', 'KEPT UNTIL'],
    tokens.map(({ jti, revokedAt, expiresAt }) => [jti, revokedAt, expiresAt]),
  );
}
