import { appParamsSchema } from './access-schemas.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';
import type {
  AppliedSettings,
  LadderResource,
  RoutingResource,
  SettingsResource,
  SettingsVersionDetail,
  SettingsVersionPage,
  SettingsVersionResource,
} from './settings-contract.ts';
import {
  appliedSchema,
  applyQuerySchema,
  ladderResourceSchema,
  ladderWishSchema,
  rollbackQuerySchema,
  routingResourceSchema,
  routingWishSchema,
  settingsSchema,
  settingsWishSchema,
  versionDetailSchema,
  versionPageSchema,
  versionParamsSchema,
} from './settings-schemas.ts';

/** Whose change it is. */
export interface SettingsAuthor {
  readonly who: string;
  /** The id of the operation. */
  readonly action: string;
  readonly note?: string;
}

export interface ApplyOptions {
  readonly by: SettingsAuthor;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly force: boolean;
  /** The version that is expected; undefined: any. */
  readonly base: number | undefined;
}

/** What the API needs of the settings as a whole. Calls reject with `ApiError`. */
export interface SettingsRegistry {
  document(): Promise<SettingsResource>;
  /** `value` is checked here. */
  apply(value: unknown, options: ApplyOptions): Promise<AppliedSettings>;
  rollback(version: number, options: ApplyOptions): Promise<AppliedSettings>;
  /** The newest first. */
  versions(): Promise<readonly SettingsVersionResource[]>;
  version(version: number): Promise<SettingsVersionDetail | undefined>;
}

/** What the API needs of ladders and routing rules. Values are checked there. */
export interface SettingsParts {
  /** Rejects with `apps.not-found`. */
  ladder(app: string): Promise<LadderResource>;
  setLadder(app: string, value: unknown, by: SettingsAuthor): Promise<void>;
  unsetLadder(app: string, by: SettingsAuthor): Promise<void>;
  routing(): Promise<RoutingResource>;
  setRouting(value: unknown, by: SettingsAuthor): Promise<void>;
  unsetRouting(by: SettingsAuthor): Promise<void>;
}

/** The largest document: ten thousand apps with ladders fit. */
const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;
const PART_BYTES_MAX = 1024 * 1024;

/** The operations on the settings of the cluster: as one document, its versions, and ladders and routing rules by themselves. */
export function settingsOperations(settings: SettingsRegistry, parts: SettingsParts): readonly Operation[] {
  return [
    ...documentOperations(settings).map((operation) => ({ ...operation, tag: 'settings' })),
    ...ladderOperations(parts).map((operation) => ({ ...operation, tag: 'apps' })),
    ...routingOperations(parts).map((operation) => ({ ...operation, tag: 'settings' })),
  ];
}

