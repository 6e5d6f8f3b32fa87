import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { admissionHook } from '../../access/webhook-records.fixture.ts';
import { localhostCertificate } from '../rtmp/localhost-certificate.fixture.ts';
import type { Resolve } from '../sources/judged-lookup.ts';
import { HookReceiver, status } from './hook-receiver.fixture.ts';
import { HookSender, hookUrlRefusal, type Sent } from './hook-sender.ts';

const loopback = new UrlPolicy({ allowedNetworks: ['127.0.0.1'], allowedFolders: [] });
const strict = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });
const NOW_S = 1_764_100_000;

let receiver: HookReceiver;
const senders: HookSender[] = [];

beforeEach(async () => {
  receiver = await HookReceiver.start();
});

afterEach(async () => {
  for (const sender of senders.splice(0)) sender.close();
  await receiver.close();
});

function post(
  url: string,
  { policy = loopback, timeoutMs = 20_000, resolve }: { policy?: UrlPolicy; timeoutMs?: number; resolve?: Resolve } = {},
): Promise<Sent> {
  const sender = new HookSender({ policy, wall: () => NOW_S * 1000, ...(resolve === undefined ? {} : { resolve }) });
  senders.push(sender);
  return sender.post(admissionHook('a', { url, secrets: [{ secret: 'whsec_x', expiresAtMs: undefined }] }), {
    id: 'id-1',
    type: 'publish',
    body: '{"v":1}',
    timeoutMs,
  });
}

