import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { localhostCertificate } from '../rtmp/localhost-certificate.fixture.ts';
import { withAllowedCandidates } from './whip-answer.ts';
import { WhipGate } from './whip-gate.ts';

const policy = new UrlPolicy({ allowedNetworks: ['127.0.0.1', '::1'], allowedFolders: [] });
const TOKEN = 'a-secret-token';
const candidate = (ip: string, transport = 'udp'): string => `a=candidate:1 1 ${transport} 2130706431 ${ip} 8189 typ host`;
const sdp = (...lines: string[]): string => ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', ...lines, ''].join('\r\n');

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function whipServer(handle: Handler, isTls = false): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, authorization: headers.authorization });
    handle(request, response);
  };
  const server: Server = isTls ? createHttpsServer(localhostCertificate, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `${isTls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`, seen };
}

const accepts: Handler = (_request, response) =>
  void response.writeHead(201, { 'content-type': 'application/sdp', location: '/session/7' }).end(sdp(candidate('127.0.0.1')));

/** Offers through a gate, as FFmpeg does. */
async function offer(url: string, trusted: readonly string[] = []): Promise<{ gate: WhipGate; answer: Response; text: string }> {
  const gate = await WhipGate.open({ url, token: TOKEN, policy, trusted });
  closing.push(() => gate.close());
  const answer = await fetch(gate.url, { method: 'POST', body: sdp(), headers: { 'content-type': 'application/sdp' } });
  return { gate, answer, text: await answer.text() };
}

describe('the HTTP side of a WHIP publication', () => {
  it('passes the offer with the token, and the goodbye to where the session is', async () => {
    const { origin, seen } = await whipServer(accepts);
    const { gate, answer, text } = await offer(`${origin}/live/show/whip`);
    expect([answer.status, answer.headers.get('location'), text]).toEqual([201, gate.url, sdp(candidate('127.0.0.1'))]);
    await fetch(gate.url, { method: 'DELETE' });
    expect(seen).toEqual([
      { method: 'POST', url: '/live/show/whip', authorization: `Bearer ${TOKEN}` },
      { method: 'DELETE', url: '/session/7', authorization: `Bearer ${TOKEN}` },
    ]);
  });

  it('says goodbye for a muxer that died', async () => {
    const { origin, seen } = await whipServer(accepts);
    const { gate } = await offer(origin);
    gate.close();
    await vi.waitFor(() => expect(seen.map(({ method }) => method)).toEqual(['POST', 'DELETE']));
  });

  it('answers nobody who does not know its address', async () => {
    const { origin, seen } = await whipServer(accepts);
    const { gate } = await offer(origin);
    expect((await fetch(new URL('/other', gate.url), { method: 'POST', body: 'x' })).status).toBe(404);
    expect(seen.length).toBe(1);
  });

  it('follows a redirect without taking the token elsewhere', async () => {
    const there = await whipServer(accepts);
    const here = await whipServer((_request, response) => void response.writeHead(307, { location: `${there.origin}/whip` }).end());
    expect((await offer(`${here.origin}/whip`)).answer.status).toBe(201);
    expect(there.seen).toEqual([{ method: 'POST', url: '/whip', authorization: undefined }]);
  });

  it.each([
    ['http://10.0.0.1/whip', 'targets.address'],
    ['http://169.254.169.254/latest', 'targets.address'],
    ['rtmp://127.0.0.1/live/key', 'targets.redirect'],
  ])('does not follow a redirect to %s', async (location, code) => {
    const { origin } = await whipServer((_request, response) => void response.writeHead(307, { location }).end());
    const { gate, answer } = await offer(origin);
    expect([answer.status, gate.refusal?.reason.code, gate.refusal?.isFinal]).toEqual([502, code, true]);
  });

  it('goes round in circles no longer than it has to', async () => {
    const { origin, seen } = await whipServer((_request, response) => void response.writeHead(307, { location: '/again' }).end());
    const { gate } = await offer(origin);
    expect([gate.refusal?.reason.code, seen.length]).toEqual(['targets.redirect', 6]);
  });

  it('keeps the words of a server that refuses', async () => {
    const { origin } = await whipServer((_request, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ detail: 'the stream is taken' }));
    });
    const { gate } = await offer(origin);
    expect(gate.refusal).toMatchObject({
      reason: { code: 'targets.peer-refused', message: 'status 409: the stream is taken' },
      isFinal: false,
    });
  });

  it('believes a certificate of the server only when it is told to', async () => {
    const { origin } = await whipServer(accepts, true);
    expect((await offer(origin)).gate.refusal?.reason.code).toBe('targets.certificate');
    expect((await offer(origin, [localhostCertificate.cert])).answer.status).toBe(201);
  });
});

describe('a WHIP answer', () => {
  it('keeps the candidates that may be sent to', () => {
    const answer = sdp(
      candidate('10.0.0.1'),
      candidate('::1'),
      candidate('127.0.0.1', 'tcp'),
      candidate('192.0.2.1'),
      candidate('8.8.8.8'),
    );
    expect(withAllowedCandidates(answer, policy)).toBe(sdp(candidate('8.8.8.8')));
  });

  it('without any is no use', () => {
    expect(() => withAllowedCandidates(sdp(candidate('10.0.0.1')), policy)).toThrow('10.0.0.1 is a private address');
    expect(() => withAllowedCandidates(sdp(), policy)).toThrow('names no address');
    expect(() => withAllowedCandidates(sdp('a=candidate:nonsense'), policy)).toThrow('names no address');
  });
});
