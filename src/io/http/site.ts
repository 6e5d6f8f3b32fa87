import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PAGE_STYLE } from '../../api/mod.ts';
import { streamRef } from '../../core/mod.ts';
import { dataHeaders, type PageRights, pageHeaders } from './security-headers.ts';

const YEAR_S = 31_536_000;

/** Serves the built console: the control panel at `/` and below `/console`, the watch and publish pages, and their assets, whose names carry a hash of their content. */
export async function registerSite(fastify: FastifyInstance, folder: string, isInCluster: boolean): Promise<void> {
  fastify.addHook('onSend', async (_request, reply) => {
    const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
    for (const [name, value] of Object.entries(isPage ? pageHeaders('plain', isInCluster) : dataHeaders))
      if (!reply.hasHeader(name)) reply.header(name, value);
  });
  if (!existsSync(join(folder, 'index.html'))) {
    fastify.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(NOT_BUILT));
    return;
  }
  await fastify.register(fastifyStatic, { root: folder, serve: false, cacheControl: false });
  const send = (reply: FastifyReply, file: string, rights: PageRights): FastifyReply =>
    reply.headers({ ...pageHeaders(rights, isInCluster), 'cache-control': 'no-cache' }).sendFile(file);
  // One page, which shows by its address what it is asked for.
  for (const path of ['/', '/console', '/console/*']) fastify.get(path, (_request, reply) => send(reply, 'index.html', 'plain'));
  registerStreamPage(fastify, '/watch', (request, reply) =>
    send(reply, 'watch.html', (request.query as Record<string, unknown>)['embed'] === '1' ? 'embeddable' : 'plain'),
  );
  registerStreamPage(fastify, '/publish', (_request, reply) => send(reply, 'publish.html', 'capture'));
  fastify.get<{ Params: { '*': string } }>('/assets/*', (request, reply) =>
    reply.header('cache-control', `public, max-age=${YEAR_S}, immutable`).sendFile(`assets/${request.params['*']}`),
  );
  for (const file of ['favicon.ico', 'favicon.svg'].filter((name) => existsSync(join(folder, name)))) {
    fastify.get(`/${file}`, (_request, reply) => reply.header('cache-control', 'public, max-age=86400').sendFile(file));
  }
}

type PageHandler = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** A page of each stream's own, at PREFIX/APP/NAME; a name that no stream can have is not found. */
function registerStreamPage(fastify: FastifyInstance, prefix: string, serve: PageHandler): void {
  fastify.get<{ Params: { app: string; name: string } }>(`${prefix}/:app/:name`, (request, reply) => {
    if (!isStream(request.params.app, request.params.name)) return reply.callNotFound();
    return serve(request, reply);
  });
}

function isStream(app: string, name: string): boolean {
  try {
    streamRef(app, name);
    return true;
  } catch {
    return false;
  }
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice</title><style>${PAGE_STYLE}</style>
<h1>Sluice is running</h1><p>Its pages are not built yet: <code>npm start</code> builds them, or <code>npx vite build console</code>.
The API is described at <a href="/api/docs">/api/docs</a>.</p></html>`;
