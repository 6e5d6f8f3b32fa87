import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type {
  DeadLetterPage,
  DeliveryList,
  NewWebhookResource,
  WebhookPage,
  WebhookPatch,
  WebhookResource,
  WebhookTestResource,
  WebhookWish,
} from './webhook-contract.ts';

const closed = { additionalProperties: false };
const at = (description: string): ReturnType<typeof Type.String> => Type.String({ format: 'date-time', description });
const nextCursor = Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' }));

const kind = Type.Union([Type.Literal('admission'), Type.Literal('events')], {
  description: '`admission`: is asked whether somebody may publish or play; `events`: is told what happened',
  examples: ['events'],
});
const acts = Type.Array(Type.Union([Type.Literal('publish'), Type.Literal('play')]), {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
  examples: [['publish']],
});
const eventType = Type.Union(
  [
    Type.Literal('stream.started'),
    Type.Literal('stream.held'),
    Type.Literal('stream.resumed'),
    Type.Literal('stream.ended'),
    Type.Literal('publisher.refused'),
    Type.Literal('source.changed'),
    Type.Literal('target.changed'),
    Type.Literal('recording.started'),
    Type.Literal('recording.ended'),
    Type.Literal('recording.failed'),
    Type.Literal('node.changed'),
    Type.Literal('node.gone'),
  ],
  { description: '`node.…` tell of the whole cluster: only admin keys make hooks that are told of them' },
);
const types = Type.Array(eventType, { minItems: 1, maxItems: 12, uniqueItems: true, examples: [['stream.started', 'stream.ended']] });
const timeout = { minimum: 100, maximum: 10_000, description: 'How long an answer is waited for' };
const cache = { minimum: 5, maximum: 3_600, description: "For how long a viewer's answer counts; a refusal ten seconds at most" };
const retry = { minimum: 0, maximum: 86_400, description: 'For how long an event is tried again; 0: one attempt' };
const whenDown = Type.Union([Type.Literal('allow'), Type.Literal('refuse')], {
  description: 'What counts while the hook gives no answer that can be used, or is asked too much at a time',
});
const url = Type.String({ minLength: 8, maxLength: 2048, description: 'HTTPS', examples: ['https://example.org/sluice'] });
const note = Type.String({ maxLength: 100, description: 'To know it by', examples: ['billing'] });

const admission = Type.Object({ for: acts, timeoutMs: Type.Integer(timeout), whenDown, cacheS: Type.Integer(cache) });
const events = Type.Object({ types, retryForS: Type.Integer(retry) });
const hookFields = {
  id: Type.String({ examples: ['8a0d3c5e7f912b46'] }),
  app: Type.String({ examples: ['live'] }),
  kind,
  url: Type.String({ description: 'Without what follows a `?`' }),
  note: Type.String(),
  enabled: Type.Boolean(),
  admission: Type.Optional(admission),
  events: Type.Optional(events),
  createdAt: at('When it was made'),
  changedAt: at('When it was changed last'),
  oldSecretUntil: Type.Optional(at('Until when requests are signed with the secret before the last rotation, too')),
  problem: Type.Optional(Type.String({ description: 'Why this node neither changes nor reaches it: newer software has written it' })),
};
const hook = Type.Object(hookFields);
const newHook = Type.Object({ ...hookFields, secret: Type.String({ description: 'Shown this once', examples: ['whsec_SECRET'] }) });
const hookPage = Type.Object({ items: Type.Array(hook), nextCursor });

