import { Type } from '@sinclair/typebox';
import type { JoinAnswer, JoinRequest } from './cluster-contract.ts';
import { joinAnswerSchema, joinRequestSchema } from './cluster-schemas.ts';
import { type ApiCaller, type Operation, withoutBodyCheck } from './operation.ts';
import type { ApiError } from './problem.ts';

/** The header that carries the token. */
export const JOIN_TOKEN_HEADER = 'x-cluster-token';

/** Lets nodes in; on managers. Throws `ApiError` when it does not. */
export interface NodeJoiner {
  /** Whether the token is one at all: what the header says, if anything. */
  check(token: string | undefined, caller: ApiCaller): Promise<void>;
  /** With a token that was checked. The same key joining again is the same node. */
  join(request: JoinRequest, token: string, caller: ApiCaller): Promise<JoinAnswer>;
}

/** The same on a node that lets nobody in. */
export const joinRefused = (refusal: () => ApiError): readonly Operation[] =>
  joinOperations({ check: () => Promise.reject(refusal()), join: () => Promise.reject(refusal()) }).map(withoutBodyCheck);

/** Of one that was checked: what stands before its secret. */
const idOfToken = (token: string): string => token.replace(/^clt_/, '').split('.', 1)[0] ?? '';

/** The operation by which nodes join. */
export function joinOperations(joiner: NodeJoiner): readonly Operation[] {
  return [
    {
      id: 'joinCluster',
      method: 'POST',
      path: '/cluster/join',
      summary: 'Join the cluster as a node',
      description:
        'What `sluice join` does: the node sends a certificate request for a key that it keeps, and gets its id, its certificate and the way to the store. The join token is the only credential. The same key joining again is the same node, and no new use of the token.',
      // The token is asked for instead of a key, whatever reads need.
      scope: 'token',
      tag: 'cluster',
      headers: Type.Object({
        [JOIN_TOKEN_HEADER]: Type.Optional(Type.String({ description: 'The join token', examples: ['clt_ID.SECRET.PIN'] })),
      }),
      body: joinRequestSchema,
      success: { status: 200, schema: joinAnswerSchema },
      errors: [
        'cluster.token-missing',
        'cluster.token-wrong',
        'cluster.token-expired',
        'cluster.token-used-up',
        'cluster.role-not-allowed',
        'cluster.region-not-allowed',
        'cluster.node-removed',
        'cluster.tls-needed',
        'cluster.protocol-unsupported',
        'cluster.full',
        'cluster.csr-wrong',
        'cluster.endpoints-wrong',
        'cluster.too-many-attempts',
        'cluster.store-unavailable',
        'cluster.newer-record',
        'cluster.not-manager',
        'cluster.not-in-cluster',
      ],
      checkCredential: (caller) => joiner.check(caller.header(JOIN_TOKEN_HEADER), caller),
      handle: async ({ body, caller, note }) => {
        const token = caller.header(JOIN_TOKEN_HEADER) ?? '';
        const joined = await joiner.join(body as JoinRequest, token, caller);
        note({ who: `token:${idOfToken(token)}`, after: { node: joined.nodeId } });
        return joined;
      },
    },
  ];
}
