import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CLUSTER_PROTOCOL } from '../../cluster/mod.ts';
import { TestManager } from '../../io/cluster/joinable-cluster.fixture.ts';
import { createNodeKey, createRequest } from '../../io/cluster/node-key.ts';
import { loadIdentity } from '../../io/mod.ts';
import { registerJoin } from './join-command.ts';
import { registerNodes } from './nodes-command.ts';
import { registerTokens } from './tokens-command.ts';

let manager: TestManager;
let folder: string;
let printed: string[];
let failed: string[];

beforeEach(async () => {
  manager = await TestManager.start({ tls: true });
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  printed = [];
  failed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void failed.push(line));
});

afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  rmSync(folder, { recursive: true });
  await manager.close();
});

/** Runs `sluice …` against the manager, as a shell would; returns what it prints. */
async function sluice(...words: string[]): Promise<string> {
  const program = new Command('sluice').exitOverride();
  registerNodes(program);
  registerTokens(program);
  const file = join(folder, 'ca.pem');
  writeFileSync(file, manager.authority.certificate);
  printed.length = 0;
  await program.parseAsync([...words, '--url', `https://127.0.0.1:${manager.port}`, '--key', 'sk_admin', '--ca', file], { from: 'user' });
  return printed.join('\n');
}

it('tokens and nodes are handled from a shell, with the authority that a file names', async () => {
  expect(await sluice('tokens', 'list')).toBe('There are no join tokens.');
  const made = await sluice(
    'tokens',
    'create',
    '--role',
    'edge',
    '--role',
    'origin',
    '--region',
    'eu',
    '--uses',
    '3',
    '--expires',
    '2h',
    '--note',
    'studio',
  );
  const token = /^clt_\S+/.exec(made)?.[0] ?? '';
  expect(made).toContain('It can be used 3 times until');
  const csr = await createRequest(createNodeKey());
  const endpoints = { http: 'http://10.0.0.9:8080' };
  const caller = { address: '127.0.0.1', isTls: false, isLocal: true, isPrivate: true, header: () => undefined };
  const { nodeId } = await manager.joiner.join(
    { csr, roles: ['edge'], region: 'eu', endpoints, version: '1', protocol: CLUSTER_PROTOCOL },
    token,
    caller,
  );
  expect(await sluice('tokens', 'list')).toMatch(/edge,origin|origin,edge/);
  expect(await sluice('tokens', 'list')).toMatch(/eu +1\/3 .*studio/);
  await expect.poll(() => sluice('nodes')).toMatch(new RegExp(`${nodeId} +eu +edge +active .*http://10\\.0\\.0\\.9:8080`));
  expect(JSON.parse(await sluice('nodes', 'list', '--json'))).toHaveLength(2);
  expect(await sluice('nodes', 'drain', nodeId, '--deadline', '5m')).toMatch(/is draining; what is left at 20.*Z is closed/);
  expect(await sluice('nodes', 'disable', nodeId)).toBe(`${nodeId} is disabled.`);
  const listed = JSON.parse(await sluice('nodes', 'list', '--json')) as { id: string; statusBy?: string }[];
  expect(listed.find(({ id }) => id === nodeId)?.statusBy).toMatch(/^key/);
  expect(await sluice('nodes', 'activate', nodeId)).toBe(`${nodeId} is active.`);
  expect(await sluice('nodes', 'remove', nodeId)).toBe(`${nodeId} is removed.`);
  const id = token.slice('clt_'.length).split('.')[0] ?? '';
  expect(await sluice('tokens', 'remove', id)).toBe(`${id} is deleted.`);
  expect(process.exitCode ?? 0).toBe(0);
});

it('what goes wrong is said in words, with its code', async () => {
  await sluice('nodes', 'drain', 'none');
  expect(failed.join()).toContain('no node of this cluster has the id "none"');
  expect(failed.join()).toContain('[cluster.node-not-found]');
  expect(process.exitCode).toBe(2);
});

it('a machine joins with a token, over https that the token vouches for, and only once', async () => {
  const config = join(folder, 'sluice.yaml');
  const data = join(folder, 'data');
  writeFileSync(config, `dataFolder: ${data}\nhttp:\n  port: 9123\n`);
  const program = new Command('sluice').exitOverride();
  registerJoin(program);
  const token = /^clt_\S+/.exec(await sluice('tokens', 'create', '--role', 'edge', '--role', 'origin'))?.[0] ?? '';
  const words = ['join', `https://127.0.0.1:${manager.port}`, '--role', 'edge,origin', '--region', 'eu', '--no-start', '--config', config];
  printed.length = 0;
  await program.parseAsync([...words, '--token', token], { from: 'user' });
  const identity = loadIdentity(data);
  expect(printed).toEqual([`This is node ${identity?.nodeId} (edge, origin) of the cluster test, region eu.`]);
  expect(identity?.endpoints).toMatchObject({ http: 'http://127.0.0.1:9123', rtmp: 'rtmp://127.0.0.1:1935', relay: '127.0.0.1:7350' });
  await program.parseAsync(words, { from: 'user' });
  expect(printed).toHaveLength(2);
  expect(loadIdentity(data)).toEqual(identity);
});

it('a join ends with 1 where nobody answers, and with 2 for what can be put right', async () => {
  const codes: unknown[] = [];
  vi.spyOn(process, 'exit').mockImplementation((code) => void codes.push(code) as never);
  const program = new Command('sluice').exitOverride();
  registerJoin(program);
  const token = /^clt_\S+/.exec(await sluice('tokens', 'create', '--role', 'edge'))?.[0] ?? '';
  const config = join(folder, 'sluice.yaml');
  writeFileSync(config, `dataFolder: ${join(folder, 'data')}\n`);
  const own = ['--no-start', '--config', config];
  // A port that nobody has, for it is reserved.
  await program.parseAsync(['join', 'http://127.0.0.1:1', ...own, '--token', token], { from: 'user' });
  await program.parseAsync(['join', `https://127.0.0.1:${manager.port}`, ...own], { from: 'user' });
  expect(codes).toEqual([1, 2]);
  expect(failed.join()).toMatch(/\[cluster\.server-unreachable\].*cluster\.join\.token .*\[cluster\.token-missing\]/);
});
