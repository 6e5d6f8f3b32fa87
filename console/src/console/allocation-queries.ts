import type { AllocationDecisionPage, TranscodingPoolResource, TranscodingWeightsResource } from '../../../src/api/allocation-contract.ts';
import { callApi } from './api-client.ts';
import { type Answer, type Change, LISTS_MS, useChange, useFigures } from './queries.ts';

export const usePool = (): Answer<TranscodingPoolResource> =>
  useFigures({ key: ['transcoding', 'pool'], read: () => callApi('GET', '/transcoding/pool') });
/** The newest first. */
export const useAllocationDecisions = (): Answer<AllocationDecisionPage> =>
  useFigures({ key: ['transcoding', 'decisions'], read: () => callApi('GET', '/transcoding/decisions?limit=100') });
/** Of what one node was given to make. */
export const useDecisionsOf = (node: string): Answer<AllocationDecisionPage> =>
  useFigures({
    key: ['transcoding', 'decisions', node],
    read: () => callApi('GET', `/transcoding/decisions?limit=20&node=${encodeURIComponent(node)}`),
  });
export const useWeights = (): Answer<TranscodingWeightsResource> =>
  useFigures({ key: ['weights'], read: () => callApi('GET', '/transcoding/weights'), everyMs: LISTS_MS });
export const useSetWeights = (): Change<TranscodingWeightsResource, TranscodingWeightsResource> =>
  useChange((weights) => callApi('PUT', '/transcoding/weights', weights), ['weights', 'transcoding']);