function documentOperations(settings: SettingsRegistry): readonly Operation[] {
  return [
    {
      id: 'getSettings',
      method: 'GET',
      path: '/config',
      summary: 'Look at the settings of the cluster',
      description: 'As one document, which can be changed and applied. Without keys and secrets.',
      scope: 'admin',
      success: { status: 200, schema: settingsSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record'],
      handle: () => settings.document(),
    },
    {
      id: 'applySettings',
      method: 'POST',
      path: '/config',
      summary: 'Apply a document of settings',
      description: 'What is left out stays; null unsets. It counts on all nodes at once, and makes a version.',
      scope: 'admin',
      query: applyQuerySchema,
      body: settingsWishSchema,
      checksBody: true,
      bodyBytesMax: DOCUMENT_BYTES_MAX,
      success: { status: 200, schema: appliedSchema },
      errors: ['config.invalid', 'config.changed', 'apps.name', 'apps.playback', 'apps.key-set', 'apps.too-many'],
      handle: async (context) => {
        const { version, ...document } = versioned(context.body);
        const options = applyOptions(context, 'applySettings');
        const applied = await settings.apply(document, { ...options, base: options.base ?? version });
        context.note({ after: { version: applied.version, isDryRun: options.dryRun, changes: applied.changes } });
        return applied;
      },
    },
    {
      id: 'listSettingsVersions',
      method: 'GET',
      path: '/config/versions',
      summary: 'List the versions of the settings',
      description: 'Each change of apps, ladders, weights or routing made one. The newest first, 200 at most, in pages.',
      scope: 'admin',
      query: pageQuerySchema,
      success: { status: 200, schema: versionPageSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record'],
      handle: async ({ query }): Promise<SettingsVersionPage> => pageOf(await settings.versions(), placeOf, query),
    },
    {
      id: 'getSettingsVersion',
      method: 'GET',
      path: '/config/versions/:version',
      summary: 'Look at one version of the settings',
      description: 'What it changed, and the document before and with it.',
      scope: 'admin',
      params: versionParamsSchema,
      success: { status: 200, schema: versionDetailSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record', 'config.version-not-found'],
      handle: async (context) => {
        const n = versionOf(context);
        const found = await settings.version(n);
        if (found === undefined)
          throw new ApiError('config.version-not-found', `version ${n} is not kept: GET /api/v1/config/versions lists those that are`);
        return found;
      },
    },
    {
      id: 'rollBackSettings',
      method: 'POST',
      path: '/config/versions/:version/rollback',
      summary: 'Go back to a version of the settings',
      description:
        'Undoes what later versions changed, as a new version. 0 is before the first. Keys of apps that were deleted do not come back.',
      scope: 'admin',
      params: versionParamsSchema,
      query: rollbackQuerySchema,
      success: { status: 200, schema: appliedSchema },
      errors: ['config.version-not-found', 'config.changed'],
      handle: async (context) => {
        const options = applyOptions(context, 'rollBackSettings');
        const applied = await settings.rollback(versionOf(context), options);
        context.note({ after: { version: applied.version, isDryRun: options.dryRun, changes: applied.changes } });
        return applied;
      },
    },
  ];
}

function ladderOperations(parts: SettingsParts): readonly Operation[] {
  const changed = async (context: OperationContext, change: (app: string) => Promise<void>): Promise<LadderResource> => {
    const app = context.params['app'] ?? '';
    const before = await parts.ladder(app);
    await change(app);
    const after = await parts.ladder(app);
    context.note({ app, before, after });
    return after;
  };
  return [
    {
      id: 'getLadder',
      method: 'GET',
      path: '/apps/:app/ladder',
      summary: "Look at an app's ladder",
      description: 'The qualities that its streams are offered in.',
      scope: 'app',
      params: appParamsSchema,
      success: { status: 200, schema: ladderResourceSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record'],
      handle: ({ params }) => parts.ladder(params['app'] ?? ''),
    },
    {
      id: 'setLadder',
      method: 'PUT',
      path: '/apps/:app/ladder',
      summary: "Set an app's ladder",
      description: 'On all nodes, at once, also for streams that run. It counts instead of what the configuration says.',
      scope: 'app',
      params: appParamsSchema,
      body: ladderWishSchema,
      checksBody: true,
      success: { status: 200, schema: ladderResourceSchema },
      errors: ['config.invalid'],
      handle: (context) => changed(context, (app) => parts.setLadder(app, context.body, author(context, 'setLadder'))),
    },
    {
      id: 'deleteLadder',
      method: 'DELETE',
      path: '/apps/:app/ladder',
      summary: "Unset an app's ladder",
      description: "From then on what each node's configuration says counts.",
      scope: 'app',
      params: appParamsSchema,
      success: { status: 204 },
      handle: async (context) => {
        await changed(context, (app) => parts.unsetLadder(app, author(context, 'deleteLadder')));
      },
    },
  ];
}

function routingOperations(parts: SettingsParts): readonly Operation[] {
  const changed = async (context: OperationContext, change: () => Promise<void>): Promise<RoutingResource> => {
    const before = await parts.routing();
    await change();
    const after = await parts.routing();
    context.note({ before, after });
    return after;
  };
  return [
    {
      id: 'getRouting',
      method: 'GET',
      path: '/cluster/routing',
      summary: 'Look at the routing rules',
      description: 'Which region a client is near, and what counts how much when a node is chosen for it.',
      scope: 'read',
      success: { status: 200, schema: routingResourceSchema },
      errors: ['cluster.store-unavailable', 'cluster.newer-record'],
      handle: () => parts.routing(),
    },
    {
      id: 'setRouting',
      method: 'PUT',
      path: '/cluster/routing',
      summary: 'Set the routing rules',
      description: 'On all nodes, at once. They count instead of what the configuration says.',
      scope: 'admin',
      body: routingWishSchema,
      checksBody: true,
      bodyBytesMax: PART_BYTES_MAX,
      success: { status: 200, schema: routingResourceSchema },
      errors: ['config.invalid'],
      handle: (context) => changed(context, () => parts.setRouting(context.body, author(context, 'setRouting'))),
    },
    {
      id: 'deleteRouting',
      method: 'DELETE',
      path: '/cluster/routing',
      summary: 'Unset the routing rules',
      description: "From then on what each node's configuration says counts.",
      scope: 'admin',
      success: { status: 204 },
      handle: async (context) => {
        await changed(context, () => parts.unsetRouting(author(context, 'deleteRouting')));
      },
    },
  ];
}

const author = ({ grant }: OperationContext, action: string): SettingsAuthor => ({ who: grant.who, action });

function applyOptions({ query, grant }: OperationContext, action: string): ApplyOptions {
  return {
    by: { who: grant.who, action, note: String(query['note'] ?? '') },
    dryRun: query['dryRun'] === true,
    prune: query['prune'] === true,
    force: query['force'] === true,
    base: query['base'] as number | undefined,
  };
}

const versionOf = ({ params }: OperationContext): number => Number(params['version']);
/** The newest first. */
const placeOf = ({ version }: SettingsVersionResource): string => String(Number.MAX_SAFE_INTEGER - version).padStart(16, '0');

/** A document that was read with its version is applied to that version. */
function versioned(body: unknown): { readonly version: number | undefined; readonly [section: string]: unknown } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError('config.invalid', 'the document is a group of keys: apps, transcoding, routing');
  const { version, ...sections } = body as Record<string, unknown>;
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 0))
    throw new ApiError('config.invalid', 'version: it takes a whole number from 0 on');
  return { ...sections, version: version as number | undefined };
}
