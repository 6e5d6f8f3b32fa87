import { expect, it } from 'vitest';
import type { JoinAnswer } from './cluster-contract.ts';
import type { NotedChange } from './grant.ts';
import { joinOperations } from './join.ts';
import { testApi } from './test-api.fixture.ts';

const JOINED: JoinAnswer = {
  nodeId: 'n2',
  clusterId: 'c1',
  clusterName: 'test',
  certificate: '',
  ca: '',
  coordination: { kind: 'embedded', folder: '/data' },
  protocol: 1,
};

it('the log of changes has which token a node joined with, and nothing of what makes it a token', async () => {
  const changes: NotedChange[] = [];
  const fastify = await testApi({
    operations: joinOperations({
      check: async () => undefined,
      join: async () => JOINED,
    }),
    changed: (change) => changes.push(change),
  });
  const response = await fastify.inject({
    method: 'POST',
    url: '/api/v1/cluster/join',
    headers: { 'x-cluster-token': 'clt_a1b2c3d4.SECRET.PIN' },
    payload: {
      csr: 'x'.repeat(100),
      roles: ['edge'],
      region: 'eu',
      endpoints: { http: 'http://192.0.2.1:8080' },
      version: '1.0.0',
      protocol: 1,
    },
  });
  expect(response.statusCode).toBe(200);
  expect(changes).toMatchObject([{ who: 'token:a1b2c3d4', action: 'joinCluster', after: { node: 'n2' } }]);
  expect(JSON.stringify(changes)).not.toMatch(/SECRET|PIN/);
});
