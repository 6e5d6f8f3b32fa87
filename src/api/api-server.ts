import type { Server } from 'node:http';
import type { TSchema } from '@sinclair/typebox';
import Fastify, { type FastifyError, type FastifyHttpOptions, type FastifyInstance, type FastifyReply } from 'fastify';
import { ApiError, PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
import { schemaProblem } from './schema-problem.ts';

export interface ApiServerOptions extends Omit<FastifyHttpOptions<Server>, 'ajv' | 'schemaErrorFormatter'> {
  /** Told about faults of our own. */
  readonly report: (error: Error) => void;
}

/** A Fastify instance for the API: it takes what a client sends as it stands or refuses it, and answers every error with a problem document. */
export function createApiServer({ report, ...options }: ApiServerOptions): FastifyInstance {
  const fastify = Fastify({
    ...options,
    // Nothing is silently dropped, and no text of a body is taken for a number.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: false, verbose: true } },
    schemaErrorFormatter: schemaProblem,
  });
  problemHandlers(fastify, report);
  return fastify;
}

/** Makes the texts of a query or a path numbers and truth values where the schema has such; all others stay as they are, and are refused. In place. */
export function readTexts(schema: TSchema | undefined, texts: unknown): void {
  const properties = (schema?.['properties'] ?? {}) as Readonly<Record<string, TSchema>>;
  const values = texts as Record<string, unknown>;
  for (const [name, { type }] of Object.entries(properties)) {
    const text = values[name];
    if (typeof text !== 'string') continue;
    if ((type === 'integer' || type === 'number') && NUMBER.test(text)) values[name] = Number(text);
    if (type === 'boolean' && (text === 'true' || text === 'false')) values[name] = text === 'true';
  }
}

const NUMBER = /^-?\d{1,16}(\.\d{1,16})?$/;

function problemHandlers(fastify: FastifyInstance, report: (error: Error) => void): void {
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
