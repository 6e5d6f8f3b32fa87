import type { ApiKeyPage, ApiKeyResource, ApiKeyWish, AuditEntryResource, AuditPage, NewApiKeyResource } from './access-contract.ts';
import { apiKeyPageSchema, apiKeyWishSchema, auditPageSchema, newApiKeySchema } from './access-schemas.ts';
import { idParamsSchema } from './cluster-schemas.ts';
import { auditSearchSchema } from './console-schemas.ts';
import type { Operation } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';

/** What the API needs of the API keys in the store. */
export interface ApiKeyRegistry {
  list(): readonly ApiKeyResource[];
  create(wish: ApiKeyWish): Promise<NewApiKeyResource>;
  /** The key that was; undefined: there is none. */
  remove(id: string): Promise<ApiKeyResource | undefined>;
}

/** What the API needs of the log of changes. */
export interface AuditTrail {
  /** The newest first. */
  list(): Promise<readonly AuditEntryResource[]>;
}

/** The operations on API keys, and the log of what was changed with them. */
export function apiKeyOperations(keys: ApiKeyRegistry, audit: AuditTrail): readonly Operation[] {
  return [
    {
      id: 'listApiKeys',
      method: 'GET',
      path: '/api-keys',
      summary: 'List the API keys',
      description:
        'Without their secrets, ordered by id, in pages. The first admin key of a node on its own, which is in its data folder, is not among them.',
      scope: 'admin',
      tag: 'keys',
      query: pageQuerySchema,
      success: { status: 200, schema: apiKeyPageSchema },
      handle: ({ query }): ApiKeyPage => pageOf(keys.list(), ({ id }) => id, query),
    },
    {
      id: 'createApiKey',
      method: 'POST',
      path: '/api-keys',
      summary: 'Make an API key',
      description: 'The key is shown in this answer and never again; only its hash is kept.',
      scope: 'admin',
      tag: 'keys',
      body: apiKeyWishSchema,
      success: { status: 201, schema: newApiKeySchema },
      errors: ['keys.too-many'],
      handle: async ({ body, note }) => {
        const made = await keys.create(body as ApiKeyWish);
        const { key: _, ...after } = made;
        note({ after });
        return made;
      },
    },
    {
      id: 'deleteApiKey',
      method: 'DELETE',
      path: '/api-keys/:id',
      summary: 'Delete an API key',
      description: 'It is refused from now on, on all nodes.',
      scope: 'admin',
      tag: 'keys',
      params: idParamsSchema,
      success: { status: 204 },
      errors: ['keys.not-found'],
      handle: async ({ params, note }) => {
        const id = params['id'] ?? '';
        const before = await keys.remove(id);
        if (before === undefined)
          throw new ApiError('keys.not-found', `no API key has the id ${JSON.stringify(id)}: GET /api/v1/api-keys lists them`);
        note({ before });
      },
    },
    {
      id: 'listAudit',
      method: 'GET',
      path: '/audit',
      summary: 'Look at the log of changes',
      description:
        'Who changed what when, by this API; the newest first. The newest 2,000 are kept. `search` finds words in who, address, action, app and target. A key for single apps sees what concerns them.',
      scope: 'app',
      tag: 'keys',
      query: auditSearchSchema,
      success: { status: 200, schema: auditPageSchema },
      errors: ['cluster.store-unavailable'],
      handle: async ({ query, grant }): Promise<AuditPage> => {
        const seen = (await audit.list()).filter(({ app }) => (app === undefined ? grant.seesAll : grant.maySee(app)));
        return pageOf(seen.filter(hasWords(query['search'] as string | undefined)), ({ id }) => id, query);
      },
    },
  ];
}

/** Whether the words of a search are in what was changed by whom; case does not matter. */
function hasWords(search = ''): (entry: AuditEntryResource) => boolean {
  const words = search.toLowerCase().split(/\s+/);
  return ({ who, address, action, app = '', target }) => {
    const text = `${who} ${address} ${action} ${app} ${target}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}
