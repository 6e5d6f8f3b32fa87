import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { streamRef } from '../../core/mod.ts';
import { dataHeaders, pageHeaders } from './security-headers.ts';

const YEAR_S = 31_536_000;

/** Serves the built console: the list of streams at `/`, the watch page, and their assets, whose names carry a hash of their content. */
export async function registerSite(fastify: FastifyInstance, folder: string): Promise<void> {
  fastify.addHook('onSend', async (_request, reply) => {
    const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
    for (const [name, value] of Object.entries(isPage ? pageHeaders(false) : dataHeaders))
      if (!reply.hasHeader(name)) reply.header(name, value);
  });
  if (!existsSync(join(folder, 'index.html'))) {
    fastify.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(NOT_BUILT));
    return;
  }
  await fastify.register(fastifyStatic, { root: folder, serve: false, cacheControl: false });
  const page = (file: string, isEmbeddable: (request: FastifyRequest) => boolean) => (request: FastifyRequest, reply: FastifyReply) =>
    reply.headers({ ...pageHeaders(isEmbeddable(request)), 'cache-control': 'no-cache' }).sendFile(file);
  fastify.get(
    '/',
    page('index.html', () => false),
  );
  const watch = page('watch.html', ({ query }) => (query as Record<string, unknown>)['embed'] === '1');
  fastify.get<{ Params: { app: string; name: string } }>('/watch/:app/:name', (request, reply) => {
    if (!isStream(request.params.app, request.params.name)) return reply.callNotFound();
    return watch(request, reply);
  });
  fastify.get<{ Params: { '*': string } }>('/assets/*', (request, reply) =>
    reply.header('cache-control', `public, max-age=${YEAR_S}, immutable`).sendFile(`assets/${request.params['*']}`),
  );
  for (const file of ['favicon.ico', 'favicon.svg'].filter((name) => existsSync(join(folder, name)))) {
    fastify.get(`/${file}`, (_request, reply) => reply.header('cache-control', 'public, max-age=86400').sendFile(file));
  }
}

function isStream(app: string, name: string): boolean {
  try {
    streamRef(app, name);
    return true;
  } catch {
    return false;
  }
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>Sluice is running</h1><p>Its pages are not built yet: <code>npm start</code> builds them, or <code>npx vite build console</code>.
The API is described at <a href="/api/docs">/api/docs</a>.</p></body></html>`;
