import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import type { MediaRoute } from '../media-route.ts';
import { NodeCalls, type NodeQuestion } from './node-calls.ts';
import { TestCa } from './relay-certificates.fixture.ts';
import { log } from './relay-node.fixture.ts';
import type { RelayTls, RelayUpstream } from './relay-pull.ts';
import { RelayServer, type RelayServerOptions } from './relay-server.ts';

const QUESTION: NodeQuestion = { method: 'GET', path: '/here', timeoutMs: 5_000, answerBytesMax: 1_000 };

let ca: TestCa;
let mine: RelayTls;
const endings: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  ca = await TestCa.make();
  mine = await ca.issue('me');
});
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

const here: MediaRoute = (request, response, path, query) => {
  if (path !== '/here') return false;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => void response.end(`${request.method} ${query} ${request.headers['x-what']} ${Buffer.concat(chunks).toString()}`));
  return true;
};

async function serve(routes: readonly MediaRoute[], options: Partial<RelayServerOptions> = {}): Promise<RelayServer> {
  const server = new RelayServer({
    host: '127.0.0.1',
    port: 0,
    portKey: 'relay.port',
    portVariable: 'SLUICE_RELAY_PORT',
    tls: await ca.issue('other'),
    node: 'other',
    cluster: 'test',
    mayConnect: () => true,
    sources: { open: () => ({ refused: 'unknown', message: 'nothing here' }) },
    routes: () => routes,
    clock: systemClock,
    log,
    ...options,
  });
  await server.listen();
  endings.push(() => server.close());
  return server;
}

const at = (port: number, node = 'other'): RelayUpstream => ({ node, host: '127.0.0.1', port });

function calls(tls = mine): NodeCalls {
  const made = new NodeCalls(() => tls);
  endings.push(() => made.close());
  return made;
}

const unreachable = (reason: RegExp): object => ({ code: 'relay.node-unreachable', message: expect.stringMatching(reason) });

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a node that asks another one', () => {
  it('gets the answer of the route, many by one connection', async () => {
    const sockets = new Set<unknown>();
    const { port } = await serve([(request) => !sockets.add(request.socket), here]);
    const asking = calls();
    const body = Buffer.from('text');
    const answer = await asking.ask(at(port), { ...QUESTION, method: 'POST', path: '/here?a=1', headers: { 'x-what': 'w' }, body });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'POST a=1 w text']);
    for (let n = 0; n < 3; n++) expect((await asking.ask(at(port), QUESTION)).status).toBe(200);
    expect(sockets.size).toBe(1);
  });

  it('is told what is not there, and of faults', async () => {
    const broken: MediaRoute = (_request, _response, path) => {
      if (path === '/broken') throw new TypeError('a bug');
      return false;
    };
    const { port } = await serve([broken]);
    const missing = await calls().ask(at(port), QUESTION);
    expect([missing.status, missing.body.toString()]).toEqual([404, expect.stringContaining('relay.no-route')]);
    expect((await calls().ask(at(port), { ...QUESTION, path: '/broken' })).status).toBe(500);
  });

  it('does not take another node for it, nor one of another authority', async () => {
    const { port } = await serve([here]);
    await expect(calls().ask(at(port, 'third'), QUESTION)).rejects.toMatchObject(unreachable(/certificate of node "other"/));
    const foreign = await (await TestCa.make()).issue('me');
    await expect(calls(foreign).ask(at(port), QUESTION)).rejects.toMatchObject(unreachable(/./));
  });

  it('gives up an answer that is too long or too late, and one that nobody waits for any more', async () => {
    const silent: MediaRoute = (_request, _response, path) => path === '/silent';
    const { port } = await serve([silent, here]);
    const asking = calls();
    await expect(asking.ask(at(port), { ...QUESTION, answerBytesMax: 5 })).rejects.toMatchObject(unreachable(/longer than 5 bytes/));
    await expect(asking.ask(at(port), { ...QUESTION, path: '/silent', timeoutMs: 50 })).rejects.toMatchObject(unreachable(/50 ms/));
    const gone = AbortSignal.abort(new Error('the client went away'));
    await expect(asking.ask(at(port), { ...QUESTION, gone })).rejects.toMatchObject(unreachable(/./));
  });

  it('is not answered by a build that knows the relay alone, nor by what is no node', async () => {
    const before = createServer({ ...(await ca.issue('other')), requestCert: true }, (socket) => socket.on('error', () => undefined));
    await expect(calls().ask(at(await listening(before)), QUESTION)).rejects.toMatchObject(unreachable(/update it/));
    const deaf = createTcpServer((socket) => socket.destroy());
    await expect(calls().ask(at(await listening(deaf)), QUESTION)).rejects.toMatchObject(unreachable(/./));
  });
});

describe('a node that is asked', () => {
  it('answers members of the cluster alone', async () => {
    let isMember = true;
    const server = await serve([here], { mayConnect: () => isMember });
    const asking = calls();
    expect((await asking.ask(at(server.port), QUESTION)).status).toBe(200);
    isMember = false;
    server.disconnect('me');
    await vi.waitFor(async () => {
      await expect(asking.ask(at(server.port), QUESTION)).rejects.toMatchObject(unreachable(/./));
      expect(server.stats().closedByCode.get('relay.not-a-member')).toBe(1);
    });
  });

  it('does not answer who shows no certificate', async () => {
    const { port } = await serve([here]);
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: mine.ca,
      servername: '',
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity: () => undefined,
    });
    let answer = '';
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    socket.on('error', () => undefined);
    socket.write('GET /here HTTP/1.1\r\nHost: other\r\n\r\n');
    await new Promise((resolve) => socket.on('close', resolve));
    expect(answer).toBe('');
  });
});
