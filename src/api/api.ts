import fastifySwagger from '@fastify/swagger';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { refuseDeep } from './body-depth.ts';
import { docsPage } from './docs-page.ts';
import { authorizeApp, type Change, type Grant, grantOf, type KeyGrant, type NotedChange } from './grant.ts';
import { type AnswerKeeper, IDEMPOTENCY_HEADER, keyedRequest, once, readIdempotencyKey } from './idempotency.ts';
import { completeDocument } from './openapi-document.ts';
import { type ApiCaller, JsonText, type Operation, type OperationAnswer, type Scope } from './operation.ts';
import { takesIdempotencyKey } from './operation-problems.ts';
import { ApiError, PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
import { problemSchema } from './schemas.ts';
import { isFromOwnPage, type SessionCookies } from './session-cookies.ts';

/** Whose API key it is; implemented where keys are kept. */
export interface ApiKeys {
  /** The scope of a key as given in `Authorization: Bearer`, or undefined when it is not known. Compares in constant time. */
  scopeOf(key: string): 'read' | 'admin' | undefined;
  /** What else a key is for; undefined when it is not known. Absent: nothing. */
  grantOf?(key: string): KeyGrant | undefined;
}

export interface ApiOptions {
  readonly operations: readonly Operation[];
  readonly keys: ApiKeys;
  /** Absent: keys alone are taken. */
  readonly sessions?: SessionCookies;
  /** Keeps answers for callers who ask again with the same `Idempotency-Key`. Absent: such keys are not looked at. */
  readonly keeper?: AnswerKeeper | undefined;
  /** Told each change that was made. */
  readonly changed?: (change: NotedChange) => void;
  /** Whether `public` operations need no key; when false they need one, or loopback. */
  readonly publicReads: boolean;
  /** Whether a request comes from this very machine, not through a proxy. */
  readonly isLocal: (request: FastifyRequest) => boolean;
  readonly version: string;
}

export const API_PREFIX = '/api/v1';

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
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `sk_…`' } } },
    },
    transformObject: (document) =>
      'openapiObject' in document ? completeDocument(document.openapiObject, options.operations) : document.swaggerObject,
  });
  // Swagger gathers routes in a hook that holds for what is registered after it, hence the plugin of its own.
  await fastify.register((scope, _options, done) => {
    scope.addHook('preValidation', async ({ body }) => refuseDeep(body));
    for (const operation of options.operations) route(scope, operation, options);
    scope.get(`${API_PREFIX}/openapi.json`, () => fastify.swagger());
    scope.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage(fastify.swagger())));
    done();
  });
  allowedMethods(fastify, options.operations);
}

