import fastifySwagger from '@fastify/swagger';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { readTexts } from './api-server.ts';
import { type Authorized, type AuthorizeOptions, addressOf, authorize } from './authorize.ts';
import { refuseDeep } from './body-depth.ts';
import { docsPage } from './docs-page.ts';
import type { Change, NotedChange } from './grant.ts';
import { type AnswerKeeper, IDEMPOTENCY_HEADER, keyedRequest, once, readIdempotencyKey } from './idempotency.ts';
import { completeDocument } from './openapi-document.ts';
import { type ApiCaller, JsonText, type Operation, type OperationAnswer } from './operation.ts';
import { takesIdempotencyKey } from './operation-problems.ts';
import { ApiError, PROBLEM_TYPE } from './problem.ts';
import { problemSchema } from './schemas.ts';
import { securityOf, securitySchemes } from './security.ts';

export interface ApiOptions extends AuthorizeOptions {
  readonly operations: readonly Operation[];
  /** Keeps answers for callers who ask again with the same `Idempotency-Key`. Absent: such keys are not looked at. */
  readonly keeper?: AnswerKeeper | undefined;
  /** Told each change that was made. */
  readonly changed?: (change: NotedChange) => void;
  readonly version: string;
}

export const API_PREFIX = '/api/v1';
const AUTHORIZED = 'authorized';

/** Puts the operations, their OpenAPI document and its readable page on a Fastify instance. */
export async function registerApi(fastify: FastifyInstance, options: ApiOptions): Promise<void> {
  await fastify.register(fastifySwagger, {
    // Only operations are tagged: pages, metrics and health are no part of the API.
    hideUntagged: true,
    transform: ({ schema, url, route }) => ({ schema: withDocumentedBody(schema, route.config), url }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: options.version,
        description: 'Errors are `application/problem+json` (RFC 9457) with a stable `code`. Lists are paged by cursor.',
      },
      components: { securitySchemes },
    },
    transformObject: (document) =>
      'openapiObject' in document ? completeDocument(document.openapiObject, options.operations) : document.swaggerObject,
  });
  // Swagger gathers routes in a hook that holds for what is registered after it, hence the plugin of its own.
  await fastify.register((scope, _options, done) => {
    scope.decorateRequest(AUTHORIZED);
    for (const operation of options.operations) route(scope, operation, options);
    scope.get(`${API_PREFIX}/openapi.json`, () => fastify.swagger());
    scope.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage(fastify.swagger())));
    done();
  });
  allowedMethods(fastify, options.operations);
}

/** Of operations without parameters in the query: a misspelt one is refused there, too, and does not count for nothing. */
const NO_QUERY = Type.Object({}, { additionalProperties: false });

