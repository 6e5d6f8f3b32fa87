import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { FILE_MINUTES_MAX, KEEP_DAYS_MAX } from '../access/mod.ts';
import type {
  ApiKeyPage,
  ApiKeyResource,
  ApiKeyWish,
  AppPage,
  AppPatch,
  AppResource,
  AppWish,
  AuditPage,
  NewApiKeyResource,
  NewStreamKeyResource,
  NewTokenKeyResource,
  RevokedTokenPage,
  RevokedTokenResource,
  RevokedTokenWish,
  StreamKeyPage,
  StreamKeyWish,
  TokenKeyWish,
} from './access-contract.ts';
import { limitsField, limitsPatchField, usageNowField } from './limits-schemas.ts';

const NAME = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
const YEAR_S = 366 * 86_400;
const closed = { additionalProperties: false };

const policy = Type.Union([Type.Literal('public'), Type.Literal('token'), Type.Literal('domains'), Type.Literal('networks')], {
  description:
    '`public`: everybody; `token`: who shows a signed token; `domains`: pages of these domains, by Origin or Referer; `networks`: these addresses. A token opens the last two, too',
  examples: ['token'],
});
const domains = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  maxItems: 100,
  description: '`example.org`, or `*.example.org` for all below it',
  examples: [['example.org', '*.example.org']],
});
const networks = Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { maxItems: 100, examples: [['192.0.2.0/24', '2001:db8::/32']] });
const secondPublisher = Type.Union([Type.Literal('reject'), Type.Literal('takeover'), Type.Literal('standby')], {
  description: 'What a second publisher of a live stream gets: turned away, the stream, or (in a cluster, at another node) to stand by',
});
const recordingMode = Type.Union([Type.Literal('off'), Type.Literal('always')], {
  description: '`always`: each stream, for as long as it is published',
  examples: ['always'],
});
const fileMinutes = Type.Integer({
  minimum: 1,
  maximum: FILE_MINUTES_MAX,
  description: 'A file that is as long is followed by another one, at a keyframe',
  examples: [60],
});
const keepDays = Type.Integer({
  minimum: 0,
  maximum: KEEP_DAYS_MAX,
  description: 'A recording is deleted so long after its end; 0: never',
  examples: [30],
});
const algorithm = Type.Union([Type.Literal('HS256'), Type.Literal('ES256'), Type.Literal('EdDSA')], { examples: ['HS256'] });
const note = Type.String({ maxLength: 100, default: '', description: 'To know it by', examples: ['studio 1'] });
const at = (description: string): ReturnType<typeof Type.String> => Type.String({ format: 'date-time', description });
const nextCursor = Type.Optional(Type.String({ description: 'Give it as `cursor` for the next page; absent on the last page' }));
const expiresInS = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 10 * YEAR_S, description: 'How long it counts; for ever without', examples: [86_400] }),
);

const tokenKeyFields = {
  id: Type.String({ description: '`kid` in the header of a token', examples: ['5f1c9a2be07d4e68'] }),
  algorithm,
  publicKey: Type.Optional(Type.String({ description: 'PEM; absent for a secret' })),
  createdAt: at('When it was made or taken in'),
};
const tokenKey = Type.Object(tokenKeyFields);
const newTokenKey = Type.Object({ ...tokenKeyFields, secret: Type.Optional(Type.String({ description: 'Of HS256; shown this once' })) });
const tokenKeyWish = Type.Object(
  {
    algorithm,
    publicKey: Type.Optional(
      Type.String({ maxLength: 4096, description: 'Of ES256 and EdDSA: SubjectPublicKeyInfo, PEM. Of HS256 the server makes the secret' }),
    ),
  },
  closed,
);
const tokenText = Type.Optional(Type.String({ maxLength: 512, description: 'Empty: none' }));

