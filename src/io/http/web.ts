import type { Server } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type pino from 'pino';
import {
  type AnswerKeeper,
  createApiServer,
  type GuardedKeys,
  type NotedChange,
  type Operation,
  PROBLEM_TYPE,
  problem,
  registerApi,
  type SessionCookies,
} from '../../api/mod.ts';
import type { Metrics } from '../metrics.ts';
import { isLoopback, remoteAddress } from '../remote-address.ts';
import type { Tracing } from '../tracing/mod.ts';
import type { HttpServer } from './http-server.ts';
import { registerSite } from './site.ts';
import { traceApi } from './traced-api.ts';

/** `ready`: all listeners are up, and clients are welcome; `closed`: they are not up yet, or not any more. */
export type Readiness = 'ready' | 'closed' | 'draining' | 'disabled';

const UNREADY: Readonly<Record<Exclude<Readiness, 'ready'>, ReturnType<typeof problem>>> = {
  closed: problem('api.not-ready', 'the server is starting or shutting down'),
  draining: problem('api.draining', 'the node is draining: it serves those who are there, new clients belong to other nodes'),
  disabled: problem('api.disabled', 'the node is disabled: clients belong to other nodes until it is made active'),
};

export interface WebOptions {
  readonly operations: readonly Operation[];
  readonly keys: GuardedKeys;
  /** Absent: keys alone are taken. */
  readonly sessions?: SessionCookies;
  /** Keeps answers for callers who ask again. */
  readonly keeper?: AnswerKeeper;
  readonly publicReads: boolean;
  /** Told each change that was made by the API. */
  readonly changed?: (change: NotedChange) => void;
  readonly version: string;
  readonly bodyBytesMax: number;
  readonly metrics: Metrics;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly readiness: () => Readiness;
  /** Folder of the built console. */
  readonly siteFolder: string;
  /** Whether pages may ask other nodes, too. */
  readonly isInCluster?: boolean;
  readonly log: pino.Logger;
}

/** Everything on the HTTP port that is not media: API, pages, metrics, health. Answers what the server's media routes leave. */
export async function createWeb(server: HttpServer, options: WebOptions): Promise<FastifyInstance> {
  const { log, metrics, readiness } = options;
  const fastify = createApiServer({
    serverFactory: (handler) => {
      server.handleRest(handler as Parameters<HttpServer['handleRest']>[0]);
      // Fastify treats both servers alike; only its types tell them apart.
      return server.server as Server;
    },
    bodyLimit: options.bodyBytesMax,
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
    return503OnClosing: false,
    report: (error) => log.error({ code: 'api.internal', err: error }, 'a request could not be answered'),
    frameworkErrors: (error, _request, reply) => {
      reply.hijack();
      const { status, ...document } = problem('api.bad-request', error.message);
      reply.raw.writeHead(status, { 'content-type': PROBLEM_TYPE }).end(JSON.stringify({ status, ...document }));
    },
  });
  fastify.get('/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  fastify.get('/readyz', (_request, reply) => {
    reply.header('cache-control', 'no-store');
    const state = readiness();
    if (state === 'ready') return reply.send({ status: 'ready' });
    const document = UNREADY[state];
    return reply.code(document.status).type(PROBLEM_TYPE).send(JSON.stringify(document));
  });
  fastify.get('/metrics', async (_request, reply) =>
    reply
      .type(metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text()),
  );
  if (options.tracing !== undefined) traceApi(fastify, options.tracing);
  await registerSite(fastify, options.siteFolder, options.isInCluster ?? false);
  await registerApi(fastify, { ...options, isLocal });
  await fastify.ready();
  return fastify;
}

const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Whether a request was made on this machine. Loopback alone does not tell: a reverse proxy's requests come from there too
 * (it says so in a header), and so do those of a browser led here by a name that points to loopback (its Host is that name).
 */
function isLocal(request: FastifyRequest): boolean {
  const { headers, raw } = request;
  if (
    headers['x-forwarded-for'] !== undefined ||
    headers.forwarded !== undefined ||
    headers['x-real-ip'] !== undefined ||
    headers.via !== undefined
  )
    return false;
  return isLoopback(remoteAddress(raw.socket)) && LOCAL_HOST.test(request.host);
}
