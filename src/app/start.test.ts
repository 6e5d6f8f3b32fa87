import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from './package-root.ts';

// These run the program as people do: what the build made, in a process of its own.
const PROGRAM = join(packageRoot, 'bin', 'sluice.mjs');
const FREE_PORTS = {
  SLUICE_HTTP_PORT: '0',
  SLUICE_RTMP_PORT: '0',
  SLUICE_WEBRTC_PORT: '0',
  SLUICE_HTTP_HOST: '127.0.0.1',
  SLUICE_RTMP_HOST: '127.0.0.1',
  SLUICE_WEBRTC_HOST: '127.0.0.1',
};

interface Run {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when the output has a match, with it. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exitCode: Promise<number | null>;
}

const runs: Run[] = [];
afterEach(() => {
  for (const { child } of runs.splice(0)) child.kill('SIGKILL');
});

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sluice-start-'));

function sluice(args: string[], folder: string, environment: Record<string, string> = FREE_PORTS): Run {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { PATH: process.env['PATH'], ...environment } });
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
      for (const check of waiting) check();
    });
  }
  const exitCode = new Promise<number | null>((resolve) => child.on('close', resolve));
  const seen = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(text);
        if (found !== null) resolve(found);
      };
      waiting.add(check);
      check();
      void exitCode.then(() => reject(new Error(`ended without ${pattern}:\n${text}`)));
    });
  const run: Run = { child, output: () => text, seen, exitCode };
  runs.push(run);
  return run;
}

async function started(folder: string): Promise<{ run: Run; base: string }> {
  const run = sluice(['start'], folder);
  await run.seen(/"code":"app\.started"/);
  const [, port] = await run.seen(/localhost:(\d+)\//);
  return { run, base: `http://127.0.0.1:${port}` };
}

describe('sluice start', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends with code 0 on %s, with connections open', async (signal) => {
    const { run, base } = await started(newFolder());
    const idle = connect(Number(new URL(base).port), '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => undefined);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    run.child.kill(signal);
    const at = performance.now();
    expect(await run.exitCode).toBe(0);
    expect(performance.now() - at).toBeLessThan(3000);
    expect(run.output()).toContain('app.stopped');
    idle.destroy();
  });

  it('shows the keys on the first start only, and keeps the admin key out of the folder', async () => {
    const folder = newFolder();
    const first = await started(folder);
    const [, admin] = await first.run.seen(/New admin API key\s+(sk_\S+)/);
    const deleting = await fetch(`${first.base}/api/v1/streams/live/none`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${admin}` },
    });
    expect(deleting.status).toBe(404);
    first.run.child.kill('SIGTERM');
    await first.run.exitCode;
    const [, streamKey] = /New stream key\s+(\S+)/.exec(first.run.output()) ?? [];

    const second = await started(folder);
    expect(second.run.output()).not.toMatch(/New (admin|stream)/);
    const shown = sluice(['keys', 'show'], folder);
    expect(await shown.exitCode).toBe(0);
    expect(shown.output()).toBe(`live: ${streamKey}\n`);
  });

  it('is a cluster of one: it lists itself, is the node to go to, and says how to make a real one of it', async () => {
    const { run, base } = await started(newFolder());
    const [, admin] = await run.seen(/New admin API key\s+(sk_\S+)/);
    const call = async (path: string, method = 'GET'): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(`${base}${path}`, { method, headers: { authorization: `Bearer ${admin}`, accept: 'application/json' } });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const { body } = await call('/api/v1/nodes');
    const [own] = body['items'] as { id: string; endpoints: object; load: object }[];
    expect(own).toMatchObject({
      roles: ['mono'],
      region: 'default',
      status: 'active',
      stale: false,
      self: true,
      endpoints: { http: base },
    });
    expect(own?.load).toMatchObject({ streams: 0, viewers: { flv: 0 } });
    expect((await call(`/api/v1/nodes/${own?.id}`)).body['id']).toBe(own?.id);
    expect((await call('/api/v1/nodes/other')).status).toBe(404);
    // By the name that it was asked by.
    const { port } = new URL(base);
    for (const query of ['', '?stream=live/show', '?publish=1']) {
      const { body: chosen } = await call(`/cluster${query}`);
      expect([chosen['node'], chosen['endpoints']]).toEqual([own?.id, own?.endpoints]);
      const named = await fetch(`http://localhost:${port}/cluster${query}`);
      expect(await named.text()).toBe(`localhost:${port}\n`);
    }
    for (const [method, path, code] of [
      ['DELETE', `/api/v1/nodes/${own?.id}`, 'cluster.only-node'],
      ['GET', '/api/v1/cluster/tokens', 'cluster.not-in-cluster'],
      ['POST', '/api/v1/cluster/tokens', 'cluster.not-in-cluster'],
      ['POST', '/api/v1/cluster/join', 'cluster.not-in-cluster'],
    ] as const) {
      const { status, body: problem } = await call(path, method);
      expect([status, problem['code']], `${method} ${path}`).toEqual([409, code]);
      if (code === 'cluster.not-in-cluster') expect(problem['detail']).toContain('SLUICE_CLUSTER_FOUND=true');
    }
    const drain = await fetch(`${base}/api/v1/nodes/${own?.id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ status: 'draining' }),
    });
    expect([drain.status, ((await drain.json()) as { code: string }).code]).toEqual([409, 'cluster.only-node']);
  });

  it('ends with code 2 when the port is in use, and makes no admin key that nobody sees', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const folder = newFolder();
    const run = sluice(['start'], folder, { ...FREE_PORTS, SLUICE_HTTP_PORT: String(port) });
    expect(await run.exitCode).toBe(2);
    expect(run.output()).toContain(`HTTP port ${port} is in use by`);
    expect(run.output()).toContain(`process ${process.pid}`);
    expect(run.output()).toContain('SLUICE_HTTP_PORT');
    holder.close();
    expect((await started(folder)).run.output()).toContain('New admin API key');
  });

  it('ends with code 2 on a wrong configuration, before it makes anything', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'sluice.yaml'), 'http:\n  prot: 1\n');
    const run = sluice(['start'], folder);
    expect(await run.exitCode).toBe(2);
    expect(run.output()).toContain('sluice.yaml:2: http.prot: unknown key; did you mean http.port?');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('ends with code 2 on damaged secrets', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'secrets.json'), '{');
    const run = sluice(['start'], folder);
    expect(await run.exitCode).toBe(2);
    expect(run.output()).toContain('secrets.unreadable');
  });
});

describe('the other commands', () => {
  it('ask a running server for its streams', async () => {
    const folder = newFolder();
    const { base } = await started(folder);
    const run = sluice(['streams', '--json', '--url', base], folder);
    expect(await run.exitCode).toBe(0);
    expect(JSON.parse(run.output())).toEqual([]);
  });

  it.each([[['strat']], [['start', '--dmeo']], [['config']]])('answer wrong usage %j with code 2', async (args) => {
    expect(await sluice(args, newFolder()).exitCode).toBe(2);
  });
});
