import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TraceSpan, Tracing } from '../tracing/mod.ts';

const PREFIX = '/api/';

/** A span for each call of the API, named by its route: paths and queries as they came may hold what is nobody's business. */
export function traceApi(fastify: FastifyInstance, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, TraceSpan>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (route?.startsWith(PREFIX) === true) {
      const attributes = { 'http.request.method': request.method, 'http.route': route };
      const traceparent = [request.headers['traceparent'] ?? []].flat()[0];
      spans.set(request, tracing.begin(`${request.method} ${route}`, { kind: 'server', attributes, traceparent }));
    }
    done();
  });
  fastify.addHook('onResponse', (request, { statusCode }, done) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': statusCode });
    span?.end(statusCode >= 500 ? String(statusCode) : undefined);
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    spans.get(request)?.end('api.client-gone');
    done();
  });
}
