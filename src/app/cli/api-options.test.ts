import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { transportOf } from './api-options.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that breaks the first `breaks` connections it is asked on; `keys`: the keys of all requests. */
async function breaking(breaks: number, answer: (response: ServerResponse) => void): Promise<{ url: string; keys: unknown[] }> {
  const keys: unknown[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    keys.push(request.headers['idempotency-key']);
    request.resume().on('end', () => (keys.length <= breaks ? answer(response) : response.end('{"name":"news"}')));
  };
  const made = createServer(handle);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, keys };
}

const before = (response: ServerResponse): void => void response.destroy();
const inTheMiddle = (response: ServerResponse): void => {
  response.writeHead(201, { 'content-length': '15' });
  response.write('{"name"', () => response.destroy());
};

describe('calls of commands', () => {
  it.each([
    ['before the answer', before],
    ['in the middle of the answer', inTheMiddle],
  ])('send a POST once more when the connection breaks %s, with the same key', async (_when, how) => {
    const { url, keys } = await breaking(1, how);
    expect(await transportOf({ url })({ method: 'POST', path: '/apps', body: { name: 'news' } })).toEqual({ name: 'news' });
    expect(keys).toEqual([expect.stringMatching(/^"[0-9a-f-]{36}"$/), keys[0]]);
  });

  it('give up when it breaks again', async () => {
    const { url, keys } = await breaking(9, before);
    await expect(transportOf({ url })({ method: 'POST', path: '/apps', body: {} })).rejects.toMatchObject({
      code: 'cluster.server-unreachable',
    });
    expect(keys.length).toBe(2);
  });

  it('send nothing else twice, and no key with it', async () => {
    const { url, keys } = await breaking(9, before);
    await expect(transportOf({ url })({ method: 'PATCH', path: '/apps/news', body: {} })).rejects.toMatchObject({
      code: 'cluster.server-unreachable',
    });
    expect(keys).toEqual([undefined]);
  });

  it('take another key for another call', async () => {
    const { url, keys } = await breaking(0, before);
    const send = transportOf({ url });
    await send({ method: 'POST', path: '/apps', body: {} });
    await send({ method: 'POST', path: '/apps', body: {} });
    expect(keys[0]).not.toBe(keys[1]);
  });
});
