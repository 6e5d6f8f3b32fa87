import fastifySwagger from '@fastify/swagger';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { docsPage } from './docs-page.ts';
import { authorizeApp, type Change, type Grant, grantOf, type KeyGrant, type NotedChange } from './grant.ts';
import type { ApiCaller, Operation, OperationAnswer, Scope } from './operation.ts';
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
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: options.version,
        description: 'Errors are `application/problem+json` (RFC 9457) with a stable `code`. Lists are paged by cursor.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `sk_…`' } } },
    },
  });
  // Swagger gathers routes in a hook that holds for what is registered after it, hence the plugin of its own.
  await fastify.register((scope, _options, done) => {
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
    ...(operation.body === undefined ? {} : { body: operation.body }),
    ...(operation.headers === undefined ? {} : { headers: operation.headers }),
    ...(operation.scope === 'admin' || operation.scope === 'app' ? { security: [{ apiKey: [] }] } : {}),
    response: {
      [success.status]: success.status === 204 ? { type: 'null', description: 'Done' } : { description: 'As asked', ...success.schema },
      default: { description: 'What went wrong', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
    },
  };
  fastify.route({
    method: operation.method,
    url: `${API_PREFIX}${operation.path}`,
    schema: schema as FastifySchema,
    handler: async (request, reply) => {
      const { isPrivileged, grant } = authorize(request, operation.scope, options);
      const params = request.params as Record<string, string>;
      const query = request.query as Record<string, unknown>;
      const caller = callerOf(request, options);
      let noted: Change = {};
      const note = (change: Change): void => {
        noted = change;
      };
      const answer = await operation.handle({
        params,
        query,
        body: request.body,
        isPrivileged,
        grant,
        note,
        caller,
        answer: answerOf(reply),
      });
      if (operation.method !== 'GET')
        options.changed?.({
          ...noted,
          who: grant.who,
          address: caller.address,
          action: operation.id,
          target: targetOf(operation.path, params),
        });
      if (reply.sent) return reply;
      return reply.header('cache-control', 'no-store').code(success.status).send(answer);
    },
  });
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
}

/** Whether the caller is privileged; throws when the operation needs more than the caller has. */
function authorize(request: FastifyRequest, scope: Scope, { keys, sessions, publicReads, isLocal }: ApiOptions): Authorized {
  if (scope === 'token') return { isPrivileged: false, grant: grantOf(undefined, undefined, 'token') };
  const challenge = { 'www-authenticate': 'Bearer realm="sluice"' };
  const header = request.headers.authorization;
  const token = header === undefined ? undefined : /^Bearer +(\S{1,256})$/i.exec(header)?.[1];
  if (header !== undefined && token === undefined)
    throw new ApiError('api.key-wrong', 'the Authorization header must be "Bearer KEY"', challenge);
  const held = token === undefined ? sessions?.sessionOf(request.headers.cookie)?.scope : keys.scopeOf(token);
  const key = token === undefined ? undefined : keys.grantOf?.(token);
  if (token !== undefined && held === undefined && key === undefined)
    throw new ApiError('api.key-wrong', 'no API key is like the one given; keys start with "sk_"', challenge);
  const grant = grantOf(held, key, token !== undefined ? 'key' : held === undefined ? 'anybody' : 'session');
  const isBySession = token === undefined && held !== undefined;
  if (scope === 'app') {
    if (held === undefined && key === undefined)
      throw new ApiError('api.key-missing', 'send an API key as "Authorization: Bearer sk_…"', challenge);
    authorizeApp({ held, key, method: request.method, app: (request.params as Record<string, string>)['app'] });
    if (isBySession && request.method !== 'GET' && !isFromOwnPage(request.headers)) throw crossSite();
    return { isPrivileged: true, grant };
  }
  if (scope === 'admin') {
    if (held === undefined && key !== undefined) throw new ApiError('api.scope-missing', 'this needs a key with scope "admin"');
    if (held === undefined) throw new ApiError('api.key-missing', 'send an admin API key as "Authorization: Bearer sk_…"', challenge);
    if (held !== 'admin') throw new ApiError('api.scope-missing', 'this needs a key with scope "admin"; the one given has "read"');
    if (token === undefined && request.method !== 'GET' && !isFromOwnPage(request.headers)) throw crossSite();
    return { isPrivileged: true, grant };
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
