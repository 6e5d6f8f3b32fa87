// The OpenAPI document of all operations, without a server: their handlers are never called.
import * as api from '../src/api/mod.ts';

/** Stands in for whatever an operation asks its owner: anything may be read of it and called. */
const nothing = new Proxy(() => nothing, {
  get: (_target, name) => (name === Symbol.iterator ? [][Symbol.iterator].bind([]) : name === Symbol.toPrimitive ? () => 0 : nothing),
});

/** What every exported `…Operations` makes. */
export function allOperations() {
  return Object.entries(api)
    .filter(([name]) => name.endsWith('Operations'))
    .flatMap(([, make]) => make(...Array.from({ length: Math.max(make.length, 4) }, () => nothing)));
}

export async function apiDocument() {
  const fastify = api.createApiServer({ report: () => undefined });
  await api.registerApi(fastify, {
    operations: allOperations(),
    keys: new api.GuardedKeys({ find: () => undefined, byId: () => undefined }, () => 0),
    publicReads: true,
    isLocal: () => false,
    version: '0.0.0',
  });
  const document = (await fastify.inject('/api/v1/openapi.json')).json();
  await fastify.close();
  return document;
}