const wish = Type.Object(
  {
    kind,
    url,
    note: Type.String({ ...note, maxLength: 100, default: '' }),
    enabled: Type.Boolean({ default: true }),
    admission: Type.Optional(
      Type.Object(
        {
          for: acts,
          timeoutMs: Type.Integer({ ...timeout, default: 2_000 }),
          whenDown: Type.Union([Type.Literal('allow'), Type.Literal('refuse')], { default: 'refuse' }),
          cacheS: Type.Integer({ ...cache, default: 60 }),
        },
        { ...closed, description: 'Of the kind `admission`, which needs it' },
      ),
    ),
    events: Type.Optional(
      Type.Object(
        { types, retryForS: Type.Integer({ ...retry, default: 86_400 }) },
        { ...closed, description: 'Of the kind `events`, which needs it' },
      ),
    ),
  },
  closed,
);
const patch = Type.Object(
  {
    url: Type.Optional(url),
    note: Type.Optional(note),
    enabled: Type.Optional(Type.Boolean()),
    admission: Type.Optional(
      Type.Object(
        {
          for: Type.Optional(acts),
          timeoutMs: Type.Optional(Type.Integer(timeout)),
          whenDown: Type.Optional(whenDown),
          cacheS: Type.Optional(Type.Integer(cache)),
        },
        { ...closed, minProperties: 1 },
      ),
    ),
    events: Type.Optional(
      Type.Object({ types: Type.Optional(types), retryForS: Type.Optional(Type.Integer(retry)) }, { ...closed, minProperties: 1 }),
    ),
  },
  { ...closed, minProperties: 1 },
);

const tested = Type.Object({
  ok: Type.Boolean({ description: 'Whether an event would count as delivered, or the answer to a question as one' }),
  durationMs: Type.Number(),
  httpStatus: Type.Optional(Type.Integer({ description: 'Absent: there was no answer' })),
  verdict: Type.Optional(Type.Union([Type.Literal('allowed'), Type.Literal('refused'), Type.Literal('down')])),
  detail: Type.Optional(Type.String({ description: 'What went wrong, or the reason of an admission hook' })),
  body: Type.Optional(Type.String({ description: "The beginning of the answer's body" })),
});

const delivery = Type.Object({
  id: Type.String({ description: 'Of the event, or of the question' }),
  type: Type.String({ description: '`publish`, `play`, or of an event', examples: ['stream.started'] }),
  stream: Type.Optional(Type.String({ description: '`app/name`' })),
  node: Type.String({ description: 'The node that sent it' }),
  at: at('When it was attempted last'),
  status: Type.Union(
    [
      Type.Literal('delivered'),
      Type.Literal('retrying'),
      Type.Literal('dead'),
      Type.Literal('dropped'),
      Type.Literal('allowed'),
      Type.Literal('refused'),
      Type.Literal('down'),
    ],
    {
      description: 'Of an event: `delivered`, `retrying`, `dead` (a dead letter) or `dropped` (too many waited); of a question: the others',
    },
  ),
  attempts: Type.Integer(),
  durationMs: Type.Number({ description: 'Of the last attempt' }),
  httpStatus: Type.Optional(Type.Integer()),
  detail: Type.Optional(Type.String()),
});
const deliveries = Type.Object({ items: Type.Array(delivery) });

const deadLetter = Type.Object({
  id: Type.String({ description: 'Of the event' }),
  type: Type.String(),
  createdAt: at('When it happened'),
  diedAt: at('When the last attempt failed'),
  attempts: Type.Integer(),
  httpStatus: Type.Optional(Type.Integer()),
  detail: Type.Optional(Type.String()),
  event: Type.Unknown({ description: 'What was to be sent' }),
});
const deadLetterPage = Type.Object({ items: Type.Array(deadLetter), nextCursor });

export const webhookSchema: TSchema = hook;
export const newWebhookSchema: TSchema = newHook;
export const webhookPageSchema: TSchema = hookPage;
export const webhookWishSchema: TSchema = wish;
export const webhookPatchSchema: TSchema = patch;
export const webhookTestSchema: TSchema = tested;
export const deliveryListSchema: TSchema = deliveries;
export const deadLetterPageSchema: TSchema = deadLetterPage;

const id = Type.String({ minLength: 1, maxLength: 64 });
export const deadLetterParamsSchema: TSchema = Type.Object({ app: id, id, delivery: id }, closed);

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof hook>, WebhookResource>,
  Same<Static<typeof newHook>, NewWebhookResource>,
  Same<Static<typeof hookPage>, WebhookPage>,
  Same<Static<typeof wish>, WebhookWish>,
  Same<Static<typeof patch>, WebhookPatch>,
  Same<Static<typeof tested>, WebhookTestResource>,
  Same<Static<typeof deliveries>, DeliveryList>,
  Same<Static<typeof deadLetterPage>, DeadLetterPage>,
] = [true, true, true, true, true, true, true, true];
void contractIsSchema;
