import type { NodePage, NodePatch, NodeResource } from './cluster-contract.ts';
import { idParamsSchema, nodePageSchema, nodePatchSchema, nodeSchema } from './cluster-schemas.ts';
import type { Operation } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';

/** What the API needs of the registry of nodes. Calls throw `ApiError` with `cluster.store-unavailable` when they cannot be carried out. */
export interface ClusterNodes {
  nodes(): Iterable<NodeResource>;
  node(id: string): NodeResource | undefined;
  /** The node as it will be; undefined: there is none. `by` is who asks, as in the log of changes. */
  change(id: string, patch: NodePatch, by: string): Promise<NodeResource | undefined>;
  /** Takes the node out of the cluster for good; false: there is none. */
  remove(id: string): Promise<boolean>;
}

/** The operations on nodes. */
export function nodeOperations(nodes: ClusterNodes): readonly Operation[] {
  return [
    {
      id: 'listNodes',
      method: 'GET',
      path: '/nodes',
      summary: 'List the nodes of the cluster',
      description:
        'All nodes that have joined, ordered by id, in pages, as the node that answers sees them; a node on its own is the only one.',
      scope: 'read',
      tag: 'cluster',
      query: pageQuerySchema,
      success: { status: 200, schema: nodePageSchema },
      handle: ({ query }): NodePage => pageOf(nodes.nodes(), ({ id }) => id, query),
    },
    {
      id: 'getNode',
      method: 'GET',
      path: '/nodes/:id',
      summary: 'Look at one node',
      description: 'Roles, region, status, load.',
      scope: 'read',
      tag: 'cluster',
      params: idParamsSchema,
      success: { status: 200, schema: nodeSchema },
      errors: ['cluster.node-not-found'],
      handle: ({ params }) => found(nodes.node(idOf(params)), idOf(params)),
    },
    ...changingOperations(nodes),
  ];
}

function changingOperations(nodes: ClusterNodes): readonly Operation[] {
  return [
    {
      id: 'changeNode',
      method: 'PATCH',
      path: '/nodes/:id',
      summary: 'Drain, disable or activate a node',
      description:
        'A draining node takes nothing new and moves everyone away; when it has a deadline, it closes what is left then, and its process ends. The next start of its process makes it active again. A disabled one stays disabled until it is made active.',
      scope: 'admin',
      tag: 'cluster',
      params: idParamsSchema,
      body: nodePatchSchema,
      success: { status: 200, schema: nodeSchema },
      examples: { body: { status: 'active' } },
      errors: ['cluster.node-not-found', 'cluster.only-node'],
      handle: async ({ params, body, grant }) => {
        const patch = body as NodePatch;
        if (patch.deadlineS !== undefined && patch.status !== 'draining')
          throw new ApiError('api.bad-request', `"deadlineS" goes with status "draining" only, not with ${JSON.stringify(patch.status)}`);
        return found(await nodes.change(idOf(params), patch, grant.who), idOf(params));
      },
    },
    {
      id: 'removeNode',
      method: 'DELETE',
      path: '/nodes/:id',
      summary: 'Remove a node from the cluster',
      description:
        'Its certificate is revoked and the others drop it at once. It cannot come back under this id; to join again it needs a new data folder and a token. Drain it first.',
      scope: 'admin',
      tag: 'cluster',
      params: idParamsSchema,
      success: { status: 204 },
      errors: ['cluster.node-not-found', 'cluster.only-node'],
      handle: async ({ params }) => {
        if (!(await nodes.remove(idOf(params)))) found(undefined, idOf(params));
      },
    },
  ];
}

const idOf = (params: Readonly<Record<string, string>>): string => params['id'] ?? '';

function found(node: NodeResource | undefined, id: string): NodeResource {
  if (node === undefined)
    throw new ApiError('cluster.node-not-found', `no node of this cluster has the id ${JSON.stringify(id)}: GET /api/v1/nodes lists them`);
  return node;
}
