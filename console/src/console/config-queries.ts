import { useQuery } from '@tanstack/react-query';
import type { AppliedSettings, SettingsVersionDetail, SettingsVersionResource } from '../../../src/api/settings-contract.ts';
import { type ApiProblem, callApi, listAll } from './api-client.ts';
import { type Answer, type Change, LISTS_MS, useChange, useFigures } from './queries.ts';

const rollbackPath = (version: number, query: Readonly<Record<string, string>>): string =>
  `/config/versions/${version}/rollback?${new URLSearchParams(query)}`;

/** The newest first. */
export const useSettingsVersions = (): Answer<readonly SettingsVersionResource[]> =>
  useFigures({ key: ['versions'], read: () => listAll<SettingsVersionResource>('/config/versions'), everyMs: LISTS_MS });
export const useSettingsVersion = (version: number): Answer<SettingsVersionDetail> =>
  useQuery<SettingsVersionDetail, ApiProblem>({
    queryKey: ['version', version],
    queryFn: () => callApi('GET', `/config/versions/${version}`),
  });
/** What a rollback would change, without doing it. */
export const useApplied = (version: number): Answer<AppliedSettings> =>
  useQuery<AppliedSettings, ApiProblem>({
    queryKey: ['rollback', version],
    queryFn: () => callApi('POST', rollbackPath(version, { dryRun: 'true' })),
    gcTime: 0,
  });
/** With `base`, only if nothing has changed since that version. */
export const useRollBack = (): Change<{ readonly version: number; readonly base: number | undefined }, AppliedSettings> =>
  useChange(
    ({ version, base }) => callApi('POST', rollbackPath(version, base === undefined ? {} : { base: String(base) })),
    ['versions', 'apps', 'app', 'ladder'],
  );
