import type {
  AppPage,
  AppPatch,
  AppResource,
  AppWish,
  ListedAppResource,
  NewStreamKeyResource,
  NewTokenKeyResource,
  RevokedTokenPage,
  RevokedTokenResource,
  RevokedTokenWish,
  StreamKeyPage,
  StreamKeyResource,
  StreamKeyWish,
  TokenKeyWish,
} from './access-contract.ts';
import {
  appIdParamsSchema,
  appPageSchema,
  appParamsSchema,
  appPatchSchema,
  appSchema,
  appWishSchema,
  endSessionsQuerySchema,
  newStreamKeySchema,
  newTokenKeySchema,
  revokedTokenPageSchema,
  revokedTokenSchema,
  revokedTokenWishSchema,
  rotateWishSchema,
  streamKeyPageSchema,
  streamKeyWishSchema,
  tokenKeyWishSchema,
} from './access-schemas.ts';
import { appNotFound } from './grant.ts';
import type { AppUsageNow } from './limits-contract.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';

/** What the API needs of apps and what belongs to them. Calls reject with `ApiError`; undefined or false: there is none. */
export interface AppRegistry {
  list(): readonly AppResource[];
  /** What an app uses on all nodes now. */
  usageOf(name: string): AppUsageNow;
  find(name: string): AppResource | undefined;
  /** `who`: in the versions of the settings. */
  create(wish: AppWish, who: string): Promise<AppResource>;
  change(name: string, patch: AppPatch, who: string): Promise<AppResource>;
  remove(name: string, who: string): Promise<void>;
  addTokenKey(name: string, wish: TokenKeyWish): Promise<NewTokenKeyResource>;
  removeTokenKey(name: string, id: string): Promise<boolean>;
  streamKeys(app: string): readonly StreamKeyResource[];
  createStreamKey(app: string, wish: StreamKeyWish): Promise<NewStreamKeyResource>;
  rotateStreamKey(app: string, id: string, graceS: number): Promise<NewStreamKeyResource | undefined>;
  /** `endsSessions`: so do the publishers that it has let in. */
  removeStreamKey(app: string, id: string, endsSessions: boolean): Promise<StreamKeyResource | undefined>;
  revokedTokens(app: string): readonly RevokedTokenResource[];
  revokeToken(app: string, wish: RevokedTokenWish): Promise<RevokedTokenResource>;
}

const appOf = ({ params }: OperationContext): string => params['app'] ?? '';
const idOf = ({ params }: OperationContext): string => params['id'] ?? '';
const keyNotFound = (id: string): ApiError =>
  new ApiError('apps.key-not-found', `the app has no key with the id ${JSON.stringify(id)}: GET lists those that it has`);

/** The operations on apps, their stream keys and their tokens. */
export function appOperations(apps: AppRegistry): readonly Operation[] {
  return [...appResourceOperations(apps), ...streamKeyOperations(apps), ...tokenOperations(apps)].map((operation) => ({
    ...operation,
    tag: 'apps',
  }));
}

