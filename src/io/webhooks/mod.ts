export type { HookEvent } from './event-deliveries.ts';
export { Webhooks, type WebhooksOptions } from './webhooks.ts';
