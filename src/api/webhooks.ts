import { appIdParamsSchema, appParamsSchema, rotateWishSchema } from './access-schemas.ts';
import type { Grant } from './grant.ts';
import { appNotFound } from './grant.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema } from './schemas.ts';
import type {
  DeadLetterPage,
  DeadLetterResource,
  DeliveryList,
  DeliveryResource,
  NewWebhookResource,
  WebhookPage,
  WebhookPatch,
  WebhookResource,
  WebhookTestResource,
  WebhookWish,
} from './webhook-contract.ts';
import {
  deadLetterPageSchema,
  deadLetterParamsSchema,
  deliveryListSchema,
  newWebhookSchema,
  webhookPageSchema,
  webhookPatchSchema,
  webhookSchema,
  webhookTestSchema,
  webhookWishSchema,
} from './webhook-schemas.ts';

/** What the API needs of webhooks. Calls reject with `ApiError`; undefined or false: there is none. `seesAll`: the caller may be told of the whole cluster. */
export interface WebhookRegistry {
  hasApp(name: string): boolean;
  list(app: string): readonly WebhookResource[];
  find(app: string, id: string): WebhookResource | undefined;
  create(app: string, wish: WebhookWish, seesAll: boolean): Promise<NewWebhookResource>;
  change(app: string, id: string, patch: WebhookPatch, seesAll: boolean): Promise<WebhookResource | undefined>;
  rotate(app: string, id: string, graceS: number): Promise<NewWebhookResource | undefined>;
  remove(app: string, id: string): Promise<WebhookResource | undefined>;
  test(app: string, id: string): Promise<WebhookTestResource | undefined>;
  /** The newest first. */
  deliveries(app: string, id: string): Promise<readonly DeliveryResource[]>;
  deadLetters(app: string, id: string, seesAll: boolean): Promise<readonly DeadLetterResource[]>;
  retry(app: string, id: string, delivery: string): Promise<boolean>;
  removeDeadLetter(app: string, id: string, delivery: string): Promise<boolean>;
}

/** Which hook a call is about; throws when there is none. */
interface Asked {
  readonly app: string;
  readonly id: string;
  readonly hook: WebhookResource;
}

const hookNotFound = (id: string): ApiError =>
  new ApiError('webhooks.not-found', `the app has no webhook with the id ${JSON.stringify(id)}: GET lists those that it has`);
const letterNotFound = (id: string): ApiError =>
  new ApiError(
    'webhooks.delivery-not-found',
    `the webhook has no dead letter with the id ${JSON.stringify(id)}: GET lists those that it has`,
  );

/** The operations on the webhooks of apps. */
export function webhookOperations(hooks: WebhookRegistry): readonly Operation[] {
  return [...hookOperations(hooks), ...hookActions(hooks), ...deadLetterOperations(hooks)];
}

const common = { scope: 'app', tag: 'webhooks' } as const;

function hookOperations(hooks: WebhookRegistry): readonly Operation[] {
  return [
    {
      ...common,
      id: 'listWebhooks',
      method: 'GET',
      path: '/apps/:app/webhooks',
      summary: 'List the webhooks of an app',
      description: 'Without their secrets, ordered by id, in pages.',
      params: appParamsSchema,
      query: pageQuerySchema,
      success: { status: 200, schema: webhookPageSchema },
      handle: (context): WebhookPage => pageOf(hooks.list(appOf(hooks, context)), ({ id }) => id, context.query),
    },
    {
      ...common,
      id: 'createWebhook',
      method: 'POST',
      path: '/apps/:app/webhooks',
      summary: 'Make a webhook',
      description: 'The server makes the secret that its requests are signed with, and shows it in this answer and never again.',
      params: appParamsSchema,
      body: webhookWishSchema,
      success: { status: 201, schema: newWebhookSchema },
      errors: ['webhooks.url', 'webhooks.settings', 'webhooks.events', 'webhooks.too-many'],
      examples: {
        body: {
          kind: 'events',
          url: 'https://hooks.example.org/sluice',
          note: 'billing',
          events: { types: ['stream.started', 'stream.ended'], retryForS: 3600 },
        },
      },
      handle: async (context) => {
        const app = appOf(hooks, context);
        const made = await hooks.create(app, context.body as WebhookWish, mayTellOfCluster(context.grant));
        context.note({ app, after: withoutSecret(made) });
        return made;
      },
    },
    {
      ...common,
      id: 'getWebhook',
      method: 'GET',
      path: '/apps/:app/webhooks/:id',
      summary: 'Look at one webhook',
      description: 'Without its secret.',
      params: appIdParamsSchema,
      success: { status: 200, schema: webhookSchema },
      errors: ['webhooks.not-found'],
      handle: (context) => found(hooks, context).hook,
    },
    {
      ...common,
      id: 'changeWebhook',
      method: 'PATCH',
      path: '/apps/:app/webhooks/:id',
      summary: 'Change a webhook',
      description: 'What is left out stays; the kind stays. What it has said of viewers is forgotten.',
      params: appIdParamsSchema,
      body: webhookPatchSchema,
      success: { status: 200, schema: webhookSchema },
      errors: ['webhooks.not-found', 'webhooks.newer', 'webhooks.url', 'webhooks.settings', 'webhooks.events'],
      examples: { body: { note: 'billing', enabled: true } },
      handle: async (context) => {
        const { app, id, hook: before } = found(hooks, context);
        const after = await hooks.change(app, id, context.body as WebhookPatch, mayTellOfCluster(context.grant));
        if (after === undefined) throw hookNotFound(id);
        context.note({ app, before, after });
        return after;
      },
    },
    {
      ...common,
      id: 'deleteWebhook',
      method: 'DELETE',
      path: '/apps/:app/webhooks/:id',
      summary: 'Delete a webhook',
      description: 'With its dead letters. Events that wait for it are dropped.',
      params: appIdParamsSchema,
      success: { status: 204 },
      errors: ['webhooks.not-found'],
      handle: async (context) => {
        const { app, id } = found(hooks, context);
        const before = await hooks.remove(app, id);
        if (before === undefined) throw hookNotFound(id);
        context.note({ app, before });
      },
    },
  ];
}