function appResourceOperations(apps: AppRegistry): readonly Operation[] {
  return [
    {
      id: 'listApps',
      method: 'GET',
      path: '/apps',
      summary: 'List the apps',
      description: 'Those that the key may see, ordered by name, in pages.',
      scope: 'app',
      query: pageQuerySchema,
      success: { status: 200, schema: appPageSchema },
      handle: ({ query, grant }): AppPage => {
        const seen = apps.list().filter(({ name }) => grant.maySee(name));
        const { items, ...rest } = pageOf(seen, ({ name }) => name, query);
        return { items: items.map((app): ListedAppResource => ({ ...app, usage: apps.usageOf(app.name) })), ...rest };
      },
    },
    {
      id: 'createApp',
      method: 'POST',
      path: '/apps',
      summary: 'Make an app',
      description: 'It is there on all nodes at once. Nobody may publish into it before it has a stream key or a token key.',
      scope: 'admin',
      body: appWishSchema,
      success: { status: 201, schema: appSchema },
      examples: { body: { name: 'news', note: 'evening news', playback: { policy: 'token' } } },
      errors: ['apps.exists', 'apps.name', 'apps.playback', 'apps.key-set', 'apps.too-many', 'apps.configured'],
      handle: async ({ body, note, grant }) => {
        const made = await apps.create(body as AppWish, grant.who);
        note({ app: made.name, after: made });
        return made;
      },
    },
    {
      id: 'getApp',
      method: 'GET',
      path: '/apps/:app',
      summary: 'Look at one app',
      description: 'Who may publish and play, and which keys check its tokens.',
      scope: 'app',
      params: appParamsSchema,
      success: { status: 200, schema: appSchema },
      handle: (context) => found(apps, appOf(context)),
    },
    {
      id: 'changeApp',
      method: 'PATCH',
      path: '/apps/:app',
      summary: 'Change an app',
      description:
        'What is left out stays. What is set here counts instead of what the configuration says; viewers who play already are not looked at again. Limits are set with an admin key.',
      scope: 'app',
      params: appParamsSchema,
      body: appPatchSchema,
      success: { status: 200, schema: appSchema },
      examples: { body: { playback: { policy: 'domains', domains: ['example.org', '*.example.org'] } } },
      errors: ['apps.playback', 'apps.key-set'],
      handle: async (context) => {
        const before = found(apps, appOf(context));
        const patch = context.body as AppPatch;
        // Of those who may change anything, only admin keys see all.
        if (patch.limits !== undefined && !context.grant.seesAll)
          throw new ApiError('api.scope-missing', 'limits are set with a key with scope "admin": the one given is held back by them');
        const after = await apps.change(before.name, patch, context.grant.who);
        context.note({ app: after.name, before, after });
        return after;
      },
    },
    {
      id: 'deleteApp',
      method: 'DELETE',
      path: '/apps/:app',
      summary: 'Delete an app',
      description: 'With its keys; streams that are published into it end. An app of the configuration cannot be deleted here.',
      scope: 'admin',
      params: appParamsSchema,
      success: { status: 204 },
      errors: ['apps.not-found', 'apps.configured'],
      handle: async (context) => {
        const before = found(apps, appOf(context));
        await apps.remove(before.name, context.grant.who);
        context.note({ app: before.name, before });
      },
    },
  ];
}

function streamKeyOperations(apps: AppRegistry): readonly Operation[] {
  return [
    {
      id: 'listStreamKeys',
      method: 'GET',
      path: '/apps/:app/keys',
      summary: 'List the stream keys of an app',
      description: 'Without their secrets, and without the keys of the configuration.',
      scope: 'app',
      params: appParamsSchema,
      query: pageQuerySchema,
      success: { status: 200, schema: streamKeyPageSchema },
      handle: (context): StreamKeyPage => pageOf(apps.streamKeys(found(apps, appOf(context)).name), ({ id }) => id, context.query),
    },
    {
      id: 'createStreamKey',
      method: 'POST',
      path: '/apps/:app/keys',
      summary: 'Make a stream key',
      description: 'For one stream or all of the app. The key is shown in this answer and never again.',
      scope: 'app',
      params: appParamsSchema,
      body: streamKeyWishSchema,
      success: { status: 201, schema: newStreamKeySchema },
      errors: ['apps.too-many'],
      handle: async (context) => {
        const made = await apps.createStreamKey(found(apps, appOf(context)).name, context.body as StreamKeyWish);
        context.note({ app: made.app, after: without(made, 'key') });
        return made;
      },
    },
    {
      id: 'rotateStreamKey',
      method: 'POST',
      path: '/apps/:app/keys/:id/rotate',
      summary: 'Give a stream key a new secret',
      description: 'The old one counts for `graceS` seconds more. Who publishes already goes on.',
      scope: 'app',
      params: appIdParamsSchema,
      body: rotateWishSchema,
      success: { status: 200, schema: newStreamKeySchema },
      errors: ['apps.key-not-found'],
      handle: async (context) => {
        const app = found(apps, appOf(context)).name;
        const made = await apps.rotateStreamKey(app, idOf(context), (context.body as { graceS: number }).graceS);
        if (made === undefined) throw keyNotFound(idOf(context));
        context.note({ app, after: without(made, 'key') });
        return made;
      },
    },
    {
      id: 'deleteStreamKey',
      method: 'DELETE',
      path: '/apps/:app/keys/:id',
      summary: 'Delete a stream key',
      description: 'Nobody can begin to publish with it any more. Who publishes already goes on, unless `endSessions` is true.',
      query: endSessionsQuerySchema,
      scope: 'app',
      params: appIdParamsSchema,
      success: { status: 204 },
      errors: ['apps.key-not-found'],
      handle: async (context) => {
        const app = found(apps, appOf(context)).name;
        const before = await apps.removeStreamKey(app, idOf(context), context.query['endSessions'] === true);
        if (before === undefined) throw keyNotFound(idOf(context));
        context.note({ app, before });
      },
    },
  ];
}

