import type { JoinTokenPage, JoinTokenResource, JoinTokenWish, NewJoinTokenResource } from './cluster-contract.ts';
import { idParamsSchema, joinTokenPageSchema, joinTokenWishSchema, newJoinTokenSchema } from './cluster-schemas.ts';
import { type Operation, withoutBodyCheck } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';

/** What the API needs of the join tokens. Calls throw `ApiError` with `cluster.store-unavailable` when they cannot be carried out. */
export interface JoinTokens {
  list(): Promise<readonly JoinTokenResource[]>;
  create(wish: JoinTokenWish): Promise<NewJoinTokenResource>;
  /** False: there is none. */
  remove(id: string): Promise<boolean>;
}

/** The same on a node that has none. */
export function joinTokensRefused(refusal: () => ApiError): readonly Operation[] {
  const refuse = (): Promise<never> => Promise.reject(refusal());
  return joinTokenOperations({ list: refuse, create: refuse, remove: refuse }).map(withoutBodyCheck);
}

/** The operations on join tokens. */
export function joinTokenOperations(tokens: JoinTokens): readonly Operation[] {
  return [
    {
      id: 'createJoinToken',
      method: 'POST',
      path: '/cluster/tokens',
      summary: 'Make a join token',
      description: 'With it, nodes join the cluster (`sluice join`). The token itself is shown in this answer and never again.',
      scope: 'admin',
      tag: 'cluster',
      body: joinTokenWishSchema,
      success: { status: 201, schema: newJoinTokenSchema },
      errors: ['cluster.full', 'cluster.not-in-cluster'],
      handle: ({ body }) => tokens.create(body as JoinTokenWish),
    },
    {
      id: 'listJoinTokens',
      method: 'GET',
      path: '/cluster/tokens',
      summary: 'List the join tokens',
      description: 'Ordered by id, in pages; also those that are used up or expired, until they are deleted.',
      // Also reading is for admins: who may let nodes in is nobody else's business.
      scope: 'admin',
      tag: 'cluster',
      query: pageQuerySchema,
      success: { status: 200, schema: joinTokenPageSchema },
      errors: ['cluster.store-unavailable', 'cluster.not-in-cluster'],
      handle: async ({ query }): Promise<JoinTokenPage> => pageOf(await tokens.list(), ({ id }) => id, query),
    },
    {
      id: 'deleteJoinToken',
      method: 'DELETE',
      path: '/cluster/tokens/:id',
      summary: 'Delete a join token',
      description: 'Nobody can join with it any more. Nodes that have joined stay.',
      scope: 'admin',
      tag: 'cluster',
      params: idParamsSchema,
      success: { status: 204 },
      errors: ['cluster.token-not-found', 'cluster.not-in-cluster'],
      handle: async ({ params }) => {
        const id = params['id'] ?? '';
        if (await tokens.remove(id)) return;
        throw new ApiError(
          'cluster.token-not-found',
          `no join token has the id ${JSON.stringify(id)}: GET /api/v1/cluster/tokens lists them`,
        );
      },
    },
  ];
}
