import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestNats } from '../src/io/coordination/nats-servers.fixture.ts';
import { natsEnvironment } from './fixtures/nats-environment.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const PATIENCE_MS = 240_000;

let nats: TestNats;
let cluster: TestCluster;
let second: TestNode;

beforeAll(async () => {
  nats = await TestNats.start(1);
  cluster = await TestCluster.found({
    roles: ['manager'],
    region: 'eu',
    environment: { ...natsEnvironment(nats), SLUICE_CLUSTER_STALE_MS: '3000' },
  });
  second = await cluster.join({ roles: ['manager'], region: 'us' });
}, PATIENCE_MS);
afterAll(async () => {
  await cluster?.close();
  await nats?.stop();
});

describe('a second manager', () => {
  it(
    'lets nodes in, and puts them out, while the one that founded the cluster is dead',
    async () => {
      await cluster.manager.server.kill();
      const edge = await cluster.join({ roles: ['edge'], region: 'us', through: second });
      await vi.waitFor(async () => {
        expect(await cluster.nodesBy(edge)).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ id: cluster.manager.id, stale: true }),
            expect.objectContaining({ id: second.id, stale: false }),
            expect.objectContaining({ id: edge.id, stale: false }),
          ]),
        );
      }, WAIT);
      const removal = await fetch(`${second.server.httpUrl}/api/v1/nodes/${edge.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${cluster.manager.server.adminKey}` },
      });
      expect(removal.status).toBe(204);
      expect(await edge.server.ended).toBe(2);
    },
    PATIENCE_MS,
  );
});
