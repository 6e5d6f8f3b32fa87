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
  NodeResource,
  NodeSourcesList,
  NodeTargetsList,
  NodeTranscodingList,
  OverviewResource,
  RelayList,
  SessionResource,
  StreamPage,
  StreamResource,
} from '../../../src/api/console-contract.ts';
import { ApiProblem, callApi, listAll } from './api-client.ts';
import { pagesOf } from './live-events.ts';

/** Figures change without an event; lists are looked at again in case an event was lost. */
const FIGURES_MS = 2_000;
export const LISTS_MS = 10_000;
const SESSION_MS = 60_000;
export const PAGE_ITEMS = 200;
const PAGE_PAUSE_MS = 1_000;
const RETRIES_MAX = 1;

const NO_NODES: readonly NodeResource[] = [];

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

export type Answer<Data> = UseQueryResult<Data, ApiProblem>;

interface Figures<Data> {
  readonly key: readonly string[];
  readonly read: () => Promise<Data>;
  readonly everyMs?: number;
  readonly isWanted?: boolean;
}

/** What is asked for again and again while somebody looks at it; the last answer stays through failures. */
export const useFigures = <Data>({ key, read, everyMs = FIGURES_MS, isWanted = true }: Figures<Data>): Answer<Data> =>
  useQuery<Data, ApiProblem>({
    queryKey: key,
    queryFn: read,
    refetchInterval: everyMs,
    enabled: isWanted,
  });

/** Looked at seldom while all is well, and often while the server is silent. */
export const useSession = (): Answer<SessionResource> =>
  useQuery<SessionResource, ApiProblem>({
    queryKey: ['session'],
    queryFn: () => callApi('GET', '/session'),
    refetchInterval: ({ state }) => (state.error === null ? SESSION_MS : FIGURES_MS),
    refetchIntervalInBackground: true,
    retry: false,
  });
export const useOverview = (): Answer<OverviewResource> => useFigures({ key: ['overview'], read: () => callApi('GET', '/overview') });
/** Of a cluster: the pages of a node on its own show no list of nodes. */
export const useNodes = (isWanted = true): Answer<readonly NodeResource[]> =>
  useFigures({ key: ['nodes'], read: () => listAll<NodeResource>('/nodes'), isWanted });
export const useNode = (id: string, isWanted: boolean): Answer<NodeResource> =>
  useFigures({ key: ['node', id], read: () => callApi('GET', `/nodes/${encodeURIComponent(id)}`), isWanted });
/** The nodes as they were known when the one that serves the page was last heard, to turn to when it falls silent. */
export const useKnownNodes = (isWanted: boolean): readonly NodeResource[] => {
  const queries = useQueryClient();
  const { data } = useFigures({ key: ['nodes-known'], read: () => listAll<NodeResource>('/nodes'), everyMs: SESSION_MS, isWanted });
  // A page that shows the nodes asks for them much more often.
  return queries.getQueryData<readonly NodeResource[]>(['nodes']) ?? data ?? NO_NODES;
};
export const useRelays = (): Answer<RelayList> => useFigures({ key: ['relays'], read: () => callApi('GET', '/cluster/relays') });
export const useTranscoding = (): Answer<NodeTranscodingList> =>
  useFigures({ key: ['transcoding'], read: () => callApi('GET', '/cluster/transcoding') });
/** Of one node; its list is empty while that does not answer. */
export const useTranscodingOf = (node: string): Answer<NodeTranscodingList> =>
  useFigures({ key: ['transcoding', node], read: () => callApi('GET', `/cluster/transcoding?node=${encodeURIComponent(node)}`) });
export const useSources = (): Answer<NodeSourcesList> => useFigures({ key: ['sources'], read: () => callApi('GET', '/cluster/sources') });
export const useTargets = (): Answer<NodeTargetsList> => useFigures({ key: ['targets'], read: () => callApi('GET', '/cluster/targets') });
export const useStream = (app: string, name: string): Answer<StreamResource> =>
  useFigures({ key: ['stream', app, name], read: () => callApi('GET', streamPath(app, name)) });

/** The first of the streams that a node is the origin of. */
export const useStreamsFrom = (origin: string): Answer<StreamPage> =>
  useFigures({ key: ['streams', 'from', origin], read: () => callApi('GET', `/streams?origin=${encodeURIComponent(origin)}`) });

const streamPath = (app: string, name: string): string => `/streams/${encodeURIComponent(app)}/${encodeURIComponent(name)}`;

/** The streams whose path has the words of `search`, as many pages as were asked for. */
export function useStreams(search: string): UseInfiniteQueryResult<readonly StreamResource[], ApiProblem> {
  return useInfiniteQuery({
    queryKey: ['streams', search],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({
        limit: String(PAGE_ITEMS),
        ...(search === '' ? {} : { search }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      });
      return callApi<StreamPage>('GET', `/streams?${query}`);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages }): readonly StreamResource[] => pages.flatMap(({ items }) => items),
    // Fifty pages are not fetched as often as one.
    refetchInterval: ({ state }) => Math.max(LISTS_MS, pagesOf(state.data) * PAGE_PAUSE_MS),
    placeholderData: keepPreviousData,
  });
}

export type Change<Wish, Made = unknown> = UseMutationResult<Made, ApiProblem, Wish>;

/** A change, after which the answers under `stale` are fetched again. */
export function useChange<Wish, Made = unknown>(run: (wish: Wish) => Promise<Made>, stale: readonly string[]): Change<Wish, Made> {
  const queries = useQueryClient();
  return useMutation<Made, ApiProblem, Wish>({
    mutationFn: run,
    onSettled: () => Promise.all(stale.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useChangeNode = (): Change<{ readonly id: string } & NodePatch> =>
  useChange(({ id, ...patch }) => callApi('PATCH', `/nodes/${encodeURIComponent(id)}`, patch), ['nodes', 'node', 'overview']);
export const useRemoveNode = (): Change<string> =>
  useChange((id) => callApi('DELETE', `/nodes/${encodeURIComponent(id)}`), ['nodes', 'node', 'overview']);
export const useEndStream = (): Change<{ readonly app: string; readonly name: string }> =>
  useChange(({ app, name }) => callApi('DELETE', streamPath(app, name)), ['stream', 'streams', 'overview']);
export const useSignIn = (): Change<string> => useChange((key) => callApi('POST', '/session', { key }), ['session']);
export const useSignOut = (): Change<void> => useChange(() => callApi('DELETE', '/session'), ['session']);