const appFields = {
  name: Type.String({ examples: ['live'] }),
  note: Type.String(),
  configured: Type.Boolean({ description: 'Whether it stands in the configuration of the node that answers' }),
  configuredKeys: Type.Integer({
    description: 'Stream keys in that configuration; they count beside those made here and cannot be deleted here',
  }),
  publishFromLoopback: Type.Boolean({ description: "Whether publishers on the node's own machine need no key" }),
  secondPublisher,
  playback: Type.Object({ policy, domains, networks }),
  tokens: Type.Object({
    issuer: Type.Optional(Type.String()),
    audience: Type.Optional(Type.String()),
    jwksUrl: Type.Optional(Type.String()),
    keys: Type.Array(tokenKey),
  }),
  limits: limitsField,
  recording: Type.Object({ mode: recordingMode, fileMinutes, keepDays }, { description: 'What is recorded of its streams' }),
  problem: Type.Optional(Type.String({ description: 'Why this node does not change it: newer software has written it' })),
};
const app = Type.Object(appFields);
const appPage = Type.Object({ items: Type.Array(Type.Object({ ...appFields, usage: usageNowField })), nextCursor });
const patchFields = {
  note: Type.Optional(Type.String({ maxLength: 100 })),
  publishFromLoopback: Type.Optional(Type.Boolean()),
  secondPublisher: Type.Optional(secondPublisher),
  playback: Type.Optional(Type.Object({ policy, domains: Type.Optional(domains), networks: Type.Optional(networks) }, closed)),
  tokens: Type.Optional(Type.Object({ issuer: tokenText, audience: tokenText, jwksUrl: tokenText }, closed)),
  limits: Type.Optional(limitsPatchField),
  recording: Type.Optional(
    Type.Object({ mode: recordingMode, fileMinutes: Type.Optional(fileMinutes), keepDays: Type.Optional(keepDays) }, closed),
  ),
};
const appPatch = Type.Object(patchFields, { ...closed, minProperties: 1 });
const appWish = Type.Object({ name: Type.String({ pattern: NAME, examples: ['news'] }), ...patchFields }, closed);

const streamKeyFields = {
  id: Type.String({ examples: ['8a0d3c5e7f912b46'] }),
  app: Type.String(),
  stream: Type.Optional(Type.String({ description: 'The one stream that it may publish; absent: all of the app' })),
  note: Type.String(),
  createdAt: at('When it was made'),
  expiresAt: Type.Optional(at('Until when it counts')),
  oldSecretUntil: Type.Optional(at('Until when the secret before the last rotation counts')),
};
const streamKey = Type.Object(streamKeyFields);
const newStreamKey = Type.Object({ ...streamKeyFields, key: Type.String({ description: 'Shown this once' }) });
const streamKeyPage = Type.Object({ items: Type.Array(streamKey), nextCursor });
const streamKeyWish = Type.Object({ stream: Type.Optional(Type.String({ pattern: NAME })), expiresInS, note }, closed);
const rotateWish = Type.Object(
  {
    graceS: Type.Integer({
      minimum: 0,
      maximum: YEAR_S,
      default: 0,
      description: 'How long the old secret counts beside the new one',
      examples: [3600],
    }),
  },
  closed,
);

const apiKeyFields = {
  id: Type.String(),
  scopes: Type.Array(Type.String()),
  note: Type.String(),
  createdAt: at('When it was made'),
  expiresAt: Type.Optional(at('Until when it counts')),
};
const apiKey = Type.Object(apiKeyFields);
const newApiKey = Type.Object({ ...apiKeyFields, key: Type.String({ description: 'Shown this once', examples: ['sk_ID.SECRET'] }) });
const apiKeyPage = Type.Object({ items: Type.Array(apiKey), nextCursor });
const apiKeyWish = Type.Object(
  {
    scopes: Type.Array(Type.String({ pattern: '^(admin|read|app:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})$' }), {
      minItems: 1,
      maxItems: 100,
      description: '`admin`: everything; `read`: to see everything; `app:NAME`: everything that concerns one app',
      examples: [['app:live']],
    }),
    expiresInS,
    note,
  },
  closed,
);

