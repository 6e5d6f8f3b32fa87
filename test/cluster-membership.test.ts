import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NatsLink } from '../src/io/mod.ts';
import { ServerProcess } from './fixtures/server-process.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const MAIN = fileURLToPath(new URL('../dist/app/main.js', import.meta.url));
const WAIT = { timeout: 60_000, interval: 50 };
const PATIENCE_MS = 240_000;

let cluster: TestCluster;
let edge: TestNode;
/** Joins as its configuration says. */
let configured: ServerProcess;
let joining: Record<string, string>;

beforeAll(async () => {
  const environment = { SLUICE_CLUSTER_COORDINATION: 'nats-server', SLUICE_CLUSTER_NATS_PORT: '0', SLUICE_CLUSTER_STALE_MS: '4000' };
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu', environment });
  edge = await cluster.join({ roles: ['edge'], region: 'eu' });
  joining = {
    SLUICE_CLUSTER_JOIN_URL: cluster.manager.server.httpUrl,
    SLUICE_CLUSTER_ROLES: '["edge"]',
    SLUICE_CLUSTER_REGION: 'us',
    SLUICE_CLUSTER_RELAY_HOST: '127.0.0.1',
    SLUICE_CLUSTER_RELAY_PORT: '0',
    SLUICE_TRANSCODE_ENABLED: 'false',
  };
  const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const token = await cluster.createToken(['edge']);
  configured = await ServerProcess.start({ dataFolder, environment: { ...joining, SLUICE_CLUSTER_JOIN_TOKEN: token } });
});
afterAll(async () => {
  await configured?.close();
  await cluster?.close();
  if (configured !== undefined) rmSync(configured.dataFolder, { recursive: true, force: true });
});

const call = (server: ServerProcess, method: string, path: string): Promise<Response> =>
  fetch(`${server.httpUrl}/api/v1/${path}`, { method, headers: { authorization: `Bearer ${cluster.manager.server.adminKey}` } });
const said = (server: ServerProcess, wanted: string): boolean => server.log.some(({ code }) => code === wanted);
const identityFile = (folder: string): string => join(folder, 'cluster', 'identity.json');
const identityOf = (folder: string): Record<string, string> & { readonly coordination: Record<string, string> & { servers: string[] } } =>
  JSON.parse(readFileSync(identityFile(folder), 'utf8'));

/** Runs a command with a data folder, which is expected to fail: its exit code, and what it says. */
async function failing(dataFolder: string, command: readonly string[]): Promise<readonly [number | null, string]> {
  const environment = { SLUICE_DATA_FOLDER: dataFolder, SLUICE_HTTP_PORT: '0', SLUICE_RTMP_PORT: '0', SLUICE_WEBRTC_PORT: '0', ...joining };
  const child = spawn(process.execPath, [MAIN, ...command], { env: { PATH: process.env['PATH'], ...environment } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return [code, said];
}
const REMOVED = [2, expect.stringMatching(/join again with a token \[cluster\.node-removed\]/)];

/** Whether NATS lets somebody in with what is in a data folder. */
async function isLetIn(folder: string): Promise<boolean> {
  const { clusterName, certificate, privateKey, ca, coordination } = identityOf(folder);
  const { servers, user, password } = coordination;
  const tls = { ca: ca ?? '', cert: certificate ?? '', key: privateKey ?? '' };
  const link = new NatsLink({ servers, cluster: clusterName ?? '', user: user ?? '', password: password ?? '', tls });
  await vi.waitFor(() => expect(link.connection !== undefined || link.refusedForMs > 0).toBe(true), WAIT);
  const isIn = link.connection !== undefined;
  await link.close();
  return isIn;
}

describe('a cluster with a NATS server of its own', () => {
  it(
    'has one admin key, which the first manager made and every node takes',
    async () => {
      expect([edge.server.adminKey, configured.adminKey]).toEqual(['', '']);
      for (const { httpUrl } of [cluster.manager.server, edge.server, configured])
        await vi.waitFor(async () => {
          const headers = { authorization: `Bearer ${cluster.manager.server.adminKey}` };
          expect((await fetch(`${httpUrl}/api/v1/api-keys`, { headers })).status).toBe(200);
        }, WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'puts out a node that is removed, at once and for good',
    async () => {
      const { dataFolder } = edge.server;
      expect(await isLetIn(dataFolder)).toBe(true);
      expect((await call(configured, 'DELETE', `nodes/${edge.id}`)).status).toBe(204);
      expect(await edge.server.ended).toBe(2);
      expect(said(edge.server, 'cluster.node-removed')).toBe(true);
      await vi.waitFor(async () => expect(await isLetIn(dataFolder)).toBe(false), WAIT);
      expect(await failing(dataFolder, ['start'])).toEqual(REMOVED);
      const again = ['join', cluster.manager.server.httpUrl, '--token', await cluster.createToken(['edge']), '--no-start'];
      expect(await failing(dataFolder, again)).toEqual(REMOVED);
    },
    PATIENCE_MS,
  );

  it(
    'tells a node that was removed while it was away when it is back, and one that was not needs no token',
    async () => {
      const { dataFolder } = configured;
      const { nodeId } = identityOf(dataFolder);
      await configured.close();
      configured = await ServerProcess.start({ dataFolder, environment: joining });
      await vi.waitFor(() => expect(said(configured, 'cluster.own-active')).toBe(true), WAIT);
      await configured.close();
      expect((await call(cluster.manager.server, 'DELETE', `nodes/${nodeId}`)).status).toBe(204);
      expect(await failing(dataFolder, ['join', cluster.manager.server.httpUrl, '--no-start'])).toEqual(REMOVED);
      expect(await failing(dataFolder, ['start'])).toEqual(REMOVED);
    },
    PATIENCE_MS,
  );

  it(
    'takes its key without the manager that made it, and joins again as a new node',
    async () => {
      const next = await cluster.join({ roles: ['edge'], region: 'eu' });
      await vi.waitFor(async () => expect((await call(next.server, 'GET', 'api-keys')).status).toBe(200), WAIT);
      const { server } = cluster.manager;
      const natsPid = Number(readFileSync(join(server.dataFolder, 'cluster', 'nats', 'nats-server.pid'), 'utf8'));
      await server.kill();
      // Nobody is left who would end it.
      process.kill(natsPid, 'SIGKILL');
      expect((await call(next.server, 'GET', 'api-keys')).status).toBe(200);
    },
    PATIENCE_MS,
  );
});
