import {
  keepPreviousData,
  QueryClient,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { NodePatch } from '../../../src/api/cluster-contract.ts';
import type {
  ClusterStreamDetail,
  ClusterStreamPage,
  ClusterStreamResource,
  NodeResource,
  NodeSourcesList,
  NodeTargetsList,
  NodeTranscodingList,
  OverviewResource,
  RelayList,
  SessionResource,
} from '../../../src/api/console-contract.ts';
import { ApiProblem, callApi, listAll } from './api-client.ts';

/** Figures change without an event; lists are looked at again in case an event was lost. */
const FIGURES_MS = 2_000;
const LISTS_MS = 10_000;
const SESSION_MS = 60_000;
const PAGE_ITEMS = 200;
const RETRIES_MAX = 1;

export const createQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => !(error instanceof ApiProblem && error.status !== 0) && failures < RETRIES_MAX,
        refetchOnWindowFocus: true,
        staleTime: 500,
      },
    },
  });

type Answer<Data> = UseQueryResult<Data, ApiProblem>;

interface Figures<Data> {
  readonly key: readonly string[];
  readonly read: () => Promise<Data>;
  readonly everyMs?: number;
  readonly isWanted?: boolean;
}

/** What is asked for again and again while somebody looks at it; the last answer stays through failures. */
const useFigures = <Data>({ key, read, everyMs = FIGURES_MS, isWanted = true }: Figures<Data>): Answer<Data> =>
  useQuery<Data, ApiProblem>({
    queryKey: key,
    queryFn: read,
    refetchInterval: everyMs,
    placeholderData: keepPreviousData,
    enabled: isWanted,
  });

export const useSession = (): Answer<SessionResource> =>
  useFigures({ key: ['session'], read: () => callApi('GET', '/session'), everyMs: SESSION_MS });
export const useOverview = (): Answer<OverviewResource> => useFigures({ key: ['overview'], read: () => callApi('GET', '/overview') });
/** Of a cluster: a node on its own keeps no list of nodes. */
export const useNodes = (isWanted = true): Answer<readonly NodeResource[]> =>
  useFigures({ key: ['nodes'], read: () => listAll<NodeResource>('/nodes'), isWanted });
export const useRelays = (): Answer<RelayList> => useFigures({ key: ['relays'], read: () => callApi('GET', '/cluster/relays') });
export const useTranscoding = (): Answer<NodeTranscodingList> =>
  useFigures({ key: ['transcoding'], read: () => callApi('GET', '/cluster/transcoding') });
export const useSources = (): Answer<NodeSourcesList> => useFigures({ key: ['sources'], read: () => callApi('GET', '/cluster/sources') });
export const useTargets = (): Answer<NodeTargetsList> => useFigures({ key: ['targets'], read: () => callApi('GET', '/cluster/targets') });
export const useStream = (app: string, name: string): Answer<ClusterStreamDetail> =>
  useFigures({ key: ['stream', app, name], read: () => callApi('GET', streamPath(app, name)) });

const streamPath = (app: string, name: string): string => `/cluster/streams/${encodeURIComponent(app)}/${encodeURIComponent(name)}`;

/** The streams whose path has the words of `search`, as many pages as were asked for. */
export function useStreams(search: string): UseInfiniteQueryResult<readonly ClusterStreamResource[], ApiProblem> {
  return useInfiniteQuery({
    queryKey: ['streams', search],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({
        limit: String(PAGE_ITEMS),
        ...(search === '' ? {} : { search }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      });
      return callApi<ClusterStreamPage>('GET', `/cluster/streams?${query}`);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages }): readonly ClusterStreamResource[] => pages.flatMap(({ items }) => items),
    refetchInterval: LISTS_MS,
    placeholderData: keepPreviousData,
  });
}

type Change<Wish> = UseMutationResult<unknown, ApiProblem, Wish>;

/** A change, after which the answers under `stale` are fetched again. */
function useChange<Wish>(run: (wish: Wish) => Promise<unknown>, stale: readonly string[]): Change<Wish> {
  const queries = useQueryClient();
  return useMutation<unknown, ApiProblem, Wish>({
    mutationFn: run,
    onSettled: () => Promise.all(stale.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useChangeNode = (): Change<{ readonly id: string } & NodePatch> =>
  useChange(({ id, ...patch }) => callApi('PATCH', `/nodes/${encodeURIComponent(id)}`, patch), ['nodes', 'overview']);
export const useRemoveNode = (): Change<string> =>
  useChange((id) => callApi('DELETE', `/nodes/${encodeURIComponent(id)}`), ['nodes', 'overview']);
export const useEndStream = (): Change<{ readonly app: string; readonly name: string }> =>
  useChange(({ app, name }) => callApi('DELETE', streamPath(app, name)), ['stream', 'streams', 'overview']);
export const useSignIn = (): Change<string> => useChange((key) => callApi('POST', '/session', { key }), ['session']);
export const useSignOut = (): Change<void> => useChange(() => callApi('DELETE', '/session'), ['session']);