function hookActions(hooks: WebhookRegistry): readonly Operation[] {
  return [
    {
      ...common,
      id: 'rotateWebhookSecret',
      method: 'POST',
      path: '/apps/:app/webhooks/:id/rotate',
      summary: 'Give a webhook a new secret',
      description: 'For `graceS` seconds requests are signed with the old one, too.',
      params: appIdParamsSchema,
      body: rotateWishSchema,
      success: { status: 200, schema: newWebhookSchema },
      errors: ['webhooks.not-found', 'webhooks.newer'],
      handle: async (context) => {
        const { app, id } = found(hooks, context);
        const made = await hooks.rotate(app, id, (context.body as { graceS: number }).graceS);
        if (made === undefined) throw hookNotFound(id);
        context.note({ app, after: withoutSecret(made) });
        return made;
      },
    },
    {
      ...common,
      id: 'testWebhook',
      method: 'POST',
      path: '/apps/:app/webhooks/:id/test',
      summary: 'Send a test to a webhook',
      description: 'At once and one time, also to one that is not enabled; answers with what came back.',
      params: appIdParamsSchema,
      success: { status: 200, schema: webhookTestSchema },
      errors: ['webhooks.not-found', 'webhooks.busy'],
      handle: async (context): Promise<WebhookTestResource> => {
        const { app, id } = found(hooks, context);
        const came = await hooks.test(app, id);
        if (came === undefined) throw hookNotFound(id);
        context.note({ app, after: { ok: came.ok } });
        return came;
      },
    },
    {
      ...common,
      id: 'listWebhookDeliveries',
      method: 'GET',
      path: '/apps/:app/webhooks/:id/deliveries',
      summary: 'See what was sent to a webhook',
      description: 'The newest 100, of all nodes; the newest first. What other nodes sent is seen within seconds.',
      params: appIdParamsSchema,
      success: { status: 200, schema: deliveryListSchema },
      errors: ['webhooks.not-found'],
      handle: async (context): Promise<DeliveryList> => {
        const { app, id } = found(hooks, context);
        return { items: [...(await hooks.deliveries(app, id))] };
      },
    },
  ];
}

function deadLetterOperations(hooks: WebhookRegistry): readonly Operation[] {
  const path = '/apps/:app/webhooks/:id/dead-letters';
  const ofDelivery = { ...common, params: deadLetterParamsSchema, success: { status: 204 } } as const;
  const settle = async (context: OperationContext, act: (asked: Asked, delivery: string) => Promise<boolean>): Promise<void> => {
    const asked = found(hooks, context);
    const delivery = context.params['delivery'] ?? '';
    if (!(await act(asked, delivery))) throw letterNotFound(delivery);
    context.note({ app: asked.app });
  };
  return [
    {
      ...common,
      id: 'listDeadLetters',
      method: 'GET',
      path,
      summary: 'List the events that could not be delivered',
      description: 'The newest 1,000 are kept until they are sent again or deleted; by id, in pages.',
      params: appIdParamsSchema,
      query: pageQuerySchema,
      success: { status: 200, schema: deadLetterPageSchema },
      errors: ['webhooks.not-found'],
      handle: async (context): Promise<DeadLetterPage> => {
        const asked = found(hooks, context);
        return pageOf(await hooks.deadLetters(asked.app, asked.id, mayTellOfCluster(context.grant)), (letter) => letter.id, context.query);
      },
    },
    {
      ...ofDelivery,
      id: 'retryDeadLetter',
      method: 'POST',
      path: `${path}/:delivery/retry`,
      summary: 'Send a dead letter again',
      description: 'It is queued like a new event, with its old id.',
      errors: ['webhooks.not-found', 'webhooks.delivery-not-found', 'webhooks.busy'],
      handle: (context) => settle(context, ({ app, id }, delivery) => hooks.retry(app, id, delivery)),
    },
    {
      ...ofDelivery,
      id: 'deleteDeadLetter',
      method: 'DELETE',
      path: `${path}/:delivery`,
      summary: 'Delete a dead letter',
      description: 'It is not sent any more.',
      errors: ['webhooks.not-found', 'webhooks.delivery-not-found', 'webhooks.busy'],
      handle: (context) => settle(context, ({ app, id }, delivery) => hooks.removeDeadLetter(app, id, delivery)),
    },
  ];
}

const mayTellOfCluster = ({ seesAll }: Grant): boolean => seesAll;

function appOf(hooks: WebhookRegistry, { params }: OperationContext): string {
  const name = params['app'] ?? '';
  if (!hooks.hasApp(name)) throw appNotFound(name);
  return name;
}

function found(hooks: WebhookRegistry, context: OperationContext): Asked {
  const app = appOf(hooks, context);
  const id = context.params['id'] ?? '';
  const hook = hooks.find(app, id);
  if (hook === undefined) throw hookNotFound(id);
  return { app, id, hook };
}

function withoutSecret({ secret: _, ...rest }: NewWebhookResource): WebhookResource {
  return rest;
}