function route(fastify: FastifyInstance, operation: Operation, options: ApiOptions): void {
  const { success } = operation;
  const schema = {
    operationId: operation.id,
    summary: operation.summary,
    description: operation.description,
    tags: [operation.tag ?? 'streams'],
    ...(operation.params === undefined ? {} : { params: operation.params }),
    querystring: operation.query ?? NO_QUERY,
    ...(operation.body === undefined || operation.checksBody === true ? {} : { body: operation.body }),
    ...(operation.headers === undefined ? {} : { headers: operation.headers }),
    security: securityOf(operation, options.publicReads),
    response: {
      [success.status]: success.status === 204 ? { type: 'null', description: 'Done' } : described(success),
      default: { description: 'What went wrong', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
    },
  };
  fastify.route({
    method: operation.method,
    url: `${API_PREFIX}${operation.path}`,
    schema: schema as FastifySchema,
    ...(operation.bodyBytesMax === undefined ? {} : { bodyLimit: operation.bodyBytesMax }),
    // Before the body is read and anything is looked at: who may not is told nothing else.
    onRequest: async (request) => {
      request.setDecorator(AUTHORIZED, authorize(request, operation, options));
      await operation.checkCredential?.(callerOf(request, options));
    },
    preValidation: async ({ params, query, body }) => {
      readTexts(operation.params, params);
      readTexts(operation.query, query);
      refuseDeep(body);
    },
    ...(operation.checksBody === true ? { config: { documentedBody: operation.body } as object } : {}),
    handler: async (request, reply) => {
      const params = request.params as Record<string, string>;
      const query = request.query as Record<string, unknown>;
      const { isPrivileged, grant, credential } = request.getDecorator<Authorized>(AUTHORIZED);
      const caller = callerOf(request, options);
      const carryOut = async (): Promise<unknown> => {
        let noted: Change = {};
        const note = (change: Change): void => {
          noted = change;
        };
        const { body } = request;
        const answer = await operation.handle({ params, query, body, isPrivileged, grant, note, caller, answer: answerOf(reply) });
        if (operation.method !== 'GET') {
          const target = targetOf(operation.path, params);
          options.changed?.({ who: grant.who, ...noted, address: caller.address, action: operation.id, target });
        }
        return answer;
      };
      const { keeper } = options;
      const key = keeper === undefined || !takesIdempotencyKey(operation) ? undefined : caller.header(IDEMPOTENCY_HEADER);
      const answer =
        key === undefined || keeper === undefined || credential === undefined
          ? await carryOut()
          : await answerOnce({ keeper, key, credential, request, reply, status: success.status, carryOut });
      if (reply.sent) return reply;
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
      if (answer instanceof JsonText)
        return reply.type('application/json; charset=utf-8').code(success.status).send(Buffer.from(answer.text));
      if (success.status === 204 || success.mediaType === undefined) return reply.code(success.status).send(answer);
      if (isKnown(request.headers['if-none-match'], reply.getHeader('etag'))) return reply.code(304).send();
      return reply.type(success.mediaType).code(success.status).send(answer);
    },
  });
}

const described = ({ schema, mediaType }: Exclude<Operation['success'], { status: 204 }>): object =>
  mediaType === undefined ? { description: 'As asked', ...schema } : { description: 'As asked', content: { [mediaType]: { schema } } };

/** Whether a caller has what is to be sent (RFC 9110 13.1.2). */
function isKnown(ifNoneMatch: string | undefined, etag: unknown): boolean {
  if (ifNoneMatch === undefined || typeof etag !== 'string') return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((known) => known.trim().replace(/^W\//, '') === etag);
}

interface KeyedCall {
  readonly keeper: AnswerKeeper;
  readonly key: string;
  readonly credential: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly status: number;
  readonly carryOut: () => Promise<unknown>;
}

async function answerOnce({ keeper, key, credential, request, reply, status, carryOut }: KeyedCall): Promise<unknown> {
  const { method, url, body } = request;
  const keyed = keyedRequest({ key: readIdempotencyKey(key), credential, method, url, body });
  const answered = await once(keeper, keyed, status, carryOut);
  if (answered.isRepeated) reply.header('idempotency-replayed', 'true');
  return answered.body;
}

function callerOf(request: FastifyRequest, { isLocal }: ApiOptions): ApiCaller {
  const { protocol, headers } = request;
  return {
    address: addressOf(request),
    isTls: protocol === 'https',
    isLocal: isLocal(request),
    isPrivate: protocol === 'https' || isLocal(request),
    header: (name) => [headers[name] ?? []].flat()[0],
  };
}

/** The operation's path with what its parameters are. */
const targetOf = (path: string, params: Readonly<Record<string, string>>): string =>
  path.replaceAll(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''));

const answerOf = (reply: FastifyReply): OperationAnswer => ({
  header: (name, value) => void reply.header(name, value),
  takeOver: () => {
    reply.hijack();
    return { request: reply.request.raw, response: reply.raw };
  },
});

/** With the schema of a body that is checked by its handler. */
function withDocumentedBody(schema: FastifySchema, config: unknown): FastifySchema {
  const body = (config as { readonly documentedBody?: unknown } | undefined)?.documentedBody;
  return body === undefined ? schema : { ...schema, body };
}

/** A known path with another method is 405 with `Allow`, not 404. */
function allowedMethods(fastify: FastifyInstance, operations: readonly Operation[]): void {
  const byPath = new Map<string, string[]>();
  for (const { method, path } of operations)
    byPath.set(path, [...(byPath.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  byPath.set('/openapi.json', ['GET', 'HEAD']);
  for (const [path, allowed] of byPath) {
    const method = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((candidate) => !allowed.includes(candidate));
    fastify.route({
      method,
      url: `${API_PREFIX}${path}`,
      // Before the body is read: its type does not matter any more.
      onRequest: async (request) => {
        throw new ApiError('api.method-not-allowed', `${request.method} is not allowed here: use ${allowed.join(', ')}`, {
          allow: allowed.join(', '),
        });
      },
      handler: () => undefined,
    });
  }
}