const revoked = Type.Object({ jti: Type.String(), revokedAt: at('When it was revoked'), expiresAt: at('Until when this is kept') });
const revokedPage = Type.Object({ items: Type.Array(revoked), nextCursor });
const revokedWish = Type.Object(
  {
    jti: Type.String({ minLength: 1, maxLength: 128, description: 'Of the token', examples: ['viewer-4711'] }),
    expiresInS: Type.Integer({
      minimum: 1,
      maximum: 10 * YEAR_S,
      default: 86_400,
      description: 'At least as long as the token still holds',
    }),
    endSessions: Type.Boolean({ default: false, description: 'Whether the sessions end, too, that it has let in, on all nodes' }),
  },
  closed,
);

const auditEntry = Type.Object({
  id: Type.String(),
  at: at('When it was made'),
  who: Type.String({
    description: '`key:ID (NAME)`; `session of` it; `token:ID` for a join token; `anybody`',
    examples: ['key:8a0d3c5e7f912b46 (night shift)'],
  }),
  address: Type.String(),
  action: Type.String({ description: 'The id of the operation', examples: ['changeApp'] }),
  target: Type.String({ description: 'A path below `/api/v1`', examples: ['/apps/live'] }),
  app: Type.Optional(Type.String()),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
});
const auditPage = Type.Object({ items: Type.Array(auditEntry), nextCursor });

export const appSchema: TSchema = app;
export const appPageSchema: TSchema = appPage;
export const appPatchSchema: TSchema = appPatch;
export const appWishSchema: TSchema = appWish;
export const newTokenKeySchema: TSchema = newTokenKey;
export const tokenKeyWishSchema: TSchema = tokenKeyWish;
export const newStreamKeySchema: TSchema = newStreamKey;
export const streamKeyPageSchema: TSchema = streamKeyPage;
export const streamKeyWishSchema: TSchema = streamKeyWish;
export const rotateWishSchema: TSchema = rotateWish;
export const newApiKeySchema: TSchema = newApiKey;
export const apiKeyPageSchema: TSchema = apiKeyPage;
export const apiKeyWishSchema: TSchema = apiKeyWish;
export const revokedTokenSchema: TSchema = revoked;
export const revokedTokenPageSchema: TSchema = revokedPage;
export const revokedTokenWishSchema: TSchema = revokedWish;
export const auditPageSchema: TSchema = auditPage;

const id = Type.String({ minLength: 1, maxLength: 64 });
export const appParamsSchema: TSchema = Type.Object({ app: id }, closed);
export const endSessionsQuerySchema: TSchema = Type.Object(
  { endSessions: Type.Boolean({ default: false, description: 'Whether the sessions end, too, that it has let in, on all nodes' }) },
  closed,
);
export const appIdParamsSchema: TSchema = Type.Object({ app: id, id }, closed);

// The contract is written out for its readers; these lines do not compile when it and the schemas differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const contractIsSchema: [
  Same<Static<typeof app>, AppResource>,
  Same<Static<typeof appPage>, AppPage>,
  Same<Static<typeof appPatch>, AppPatch>,
  Same<Static<typeof appWish>, AppWish>,
  Same<Static<typeof newTokenKey>, NewTokenKeyResource>,
  Same<Static<typeof tokenKeyWish>, TokenKeyWish>,
  Same<Static<typeof newStreamKey>, NewStreamKeyResource>,
  Same<Static<typeof streamKeyPage>, StreamKeyPage>,
  Same<Static<typeof streamKeyWish>, StreamKeyWish>,
  Same<Static<typeof apiKey>, ApiKeyResource>,
  Same<Static<typeof newApiKey>, NewApiKeyResource>,
  Same<Static<typeof apiKeyPage>, ApiKeyPage>,
  Same<Static<typeof apiKeyWish>, ApiKeyWish>,
  Same<Static<typeof revoked>, RevokedTokenResource>,
  Same<Static<typeof revokedPage>, RevokedTokenPage>,
  Same<Static<typeof revokedWish>, RevokedTokenWish>,
  Same<Static<typeof auditPage>, AuditPage>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];
void contractIsSchema;
