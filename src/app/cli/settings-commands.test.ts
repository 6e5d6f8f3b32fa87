import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TEST_ADMIN, TestSettings } from '../settings-api.fixture.ts';
import { registerApply, registerSettings } from './settings-commands.ts';
import { describeDifference } from './settings-difference.ts';

let test: TestSettings;
let url: string;
let failed: string[];
let printed: string[];

beforeEach(async () => {
  test = await TestSettings.start();
  url = await test.fastify.listen({ host: '127.0.0.1', port: 0 });
  printed = [];
  failed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void failed.push(line));
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  await test.close();
});

/** Runs `sluice …` as a shell would; returns what it prints, and its exit code. */
async function sluice(...words: string[]): Promise<{ said: string; code: number }> {
  const program = new Command('sluice').exitOverride();
  registerApply(program);
  registerSettings(program.command('config'));
  printed.length = 0;
  failed.length = 0;
  process.exitCode = 0;
  await program.parseAsync([...words, '--url', url, '--key', TEST_ADMIN], { from: 'user' });
  const code = Number(process.exitCode);
  return { said: [...printed, ...failed].join('\n'), code };
}

function file(yaml: string): string {
  const path = join(test.folder, 'cluster.yaml');
  writeFileSync(path, yaml);
  return path;
}

describe('sluice apply', () => {
  it('shows the difference, makes it, and says when there is none', async () => {
    const path = file('apps:\n  news:\n    note: evening\n    ladder:\n      template: abr\nrouting:\n  regionHeader: x-region\n');
    const dry = await sluice('apply', '-f', path, '--dry-run');
    expect(dry).toMatchObject({ code: 3 });
    expect(dry.said).toMatch(/^\+ apps\.news: \{"note":"evening".*\n[+~] routing: .*\n\n2 changes; nothing was done\.$/);
    expect(await sluice('apply', '-f', path, '--note', 'first')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/2 changes: the settings are at version 1 now\.$/),
    });
    expect(await sluice('apply', '-f', path)).toEqual({ code: 0, said: 'Nothing to change: the settings are at version 1.' });
    const other = file('apps:\n  news:\n    ladder: { template: off }\n');
    expect((await sluice('apply', '-f', other)).said).toMatch(/^~ apps\.news\.ladder\.template: "abr" -> "off"\n/);
    const back = file('apps: { news: { ladder: { template: abr } } }');
    const json = await sluice('apply', '-f', back, '--dry-run', '--json');
    expect(JSON.parse(json.said)).toMatchObject({ version: 2, applied: false, changes: [{ path: 'apps.news.ladder.template' }] });
  });

  it('gives back what was exported, and is refused when somebody changed it meanwhile', async () => {
    await sluice('apply', '-f', file('apps: { news: { note: a }, old: {} }'));
    const exported = (await sluice('config', 'export', '--with-version')).said;
    expect(exported).toMatch(/^version: 1\napps:\n {2}news:\n/);
    expect((await sluice('apply', '-f', file(exported), '--prune')).said).toMatch(/^Nothing to change/);
    await sluice('apply', '-f', file('apps: { news: { note: b } }'));
    const refused = await sluice('apply', '-f', file(exported));
    expect(refused.code).toBe(2);
    expect(refused.said).toContain('[config.changed]');
    expect((await sluice('apply', '-f', file(exported), '--force')).said).toContain('~ apps.news.note: "b" -> "a"');
    expect((await sluice('apply', '-f', file('apps: { news: {} }'), '--prune')).said).toMatch(/^- apps\.old: /);
  });

  it.each([
    [
      'apps:\n  news:\n    ladder:\n      template: custom\n      rungs:\n        - name: a\n          height: 541\n',
      'cluster.yaml:7: apps.news.ladder.rungs[0].height: 541',
    ],
    ['apps:\n  news:\n    nots: x\n', 'cluster.yaml:3: apps.news.nots: unknown key; did you mean apps.news.note?'],
    ['apps:\n  news: 5\n', 'cluster.yaml:2: apps.news: 5 is not right here'],
    ['routing:\n  networks:\n    eu:\n      - 10.0.0.0/40\n', 'cluster.yaml:4: routing.networks.eu[0]:'],
    ['apps:\n  news:\n    playback:\n      domains: []\n', 'cluster.yaml:3: apps.news.playback.policy: missing'],
    ['apps: [\n', 'not readable as YAML'],
    ['apps:\n  a: {}\n  a: {}\n', 'cluster.yaml:3: not readable as YAML'],
    ['just a text', 'apps: "just a text" is not right here'],
    ['version: new\napps: {}\n', 'version: "new" is not right'],
  ])('names line and key of what is wrong: %j', async (yaml, said) => {
    const refused = await sluice('apply', '-f', file(yaml));
    expect(refused.code).toBe(2);
    expect(refused.said).toContain(said);
    expect((await sluice('config', 'versions')).said).toBe('The settings were never changed.');
  });

  it('takes no file that unfolds into a huge one', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      const [name, below] = ['abcdefghi'[level], 'abcdefghi'[level - 1]];
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${below}`).join(', ')}]`);
    }
    const refused = await sluice('apply', '-f', file(lines.join('\n')));
    expect(refused.code).toBe(2);
    expect(refused.said).toMatch(/alias/i);
    expect((await sluice('apply', '-f', join(test.folder, 'none.yaml'))).said).toContain('[cli.file-unreadable]');
  });
});

it('versions are listed, shown and rolled back to', async () => {
  await sluice('apply', '-f', file('apps: { news: { note: a } }'), '--note', 'begin');
  await sluice('apply', '-f', file('apps: { news: { note: b } }'));
  expect((await sluice('config', 'versions')).said).toMatch(/^VERSION .*\n2 .*applySettings.*\n1 .*begin$/);
  expect((await sluice('config', 'versions', '2')).said).toMatch(/^Version 2, .*\n\n~ apps\.news\.note: "a" -> "b"$/);
  expect((await sluice('config', 'rollback', '1', '--dry-run')).code).toBe(3);
  expect((await sluice('config', 'rollback', '1')).said).toBe(
    '~ apps.news.note: "b" -> "a"\n\nOne change: the settings are at version 3 now.',
  );
  expect((await sluice('config', 'rollback', '77')).said).toContain('[config.version-not-found]');
});

it('a difference is coloured for terminals, and does nothing to them', () => {
  const changes = [
    { path: 'apps.a', after: { note: '\u001b[2J\u009b' } },
    { path: 'apps.b', before: 1 },
    { path: 'c', before: 1, after: 2 },
  ];
  expect(describeDifference(changes, true)).toBe(
    '\u001b[32m+ apps.a: {"note":"\\u001b[2J?"}\u001b[0m\n\u001b[31m- apps.b: 1\u001b[0m\n\u001b[33m~ c:\u001b[0m \u001b[31m1\u001b[0m -> \u001b[32m2\u001b[0m',
  );
});
