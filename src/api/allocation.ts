import type {
  AllocationDecisionPage,
  AllocationDecisionResource,
  TranscodingPoolResource,
  TranscodingWeightsResource,
} from './allocation-contract.ts';
import {
  allocationDecisionPageSchema,
  decisionQuerySchema,
  transcodingPoolSchema,
  transcodingWeightsSchema,
} from './allocation-schemas.ts';
import type { Operation } from './operation.ts';
import { pageOf } from './page.ts';
import type { SettingsAuthor } from './settings.ts';

/** What the API needs of the allocation of transcoding. Calls throw `ApiError` with `cluster.store-unavailable` when they cannot be carried out. */
export interface TranscodingAllocation {
  weights(): Promise<TranscodingWeightsResource>;
  setWeights(weights: TranscodingWeightsResource, by: SettingsAuthor): Promise<void>;
  /** The newest first. */
  decisions(): readonly AllocationDecisionResource[];
  pool(): TranscodingPoolResource;
}

/** The operations on who makes what in a cluster. */
export function allocationOperations(allocation: TranscodingAllocation): readonly Operation[] {
  return [
    {
      id: 'getTranscodingWeights',
      method: 'GET',
      path: '/transcoding/weights',
      summary: 'Look at the weights of transcoding',
      description: 'Which streams and rungs are made first when the cluster cannot make all that is wanted.',
      scope: 'read',
      tag: 'transcoding',
      success: { status: 200, schema: transcodingWeightsSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record'],
      handle: () => allocation.weights(),
    },
    {
      id: 'setTranscodingWeights',
      method: 'PUT',
      path: '/transcoding/weights',
      summary: 'Set the weights of transcoding',
      description:
        'All rules and pins at once, as a version of the settings. What follows from them is decided within seconds; what runs gives way only to what counts clearly more.',
      scope: 'admin',
      tag: 'transcoding',
      body: transcodingWeightsSchema,
      success: { status: 200, schema: transcodingWeightsSchema },
      errors: ['cluster.store-unavailable'],
      handle: async ({ body, note, grant }) => {
        const after = body as TranscodingWeightsResource;
        const before = await allocation.weights();
        await allocation.setWeights(after, { who: grant.who, action: 'setTranscodingWeights' });
        note({ before, after });
        return after;
      },
    },
    {
      id: 'listTranscodingDecisions',
      method: 'GET',
      path: '/transcoding/decisions',
      summary: 'List what was decided about transcoding',
      description:
        'The newest changes that the answering node has heard of since it began, the newest first, each with its reason; in pages.',
      scope: 'read',
      tag: 'transcoding',
      query: decisionQuerySchema,
      success: { status: 200, schema: allocationDecisionPageSchema },
      handle: ({ query }): AllocationDecisionPage => {
        const of = query['node'];
        const decisions = allocation.decisions();
        return pageOf(of === undefined ? decisions : decisions.filter(({ node }) => node === of), placeOf, query);
      },
    },
    {
      id: 'getTranscodingPool',
      method: 'GET',
      path: '/transcoding/pool',
      summary: "Look at the cluster's transcode nodes",
      description: 'Who allocates, the limit of each transcode node and what it has of it, and how much is wanted beyond that.',
      scope: 'read',
      tag: 'transcoding',
      success: { status: 200, schema: transcodingPoolSchema },
      handle: () => allocation.pool(),
    },
  ];
}

const LAST_MS = 9_999_999_999_999;

/** Later ones come first. */
const placeOf = ({ at, stream, rung }: AllocationDecisionResource): string =>
  `${String(LAST_MS - Date.parse(at)).padStart(13, '0')} ${stream} ${rung}`;
