import { keepPreviousData, type UseInfiniteQueryResult, useInfiniteQuery } from '@tanstack/react-query';
import type {
  ApiKeyResource,
  ApiKeyWish,
  AppPatch,
  AppResource,
  AppWish,
  AuditEntryResource,
  AuditPage,
  ListedAppResource,
  NewApiKeyResource,
  NewStreamKeyResource,
  NewTokenKeyResource,
  RevokedTokenResource,
  RevokedTokenWish,
  StreamKeyResource,
  StreamKeyWish,
  TokenKeyWish,
} from '../../../src/api/access-contract.ts';
import type { JoinTokenResource, JoinTokenWish, NewJoinTokenResource } from '../../../src/api/cluster-contract.ts';
import type { AppUsageResource } from '../../../src/api/limits-contract.ts';
import type { LadderResource, RungSettingsResource } from '../../../src/api/settings-contract.ts';
import { type ApiProblem, callApi, listAll } from './api-client.ts';
import { type Answer, type Change, LISTS_MS, PAGE_ITEMS, useChange, useFigures } from './queries.ts';

/** What apps use now is told by no event. */
const USAGE_MS = 3_000;

/** What a ladder is set to; rungs belong to the template `custom` alone. */
export interface LadderWish {
  readonly template: LadderResource['template'];
  readonly rungs?: readonly RungSettingsResource[];
  readonly always: boolean;
  readonly lingerMs: number;
}

/** The address of an app, and of what belongs to it. */
export const appPath = (app: string, ...below: readonly string[]): string => ['/apps', app, ...below].map(encodePart).join('/');
const encodePart = (part: string, index: number): string => (index === 0 ? part : encodeURIComponent(part));

const useList = <Item>(key: readonly string[], path: string, isWanted = true): Answer<readonly Item[]> =>
  useFigures({ key, read: () => listAll<Item>(path), everyMs: LISTS_MS, isWanted });

export const useApps = (isWanted = true): Answer<readonly ListedAppResource[]> =>
  useFigures({ key: ['apps'], read: () => listAll<ListedAppResource>('/apps'), everyMs: USAGE_MS, isWanted });
export const useApp = (app: string): Answer<AppResource> =>
  useFigures({ key: ['app', app], read: () => callApi('GET', appPath(app)), everyMs: LISTS_MS });
export const useAppUsage = (app: string): Answer<AppUsageResource> =>
  useFigures({ key: ['usage', app], read: () => callApi('GET', appPath(app, 'usage')) });
export const useLadder = (app: string): Answer<LadderResource> =>
  useFigures({ key: ['ladder', app], read: () => callApi('GET', appPath(app, 'ladder')), everyMs: LISTS_MS });
export const useStreamKeys = (app: string): Answer<readonly StreamKeyResource[]> => useList(['stream-keys', app], appPath(app, 'keys'));
export const useRevokedTokens = (app: string): Answer<readonly RevokedTokenResource[]> =>
  useList(['revoked-tokens', app], appPath(app, 'revoked-tokens'));
export const useApiKeys = (isWanted: boolean): Answer<readonly ApiKeyResource[]> => useList(['api-keys'], '/api-keys', isWanted);
export const useJoinTokens = (isWanted: boolean): Answer<readonly JoinTokenResource[]> =>
  useList(['join-tokens'], '/cluster/tokens', isWanted);

/** The log of changes with the words of `search`, the newest first, as many pages as were asked for. */
export function useAudit(search: string): UseInfiniteQueryResult<readonly AuditEntryResource[], ApiProblem> {
  return useInfiniteQuery({
    queryKey: ['audit', search],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({
        limit: String(PAGE_ITEMS / 4),
        ...(search === '' ? {} : { search }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      });
      return callApi<AuditPage>('GET', `/audit?${query}`);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages }): readonly AuditEntryResource[] => pages.flatMap(({ items }) => items),
    refetchInterval: LISTS_MS,
    placeholderData: keepPreviousData,
  });
}

export const useCreateApp = (): Change<AppWish, AppResource> => useChange((wish) => callApi('POST', '/apps', wish), ['apps']);
export const useChangeApp = (app: string): Change<AppPatch, AppResource> =>
  useChange((patch) => callApi('PATCH', appPath(app), patch), ['app', 'apps']);
export const useDeleteApp = (): Change<string> => useChange((app) => callApi('DELETE', appPath(app)), ['apps', 'streams']);

export const useSetLadder = (app: string): Change<LadderWish, LadderResource> =>
  useChange((wish) => callApi('PUT', appPath(app, 'ladder'), wish), ['ladder']);
export const useUnsetLadder = (app: string): Change<void> => useChange(() => callApi('DELETE', appPath(app, 'ladder')), ['ladder']);

export const useCreateStreamKey = (app: string): Change<StreamKeyWish, NewStreamKeyResource> =>
  useChange((wish) => callApi('POST', appPath(app, 'keys'), wish), ['stream-keys']);
export const useRotateStreamKey = (app: string): Change<{ readonly id: string; readonly graceS: number }, NewStreamKeyResource> =>
  useChange(({ id, graceS }) => callApi('POST', appPath(app, 'keys', id, 'rotate'), { graceS }), ['stream-keys']);
export const useDeleteStreamKey = (app: string): Change<{ readonly id: string; readonly endSessions: boolean }> =>
  useChange(
    ({ id, endSessions }) => callApi('DELETE', `${appPath(app, 'keys', id)}${endSessions ? '?endSessions=true' : ''}`),
    ['stream-keys'],
  );

export const useAddTokenKey = (app: string): Change<TokenKeyWish, NewTokenKeyResource> =>
  useChange((wish) => callApi('POST', appPath(app, 'token-keys'), wish), ['app', 'apps']);
export const useDeleteTokenKey = (app: string): Change<string> =>
  useChange((id) => callApi('DELETE', appPath(app, 'token-keys', id)), ['app', 'apps']);
export const useRevokeToken = (app: string): Change<RevokedTokenWish, RevokedTokenResource> =>
  useChange((wish) => callApi('POST', appPath(app, 'revoked-tokens'), wish), ['revoked-tokens']);

export const useCreateApiKey = (): Change<ApiKeyWish, NewApiKeyResource> =>
  useChange((wish) => callApi('POST', '/api-keys', wish), ['api-keys']);
export const useDeleteApiKey = (): Change<string> =>
  useChange((id) => callApi('DELETE', `/api-keys/${encodeURIComponent(id)}`), ['api-keys']);

export const useCreateJoinToken = (): Change<JoinTokenWish, NewJoinTokenResource> =>
  useChange((wish) => callApi('POST', '/cluster/tokens', wish), ['join-tokens']);
export const useDeleteJoinToken = (): Change<string> =>
  useChange((id) => callApi('DELETE', `/cluster/tokens/${encodeURIComponent(id)}`), ['join-tokens']);
