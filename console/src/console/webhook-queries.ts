import type {
  DeadLetterResource,
  DeliveryList,
  NewWebhookResource,
  WebhookPatch,
  WebhookResource,
  WebhookTestResource,
  WebhookWish,
} from '../../../src/api/webhook-contract.ts';
import { appPath } from './access-queries.ts';
import { callApi, listAll } from './api-client.ts';
import { type Answer, type Change, LISTS_MS, useChange, useFigures } from './queries.ts';

const DELIVERIES_MS = 3_000;

export const useWebhooks = (app: string): Answer<readonly WebhookResource[]> =>
  useFigures({ key: ['webhooks', app], read: () => listAll<WebhookResource>(appPath(app, 'webhooks')), everyMs: LISTS_MS });
/** What was sent to a hook by all nodes, the newest first. */
export const useDeliveries = (app: string, id: string): Answer<DeliveryList> =>
  useFigures({
    key: ['deliveries', app, id],
    read: () => callApi('GET', appPath(app, 'webhooks', id, 'deliveries')),
    everyMs: DELIVERIES_MS,
  });
export const useDeadLetters = (app: string, id: string): Answer<readonly DeadLetterResource[]> =>
  useFigures({
    key: ['dead-letters', app, id],
    read: () => listAll<DeadLetterResource>(appPath(app, 'webhooks', id, 'dead-letters')),
    everyMs: LISTS_MS,
  });

export const useCreateWebhook = (app: string): Change<WebhookWish, NewWebhookResource> =>
  useChange((wish) => callApi('POST', appPath(app, 'webhooks'), wish), ['webhooks']);
export const useChangeWebhook = (app: string, id: string): Change<WebhookPatch, WebhookResource> =>
  useChange((patch) => callApi('PATCH', appPath(app, 'webhooks', id), patch), ['webhooks']);
export const useRotateWebhook = (app: string, id: string): Change<number, NewWebhookResource> =>
  useChange((graceS) => callApi('POST', appPath(app, 'webhooks', id, 'rotate'), { graceS }), ['webhooks']);
export const useDeleteWebhook = (app: string, id: string): Change<void> =>
  useChange(() => callApi('DELETE', appPath(app, 'webhooks', id)), ['webhooks']);
export const useTestWebhook = (app: string, id: string): Change<void, WebhookTestResource> =>
  useChange(() => callApi('POST', appPath(app, 'webhooks', id, 'test')), ['deliveries']);
export const useRetryDeadLetter = (app: string, id: string): Change<string> =>
  useChange((delivery) => callApi('POST', appPath(app, 'webhooks', id, 'dead-letters', delivery, 'retry')), ['dead-letters', 'deliveries']);
export const useDeleteDeadLetter = (app: string, id: string): Change<string> =>
  useChange((delivery) => callApi('DELETE', appPath(app, 'webhooks', id, 'dead-letters', delivery)), ['dead-letters']);
