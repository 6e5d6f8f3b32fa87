import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerApiKeys } from '../src/app/cli/api-keys-command.ts';
import { registerApps } from '../src/app/cli/apps-command.ts';
import { registerEvents } from '../src/app/cli/events-command.ts';
import { registerKeys } from '../src/app/cli/keys-command.ts';
import { registerLists } from '../src/app/cli/list-commands.ts';
import { registerRules } from '../src/app/cli/rules-commands.ts';
import { registerApply } from '../src/app/cli/settings-commands.ts';
import { registerStreams } from '../src/app/cli/streams-command.ts';
import { registerTokenKeys } from '../src/app/cli/token-keys-command.ts';
import { registerTranscoding } from '../src/app/cli/transcoding-command.ts';
import { registerWebhooks } from '../src/app/cli/webhooks-command.ts';
import { HookReceiver, status } from '../src/io/webhooks/hook-receiver.fixture.ts';
import { publish } from './fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const REGISTERS = [
  registerApiKeys,
  registerApply,
  registerApps,
  registerEvents,
  registerKeys,
  registerLists,
  registerRules,
  registerStreams,
  registerTokenKeys,
  registerTranscoding,
  registerWebhooks,
];

let server: ServerProcess;
let printed: string[];
let failed: string[];

beforeAll(async () => {
  server = await ServerProcess.start({ environment: { SLUICE_TRANSCODE_ENABLED: 'false', SLUICE_ACCESS_ALLOWED_NETWORKS: '127.0.0.1' } });
});
afterAll(() => server?.close());
beforeEach(() => {
  printed = [];
  failed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void failed.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** Runs `sluice …` against the server, as a shell would; returns what it prints. */
async function sluice(...words: string[]): Promise<string> {
  const program = new Command('sluice').exitOverride();
  for (const register of REGISTERS) register(program);
  printed.length = 0;
  const to = words.includes('--url') ? [] : ['--url', server.httpUrl, '--key', server.adminKey];
  await program.parseAsync([...words, ...to], { from: 'user' });
  return printed.join('\n');
}

describe('the commands of daily work', () => {
  it('make, show, change and delete an app and its keys', async () => {
    expect(await sluice('apps', 'create', 'news', '--playback', 'token', '--note', 'evening')).toBe('news is made.');
    expect(await sluice('apps')).toMatch(/^APP +PLAYBACK[\s\S]*\nnews +token +reject +0 +no +evening$/m);
    expect(await sluice('apps', 'set', 'news', '--playback', 'domains', '--domain', 'example.org')).toContain('domains example.org');
    expect(JSON.parse(await sluice('apps', 'show', 'news', '--json'))).toMatchObject({ name: 'news', playback: { policy: 'domains' } });
    expect(await sluice('keys', 'list', 'news')).toBe('There are no stream keys.');
    const made = await sluice('keys', 'create', 'news', '--stream', 'show', '--expires', '1h', '--note', 'studio');
    expect(made).toMatch(/^\S{20,}\n\nIt publishes news\/show until 20.*Z, has the id \w+, and is not shown again\.$/);
    const [key = ''] = made.split('\n');
    const id = /the id (\w+)/.exec(made)?.[1] ?? '';
    expect(await sluice('keys', 'list', 'news')).toMatch(new RegExp(`${id} +show .*studio`));
    expect(await sluice('keys', 'list', 'news', '--json')).not.toContain(key);
    const rotated = JSON.parse(await sluice('keys', 'rotate', 'news', id, '--grace', '5m', '--json'));
    expect(rotated).toMatchObject({ id, oldSecretUntil: expect.any(String) });
    expect(rotated.key).not.toBe(key);
    expect(await sluice('keys', 'delete', 'news', id)).toBe(`${id} is deleted.`);
    expect(await sluice('usage', 'news')).toMatch(/^news +0/m);
    expect(await sluice('audit', '--limit', '2')).toMatch(/deleteStreamKey +\/apps\/news\/keys/);
    expect(await sluice('apps', 'delete', 'news')).toBe('news is deleted.');
    expect(process.exitCode ?? 0).toBe(0);
  });

  it('make, list and delete API keys, which do what they are for', async () => {
    expect(await sluice('api-keys')).toBe('There are no API keys but those of data folders.');
    const made = await sluice('api-keys', 'create', '--scope', 'app:live', '--scope', 'read', '--expires', '1h', '--note', 'desk');
    expect(made).toMatch(/^sk_\S+\n\nIt is for app:live, read until 20.*Z, has the id \w+, and is not shown again\.$/);
    const [key = ''] = made.split('\n');
    const id = /the id (\w+)/.exec(made)?.[1] ?? '';
    expect(await sluice('api-keys', 'list')).toMatch(new RegExp(`^${id} +app:live,read .* desk$`, 'm'));
    expect(await sluice('keys', 'list', 'live', '--url', server.httpUrl, '--key', key)).toBe('There are no stream keys.');
    expect(JSON.parse(await sluice('api-keys', 'delete', id, '--json'))).toEqual({ deleted: id });
    await sluice('keys', 'list', 'live', '--url', server.httpUrl, '--key', key, '--json');
    expect(JSON.parse(failed.join())).toMatchObject({ code: 'api.key-wrong' });
    process.exitCode = 0;
  });

  it('add and delete keys for tokens, and revoke tokens', async () => {
    const added = await sluice('token-keys', 'add', 'live');
    const [secret = ''] = added.split('\n');
    const id = /the id (\w+)/.exec(added)?.[1] ?? '';
    expect(secret).toMatch(/^[\w-]{43}$/);
    const listed = await sluice('token-keys', 'list', 'live');
    expect(listed).toMatch(new RegExp(`^${id} +HS256 +20`, 'm'));
    expect(listed).not.toContain(secret);
    expect(await sluice('token-keys', 'delete', 'live', id)).toBe(`${id} is deleted.`);
    expect(await sluice('token-keys', 'list', 'live')).toBe('There are no keys for tokens.');
    expect(await sluice('revoked-tokens', 'list', 'live')).toBe('No token is revoked.');
    expect(await sluice('revoked-tokens', 'add', 'live', 'viewer-1', '--expires', '2h', '--end-sessions')).toMatch(/^viewer-1 is revoked/);
    expect(JSON.parse(await sluice('revoked-tokens', 'list', 'live', '--json'))).toMatchObject([{ jti: 'viewer-1' }]);
  });

  it('look at ladders, routing and weights, set them from what was shown, and unset them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-rules-'));
    const edited = async (name: string, of: string[], change: (text: string) => string): Promise<string> => {
      const file = join(folder, `${name}.yaml`);
      writeFileSync(file, change(await sluice(name, 'show', ...of)));
      return sluice(name, 'set', ...of, '-f', file);
    };
    expect(await edited('ladder', ['live'], (text) => text.replace(/^template: .*$/m, 'template: webrtc'))).toMatch(
      /^template: webrtc$[\s\S]*^source: settings$/m,
    );
    expect(await sluice('ladder', 'unset', 'live')).toBe('What the configuration says counts now.');
    expect(await sluice('ladder', 'show', 'live')).toMatch(/^source: configuration$/m);
    expect(await edited('routing', [], (text) => text.replace(/^regionHeader: .*$/m, 'regionHeader: x-region'))).toContain(
      'regionHeader: x-region',
    );
    expect(JSON.parse(await sluice('routing', 'unset', '--json'))).toEqual({ unset: 'routing' });
    expect(await edited('weights', [], () => 'rules: [{ app: live, weight: 5 }]\n')).toMatch(/app: live[\s\S]*weight: 5/);
    expect(JSON.parse(await sluice('weights', '--json'))).toMatchObject({ rules: [{ app: 'live', weight: 5 }], pins: [] });
    expect(await sluice('transcoding', 'decisions')).toBe('Nothing was decided yet.');
    expect(await sluice('transcoding', 'pool')).toContain('waiting');
    expect(process.exitCode ?? 0).toBe(0);
  });

  it('tell errors as JSON where the answer is', async () => {
    await sluice('streams', 'end', 'live/none', '--json');
    await sluice('apply', '-f', '/nowhere.yaml', '--json');
    expect(failed.map((line) => JSON.parse(line).code)).toEqual(['api.stream-not-found', 'cli.file-unreadable']);
    expect(printed).toEqual([]);
    expect(process.exitCode).toBe(2);
  });

  it('show what there is, also when that is nothing', async () => {
    expect(await sluice('streams')).toBe('No streams are live.');
    expect(JSON.parse(await sluice('streams', '--json'))).toEqual([]);
    expect(await sluice('sources')).toBe('There are no pull sources.');
    expect(await sluice('targets')).toBe('Nothing is pushed anywhere.');
    expect(await sluice('transcoding')).toMatch(/tasks run\./);
  });

  it.each([
    [['apps', 'show', 'none'], 2, 'apps.not-found'],
    [['apps', 'create', 'a b'], 2, 'api.bad-request'],
    [['apps', 'set', 'live'], 2, 'cli.nothing-to-set'],
    [['keys', 'delete', 'live', 'none'], 2, 'apps.key-not-found'],
    [['streams', 'show', 'nonsense'], 2, 'cli.stream-name'],
    [['webhooks', 'create', 'live', 'https://example.org/'], 2, 'cli.webhook-kind'],
    [['webhooks', 'create', 'live', 'https://example.org/', '--event', 'made.up'], 2, 'api.bad-request'],
    [['webhooks', 'test', 'live', 'none'], 2, 'webhooks.not-found'],
    [['streams', 'end', 'live/none'], 2, 'api.stream-not-found'],
    [['apps', 'delete', 'live', '--url', 'nonsense'], 2, 'cli.bad-url'],
    [['streams', '--url', 'http://127.0.0.1:9'], 1, 'cluster.server-unreachable'],
    [['events', '--url', 'http://127.0.0.1:9'], 1, 'cluster.server-unreachable'],
  ])('%j fails with code %i and says %s', async (words, exitCode, code) => {
    await sluice(...words);
    expect(failed.join()).toContain(`[${code}]`);
    expect(process.exitCode).toBe(exitCode);
  });

  it('make, test and look after webhooks', async () => {
    const receiver = await HookReceiver.start();
    try {
      expect(await sluice('webhooks', 'list', 'live')).toBe('There are no webhooks.');
      const made = await sluice(
        'webhooks',
        'create',
        'live',
        receiver.url,
        '--event',
        'stream.started',
        '--retry-for',
        '0s',
        '--note',
        'told',
      );
      const id = /has the id (\w+);/.exec(made)?.[1] ?? '';
      expect(await sluice('webhooks', 'list', 'live')).toMatch(new RegExp(`${id} +events +stream.started +yes .* told$`, 'm'));
      expect(await sluice('webhooks', 'test', 'live', id)).toMatch(/^would do +yes\nstatus +204$/m);
      expect(await sluice('webhooks', 'deliveries', 'live', id)).toBe('Nothing was sent to it.');
      expect(await sluice('webhooks', 'retry', 'live', id)).toBe('0 events are sent again.');
      receiver.answer = status(500);
      expect(await sluice('webhooks', 'test', 'live', id)).toMatch(/^would do +no\nstatus +500$/m);
      expect(process.exitCode).toBe(1);
      process.exitCode = 0;
      const publisher = await publish({ url: `${server.rtmpUrl}/live/hooked`, audioCodec: 'aac' });
      const letters = (): Promise<string> => sluice('webhooks', 'dead-letters', 'live', id);
      await vi.waitFor(async () => expect(await letters()).toMatch(/stream\.started .* 1 +500$/m), { timeout: 20_000, interval: 200 });
      receiver.answer = status(204);
      expect(await sluice('webhooks', 'retry', 'live', id)).toMatch(/^\w+ is sent again\.$/);
      const delivered = (): Promise<string> => sluice('webhooks', 'deliveries', 'live', id);
      await vi.waitFor(async () => expect(await delivered()).toMatch(/live\/hooked +delivered +1 /), { timeout: 20_000, interval: 200 });
      expect(await letters()).toBe('There are no dead letters.');
      const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
      expect(metrics).toContain('sluice_webhook_deliveries_total{result="dead"} 1');
      expect(metrics).toContain('sluice_webhook_deliveries_total{result="delivered"} 1');
      await publisher.close();
      expect(await sluice('webhooks', 'delete', 'live', id)).toBe(`${id} is deleted.`);
    } finally {
      await receiver.close();
    }
  });

  it('tell what changes, as it changes', { timeout: 60_000 }, async () => {
    /** What is told first from now on, while streams come and go. */
    const told = async (): Promise<unknown> => {
      const listening = sluice('events', '--count', '1', '--json');
      // Whatever comes first: tracks come after the stream, and its end after them.
      for (const name of ['events', 'events-again'])
        await (await publish({ url: `${server.rtmpUrl}/live/${name}`, audioCodec: 'aac' })).close();
      return JSON.parse((await listening).split('\n')[0] ?? '');
    };
    // What was set before is told, too, until there is nothing more of that.
    await vi.waitFor(
      async () => expect(await told()).toMatchObject({ id: expect.any(String), type: expect.stringMatching(/^stream\./) }),
      50_000,
    );
  });
});
