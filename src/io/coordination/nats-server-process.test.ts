import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestAuthority } from './certificates.fixture.ts';
import { WAIT } from './contract.fixture.ts';
import { create, get, good, Seen, text } from './coordination-clients.fixture.ts';
import { NatsLink, type NatsLinkOptions } from './nats-link.ts';
import { NatsServerProcess, type NatsServerProcessOptions } from './nats-server-process.ts';
import { NatsStore } from './nats-store.ts';

let folder: string;
let lines: string[];
const closing: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-nats-process-'));
  lines = [];
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

async function started(options: Partial<NatsServerProcessOptions> = {}): Promise<NatsServerProcess> {
  const written = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'trace' }, written);
  const server = await NatsServerProcess.start({ folder: join(folder, 'nats'), host: '127.0.0.1', port: 0, log, ...options });
  closing.push(() => server.stop());
  return server;
}

function storeOf(server: NatsServerProcess, options: Partial<NatsLinkOptions> = {}): NatsStore {
  const link = new NatsLink({ servers: [server.url], cluster: 'test', user: server.user, password: server.password, ...options });
  const store = new NatsStore(link, { replicas: 1 });
  closing.push(async () => {
    store.close();
    await link.close();
  });
  return store;
}

/** Empty: it has ended, whether somebody asked for its exit code or not. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const portOf = (server: NatsServerProcess): number => Number(new URL(server.url.replace(/^\w+/, 'http')).port);

describe('a nats-server of our own', () => {
  it('keeps its secret to its owner, and its content over restarts', async () => {
    const server = await started();
    good(await create(storeOf(server), 'a/b', 'kept'));
    const nats = join(folder, 'nats');
    expect(statSync(nats).mode & 0o777).toBe(0o700);
    for (const name of ['password', 'nats-server.conf']) expect(statSync(join(nats, name)).mode & 0o777).toBe(0o600);
    expect(server.password.length).toBeGreaterThanOrEqual(32);
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(server.password);
    const { pid } = server;
    await server.stop();
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    const again = await started({ port: portOf(server) });
    expect(again.password).toBe(server.password);
    expect(text(good(await get(storeOf(again), 'a/b'))!.value)).toBe('kept');
    expect(lines.join('')).not.toContain(server.password);
    expect(lines.join('')).toContain('Server is ready');
    expect(readdirSync(nats).sort()).toEqual(['jetstream', 'nats-server.conf', 'nats-server.pid', 'password']);
  });

  it('is started again when it dies', async () => {
    const server = await started();
    const store = storeOf(server);
    const seen = new Seen(store, 'a/');
    good(await create(store, 'a/b', 'x'));
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);
    const { pid } = server;
    process.kill(pid!, 'SIGKILL');
    await vi.waitFor(() => expect(seen.told.slice(seen.told.indexOf('current'))).toContain('lost'), WAIT);
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);
    expect(server.pid).not.toBe(pid);
    expect(seen.object).toEqual({ 'a/b': 'x' });
    expect(lines.join('')).toContain('it is started again');
  });

  it('takes the place of one that outlived its process', async () => {
    const first = await started();
    const port = portOf(first);
    await first.stop();
    const script = new URL('./nats-server-parent.fixture.ts', import.meta.url).pathname;
    const parent = fork(script, [join(folder, 'nats'), String(port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [orphan] = (await once(parent, 'message')) as [number];
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(commandLine(orphan)).toContain('nats-server');
    const server = await started({ port });
    expect(server.pid).not.toBe(orphan);
    expect(commandLine(orphan)).toBe('');
    good(await create(storeOf(server), 'a/b', 'x'));
  });

  it('speaks TLS with those only who have a certificate by its authority', async () => {
    const authority = await TestAuthority.make(folder, 'ours');
    const server = await started({ tls: { ...(await authority.issue('server')), users: ['client'] } });
    const client = await authority.issue('client');
    good(await create(storeOf(server, { tls: client }), 'a/b', 'x'));
    const asText = {
      ca: readFileSync(client.caFile, 'utf8'),
      cert: readFileSync(client.certFile, 'utf8'),
      key: readFileSync(client.keyFile, 'utf8'),
    };
    expect(text(good(await get(storeOf(server, { tls: asText }), 'a/b'))!.value)).toBe('x');
    await authority.issue('server', '127.0.0.9');
    server.reloadTls();
    await vi.waitFor(() => expect(lines.join('')).toContain('Reloaded'), WAIT);
    expect(await get(storeOf(server, { tls: () => client }), 'a')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('altnames'),
    });
    await authority.issue('server');
    const elsewhere = await started({
      folder: join(folder, 'elsewhere'),
      tls: { ...(await authority.issue('elsewhere', '127.0.0.9')), users: ['client'] },
    });
    expect(await get(storeOf(elsewhere, { tls: client }), 'a')).toMatchObject({ ok: false, detail: expect.stringContaining('altnames') });
    const stranger = await (await TestAuthority.make(folder, 'theirs')).issue('stranger');
    const refused = [{ tls: { caFile: client.caFile } }, { tls: { ...stranger, caFile: client.caFile } }, { tls: stranger }, {}];
    const results = await Promise.all(refused.map((options) => get(storeOf(server, options), 'a/b')));
    expect(results.map((result) => (result.ok ? 'ok' : result.failure))).toEqual(refused.map(() => 'unavailable'));
    expect(results.every((result) => !result.ok && result.detail !== '')).toBe(true);
  });

  it('lets in the users that it is told of, and puts out at once who is none any more; the others notice nothing', async () => {
    const authority = await TestAuthority.make(folder, 'ours');
    const server = await started({ tls: { ...(await authority.issue('server')), users: ['first', 'second'] } });
    const link = async (name: string): Promise<NatsLink> => {
      const tls = await authority.issue(name);
      const made = new NatsLink({ servers: [server.url], cluster: 'test', user: server.user, password: server.password, tls });
      closing.push(() => made.close());
      return made;
    };
    const [first, second, third] = [await link('first'), await link('second'), await link('third')];
    await vi.waitFor(() => expect([first.connection, second.connection].includes(undefined)).toBe(false), WAIT);
    await vi.waitFor(() => expect(third.refusedForMs).toBeGreaterThan(0), WAIT);
    const { connection } = first;
    server.admit(['first', 'third']);
    await vi.waitFor(() => expect(second.refusedForMs).toBeGreaterThan(0), WAIT);
    await vi.waitFor(() => expect(third.connection).toBeDefined(), WAIT);
    expect([first.connection, first.refusedForMs, third.refusedForMs]).toEqual([connection, 0, 0]);
    process.kill(server.pid!, 'SIGKILL');
    // Nobody refuses while nobody is there.
    await vi.waitFor(() => expect(second.refusedForMs).toBe(0), WAIT);
    await vi.waitFor(() => expect([first.connection, third.connection].includes(undefined)).toBe(false), WAIT);
    await vi.waitFor(() => expect(second.refusedForMs).toBeGreaterThan(0), WAIT);
  });

  it('tells what to do when it is missing, when its port is taken, and when its folder cannot be made', async () => {
    const server = await started();
    const taken = started({ folder: join(folder, 'second'), port: portOf(server) });
    await expect(taken).rejects.toMatchObject({ code: 'nats.ended', message: expect.stringContaining('address already in use') });
    await expect(started({ folder: join(folder, 'third'), program: 'nats-server-of-nobody' })).rejects.toMatchObject({
      code: 'nats.missing',
      message: expect.stringContaining('apt-get install nats-server'),
    });
    mkdirSync(join(folder, 'fourth'));
    writeFileSync(join(folder, 'fourth', 'file'), '');
    await expect(started({ folder: join(folder, 'fourth', 'file', 'nats') })).rejects.toMatchObject({ code: 'nats.folder' });
  });
});
