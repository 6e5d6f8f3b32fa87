import { appParamsSchema } from './access-schemas.ts';
import { appNotFound } from './grant.ts';
import type { AppUsageResource } from './limits-contract.ts';
import { appUsageSchema } from './limits-schemas.ts';
import type { Operation } from './operation.ts';

/** What the API needs of the usage of apps. */
export interface AppUsages {
  /** Undefined: there is no such app. */
  usageOf(app: string): AppUsageResource | undefined;
}

export function appUsageOperations(usages: AppUsages): readonly Operation[] {
  return [
    {
      id: 'getAppUsage',
      method: 'GET',
      path: '/apps/:app/usage',
      summary: 'See what an app uses',
      description: 'On all nodes, beside its limits: at the moment, and this month. Other nodes are heard every few seconds.',
      scope: 'app',
      tag: 'apps',
      params: appParamsSchema,
      success: { status: 200, schema: appUsageSchema },
      handle: ({ params }): AppUsageResource => {
        const app = params['app'] ?? '';
        const usage = usages.usageOf(app);
        if (usage === undefined) throw appNotFound(app);
        return usage;
      },
    },
  ];
}