function tokenOperations(apps: AppRegistry): readonly Operation[] {
  return [
    {
      id: 'addTokenKey',
      method: 'POST',
      path: '/apps/:app/token-keys',
      summary: 'Add a key for signed tokens',
      description:
        'Of HS256 the server makes the secret and shows it in this answer and never again; of ES256 and EdDSA give the public key.',
      scope: 'app',
      params: appParamsSchema,
      body: tokenKeyWishSchema,
      success: { status: 201, schema: newTokenKeySchema },
      examples: { answer: { id: '5f1c9a2be07d4e68', algorithm: 'HS256', createdAt: '2026-01-02T03:04:05.000Z', secret: 'SECRET' } },
      errors: ['apps.public-key', 'apps.too-many'],
      handle: async (context) => {
        const app = found(apps, appOf(context)).name;
        const made = await apps.addTokenKey(app, context.body as TokenKeyWish);
        context.note({ app, after: without(made, 'secret') });
        return made;
      },
    },
    {
      id: 'deleteTokenKey',
      method: 'DELETE',
      path: '/apps/:app/token-keys/:id',
      summary: 'Delete a key for signed tokens',
      description: 'Tokens that were signed with it let nobody in any more.',
      scope: 'app',
      params: appIdParamsSchema,
      success: { status: 204 },
      errors: ['apps.key-not-found'],
      handle: async (context) => {
        const app = found(apps, appOf(context)).name;
        if (!(await apps.removeTokenKey(app, idOf(context)))) throw keyNotFound(idOf(context));
        context.note({ app });
      },
    },
    {
      id: 'listRevokedTokens',
      method: 'GET',
      path: '/apps/:app/revoked-tokens',
      summary: 'List the revoked tokens of an app',
      description: 'Ordered by `jti`, in pages.',
      scope: 'app',
      params: appParamsSchema,
      query: pageQuerySchema,
      success: { status: 200, schema: revokedTokenPageSchema },
      handle: (context): RevokedTokenPage => pageOf(apps.revokedTokens(found(apps, appOf(context)).name), ({ jti }) => jti, context.query),
    },
    {
      id: 'revokeToken',
      method: 'POST',
      path: '/apps/:app/revoked-tokens',
      summary: 'Revoke a token',
      description:
        'By its `jti`. It begins nothing any more, and gets no more of HLS; other sessions that it began go on, unless `endSessions` is true.',
      scope: 'app',
      params: appParamsSchema,
      body: revokedTokenWishSchema,
      success: { status: 201, schema: revokedTokenSchema },
      errors: ['apps.too-many'],
      handle: async (context) => {
        const app = found(apps, appOf(context)).name;
        const after = await apps.revokeToken(app, context.body as RevokedTokenWish);
        context.note({ app, after });
        return after;
      },
    },
  ];
}

function found(apps: AppRegistry, name: string): AppResource {
  const app = apps.find(name);
  if (app === undefined) throw appNotFound(name);
  return app;
}

/** Without the secret, which stands in no log. */
function without<Resource extends object>(resource: Resource, secret: keyof Resource): object {
  const { [secret]: _, ...rest } = resource;
  return rest;
}