function route(fastify: FastifyInstance, operation: Operation, options: ApiOptions): void {
  const { success } = operation;
  const schema = {
    operationId: operation.id,
    summary: operation.summary,
    description: operation.description,
    tags: [operation.tag ?? 'streams'],
    ...(operation.params === undefined ? {} : { params: operation.params }),
    ...(operation.query === undefined ? {} : { querystring: operation.query }),
    ...(operation.body === undefined || operation.checksBody === true ? {} : { body: operation.body }),
    ...(operation.headers === undefined ? {} : { headers: operation.headers }),
    ...(operation.scope === 'admin' || operation.scope === 'app' ? { security: [{ apiKey: [] }] } : {}),
    response: {
      [success.status]: success.status === 204 ? { type: 'null', description: 'Done' } : described(success),
      default: { description: 'What went wrong', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
    },
  };
  fastify.route({
    method: operation.method,
    url: `${API_PREFIX}${operation.path}`,
    schema: schema as FastifySchema,
    // A large body is read of those alone who may send it.
    ...(operation.bodyBytesMax === undefined
      ? {}
      : { bodyLimit: operation.bodyBytesMax, onRequest: async (request) => void authorize(request, operation.scope, options) }),
    ...(operation.checksBody === true ? { config: { documentedBody: operation.body } as object } : {}),
    handler: async (request, reply) => {
      const { isPrivileged, grant, credential } = authorize(request, operation.scope, options);
      const params = request.params as Record<string, string>;
      const query = request.query as Record<string, unknown>;
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
          options.changed?.({ ...noted, who: grant.who, address: caller.address, action: operation.id, target });
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
  const { ip, protocol, headers } = request;
  return {
    address: ip.startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip,
    isTls: protocol === 'https',
    isLocal: isLocal(request),
    isPrivate: protocol === 'https' || isLocal(request),
    header: (name) => [headers[name] ?? []].flat()[0],
  };
}

/** The operation's path with what its parameters are. */
const targetOf = (path: string, params: Readonly<Record<string, string>>): string =>
  path.replaceAll(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''));

interface Authorized {
  readonly isPrivileged: boolean;
  readonly grant: Grant;
  /** What the caller proved to be itself by; undefined: nothing. */
  readonly credential?: string | undefined;
}

/** Whether the caller is privileged; throws when the operation needs more than the caller has. */
function authorize(request: FastifyRequest, scope: Scope, { keys, sessions, publicReads, isLocal }: ApiOptions): Authorized {
  if (scope === 'token') return { isPrivileged: false, grant: grantOf(undefined, undefined, 'token') };
  const challenge = { 'www-authenticate': 'Bearer realm="sluice"' };
  const header = request.headers.authorization;
  const token = header === undefined ? undefined : /^Bearer +(\S{1,256})$/i.exec(header)?.[1];
  if (header !== undefined && token === undefined)
    throw new ApiError('api.key-wrong', 'the Authorization header must be "Bearer KEY"', challenge);
  const session = token === undefined ? sessions?.sessionOf(request.headers.cookie) : undefined;
  const held = token === undefined ? session?.scope : keys.scopeOf(token);
  const credential = token ?? (session === undefined ? undefined : `session:${session.id}`);
  const key = token === undefined ? undefined : keys.grantOf?.(token);
  if (token !== undefined && held === undefined && key === undefined)
    throw new ApiError('api.key-wrong', 'no API key is like the one given; keys start with "sk_"', challenge);
  const grant = grantOf(held, key, token !== undefined ? 'key' : held === undefined ? 'anybody' : 'session');
  const isBySession = token === undefined && held !== undefined;
  // HEAD asks for less than GET.
  const isChange = request.method !== 'GET' && request.method !== 'HEAD';
  if (scope === 'app') {
    if (held === undefined && key === undefined)
      throw new ApiError('api.key-missing', 'send an API key as "Authorization: Bearer sk_…"', challenge);
    authorizeApp({ held, key, isChange, app: (request.params as Record<string, string>)['app'] });
    if (isBySession && isChange && !isFromOwnPage(request.headers)) throw crossSite();
    return { isPrivileged: true, grant, credential };
  }
  if (scope === 'admin') {
    if (held === undefined && key !== undefined) throw new ApiError('api.scope-missing', 'this needs a key with scope "admin"');
    if (held === undefined) throw new ApiError('api.key-missing', 'send an admin API key as "Authorization: Bearer sk_…"', challenge);
    if (held !== 'admin') throw new ApiError('api.scope-missing', 'this needs a key with scope "admin"; the one given has "read"');
    if (token === undefined && isChange && !isFromOwnPage(request.headers)) throw crossSite();
    return { isPrivileged: true, grant, credential };
  }
  // A key for single apps sees no more of the others than anybody does.
  const isPrivileged = held !== undefined || isLocal(request);
  if (!isPrivileged && key !== undefined && (scope === 'read' || !publicReads))
    throw new ApiError('api.scope-missing', 'this needs a key with scope "read"; the one given is for single apps');
  if (!isPrivileged && (scope === 'read' || !publicReads)) {
    throw new ApiError('api.key-missing', 'reading needs an API key as "Authorization: Bearer sk_…" (or set api.publicReads)', challenge);
  }
  return { isPrivileged, grant };
}

const crossSite = (): ApiError =>
  new ApiError('api.cross-site', 'a change by a session has to come from a page of this server, with the header "X-Sluice-Console: 1"');

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

/** Answers every error of a Fastify instance with a problem document. `report` is told about faults of our own. */
export function problemHandlers(fastify: FastifyInstance, report: (error: Error) => void): void {
  fastify.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    return sendProblem(
      reply,
      'api.not-found',
      `${request.method} ${JSON.stringify(path.slice(0, 200))} leads nowhere; the API is described at /api/docs`,
    );
  });
  fastify.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    if (error instanceof ApiError) return sendProblem(reply.headers(error.headers), error.code, error.message);
    const code = codeOf(error);
    if (code === 'api.internal') report(error);
    return sendProblem(reply, code, code === 'api.internal' ? 'the request could not be answered; the log says why' : error.message);
  });
}

function sendProblem(reply: FastifyReply, code: ProblemCode, detail: string): FastifyReply {
  return reply
    .code(problemCodes[code].status)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem(code, detail)));
}

function codeOf(error: FastifyError): ProblemCode {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'api.body-too-large';
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'api.media-type';
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' || error instanceof SyntaxError)
    return 'api.bad-json';
  return (error.statusCode ?? 500) < 500 ? 'api.bad-request' : 'api.internal';
}