describe('HookSender', () => {
  it('posts signed JSON and gives the answer', async () => {
    receiver.answer = status(200, '{"allow":true}');
    expect(await post(receiver.url)).toMatchObject({ status: 200, body: '{"allow":true}' });
    const [first] = receiver.received;
    expect(first?.body).toBe('{"v":1}');
    expect(first?.headers).toMatchObject({ 'content-type': 'application/json', 'x-sluice-event': 'publish', 'x-sluice-delivery': 'id-1' });
  });

  it('waits no longer than it may', async () => {
    receiver.answer = () => undefined;
    expect(await post(receiver.url, { timeoutMs: 50 })).toMatchObject({ failed: 'timeout' });
    // An answer that begins and does not end is none either.
    receiver.answer = (response) => void response.writeHead(200).write('{');
    expect(await post(receiver.url, { timeoutMs: 50 })).toMatchObject({ failed: 'timeout' });
  });

  it('tells that nobody is there, or that what is there is no HTTP', async () => {
    receiver.answer = (response) => void response.socket?.end('SMTP\r\n');
    expect(await post(receiver.url)).toMatchObject({ failed: 'unreachable' });
    const { url } = receiver;
    await receiver.close();
    expect(await post(url)).toMatchObject({ failed: 'unreachable' });
  });

  it('reads no huge answer', async () => {
    let socket: ServerResponse['socket'] = null;
    receiver.answer = (response) => {
      socket = response.socket;
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await post(receiver.url)).toMatchObject({ failed: 'answer-too-long' });
    await expect.poll(() => socket?.destroyed).toBe(true);
  });

  it.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (code) => {
    const other = await HookReceiver.start();
    receiver.answer = (response) => void response.writeHead(code, { location: other.url }).end();
    expect(await post(receiver.url)).toMatchObject({ failed: 'redirect' });
    expect(other.received).toEqual([]);
    await other.close();
  });

  it('reaches no address that is not allowed, whatever name it has', async () => {
    const resolve: Resolve = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    const rebound: Resolve = (_name, _options, done) =>
      done(null, [
        { address: '198.51.100.7', family: 4 },
        { address: '169.254.169.254', family: 4 },
      ]);
    expect(await post(receiver.url, { policy: strict })).toMatchObject({ failed: 'refused-address' });
    expect(await post(`http://hooks.example:${receiver.port}/`, { policy: strict, resolve })).toMatchObject({ failed: 'refused-address' });
    expect(await post(`https://hooks.example:${receiver.port}/`, { policy: strict, resolve: rebound })).toMatchObject({
      failed: 'refused-address',
    });
    expect(receiver.received).toEqual([]);
    expect(await post(`http://hooks.example:${receiver.port}/`, { resolve })).toMatchObject({ status: 204 });
  });

  it('speaks plain HTTP to nobody in the public internet', async () => {
    const resolve: Resolve = (_name, _options, done) => done(null, [{ address: '9.9.9.9', family: 4 }]);
    expect(await post('http://hooks.example/', { resolve })).toMatchObject({ failed: 'refused-address' });
    expect(hookUrlRefusal('http://9.9.9.9/', loopback)).toContain('HTTPS');
  });

  it.each([
    'ftp://hooks.example/',
    'file:///etc/passwd',
    'https://user:pass@hooks.example/',
    'https://hooks.example/#fragment',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://2130706433/',
    'https://hooks.example/a\r\nX-Evil: 1',
    'https://hooks.example:0/',
    'rtmp://hooks.example/',
  ])('takes no URL like %j', (url) => {
    expect(hookUrlRefusal(url, strict)).toBeDefined();
  });

  it('takes the word of no server whose certificate nobody vouches for', async () => {
    const asked: string[] = [];
    const server = createServer({ key: localhostCertificate.key, cert: localhostCertificate.cert }, (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(204).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await post(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toMatchObject({ failed: 'unreachable' });
    expect(asked).toEqual([]);
    server.close();
  });

  it('does not ask twice when a connection that was kept is slow', async () => {
    const sender = new HookSender({ policy: loopback, wall: () => NOW_S * 1000 });
    senders.push(sender);
    const hook = admissionHook('a', { url: receiver.url });
    const message = { id: 'i', type: 'play', body: '{}', timeoutMs: 20_000 };
    await sender.post(hook, message);
    receiver.answer = () => undefined;
    expect(await sender.post(hook, { ...message, timeoutMs: 300 })).toMatchObject({ failed: 'timeout' });
    receiver.answer = status(204);
    await sender.post(hook, message);
    expect(receiver.received.length).toBeLessThanOrEqual(3);
  });

  it('goes on when a connection that was kept is gone', async () => {
    const sender = new HookSender({ policy: loopback, wall: () => NOW_S * 1000 });
    senders.push(sender);
    const { url } = receiver;
    const message = { id: 'i', type: 'play', body: '{}', timeoutMs: 20_000 };
    expect(await sender.post(admissionHook('a', { url }), message)).toMatchObject({ status: 204 });
    receiver.drop();
    expect(await sender.post(admissionHook('a', { url }), message)).toMatchObject({ status: 204 });
  });
});

type IsGenuine = (secret: string, headers: Readonly<Record<string, unknown>>, body: string, nowS: number) => boolean;

/** What docs/webhooks.md tells receivers to do. */
async function documentedCheck(): Promise<IsGenuine> {
  const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-hook-')), 'check.mjs');
  writeFileSync(file, code);
  return ((await import(/* @vite-ignore */ pathToFileURL(file).href)) as { isGenuine: IsGenuine }).isGenuine;
}

describe('a receiver that checks as documented', () => {
  it('takes what is genuine once, and nothing that is old, changed or signed by others', async () => {
    const isGenuine = await documentedCheck();
    await post(receiver.url);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    expect(isGenuine('whsec_other', headers, body, NOW_S)).toBe(false);
    expect(isGenuine('whsec_x', headers, `${body} `, NOW_S)).toBe(false);
    expect(isGenuine('whsec_x', headers, body, NOW_S + 301)).toBe(false);
    const later = String(headers['x-sluice-signature']).replace(`t=${NOW_S}`, `t=${NOW_S + 301}`);
    expect(isGenuine('whsec_x', { 'x-sluice-signature': later }, body, NOW_S + 301)).toBe(false);
    for (const wrong of [undefined, '', 't=,v1=', `t=${NOW_S}`, `t=${NOW_S},v1=zz`, `v1=${'0'.repeat(64)}`])
      expect(isGenuine('whsec_x', { 'x-sluice-signature': wrong }, body, NOW_S)).toBe(false);
    expect(isGenuine('whsec_x', headers, body, NOW_S + 10)).toBe(true);
    expect(isGenuine('whsec_x', headers, body, NOW_S + 20)).toBe(false);
  });
});
