import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestNats } from '../src/io/coordination/nats-servers.fixture.ts';
import { natsEnvironment } from './fixtures/nats-environment.ts';
import { TestCluster } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const PATIENCE_MS = 240_000;

let nats: TestNats;
let cluster: TestCluster;

const founding = (name: string): Parameters<typeof TestCluster.found>[0] => ({
  roles: ['manager'],
  region: 'eu',
  environment: { SLUICE_CLUSTER_NAME: name, ...natsEnvironment(nats) },
});

beforeAll(async () => {
  nats = await TestNats.start(1);
  cluster = await TestCluster.found(founding('tv'));
});
afterAll(async () => {
  expect(await cluster?.close()).toEqual([0, 0, 0]);
  await nats?.stop();
});

describe('two clusters on one NATS', () => {
  it(
    'that have the same name: the second one ends with an error that says so, and the first one notices nothing',
    async () => {
      const edge = await cluster.join({ roles: ['edge'], region: 'eu' });
      await expect(TestCluster.found(founding('tv'))).rejects.toThrow(/another cluster with the name tv .*\[cluster\.foreign-store\]/);

      for (const node of [cluster.manager, edge]) {
        const nodes = await cluster.nodesBy(node);
        expect(nodes.map(({ id }) => id).sort()).toEqual([cluster.manager.id, edge.id].sort());
        expect(nodes.filter(({ status }) => status !== 'active')).toEqual([]);
        expect(node.server.log.filter(({ code }) => /^cluster\.own-(?!active)/.test(String(code)))).toEqual([]);
      }
      // Who joins it later joins the first one.
      const later = await cluster.join({ roles: ['edge'], region: 'eu' });
      await vi.waitFor(async () => expect((await cluster.nodesBy(edge)).map(({ id }) => id)).toContain(later.id), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'that have different names know nothing of each other',
    async () => {
      const other = await TestCluster.found(founding('radio'));
      try {
        await vi.waitFor(async () => expect((await other.nodesBy(other.manager)).map(({ id }) => id)).toEqual([other.manager.id]), WAIT);
        expect((await cluster.nodesBy(cluster.manager)).map(({ id }) => id)).not.toContain(other.manager.id);
      } finally {
        expect(await other.close()).toEqual([0]);
      }
    },
    PATIENCE_MS,
  );
});
