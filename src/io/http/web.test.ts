import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuardedKeys } from '../../api/mod.ts';
import { monotonicMs } from '../../core/mod.ts';
import { Metrics } from '../metrics.ts';
import { HttpServer, type HttpServerOptions } from './http-server.ts';
import { createWeb, type Readiness } from './web.ts';

const log = pino({ level: 'silent' });
const site = mkdtempSync(join(tmpdir(), 'sluice-site-'));
mkdirSync(join(site, 'assets'));
for (const [name, text] of [
  ['index.html', '<!doctype html><title>list</title>'],
  ['watch.html', '<!doctype html><title>watch</title>'],
  ['publish.html', '<!doctype html><title>publish</title>'],
  ['assets/app-1a2b.js', 'let x = 1;'],
] as const) {
  writeFileSync(join(site, name), text);
}
writeFileSync(join(site, '..', 'outside.txt'), 'outside');

const DEFAULTS: HttpServerOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: { certFile: '', keyFile: '', hstsMaxAgeS: 0 },
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
  headersBytesMax: 4096,
  connectionsMax: 100,
  connectionsPerAddressMax: 2,
};

let server: HttpServer;
let base: string;
let readiness: Readiness = 'ready';
let port: number;

beforeEach(async () => {
  readiness = 'ready';
  server = new HttpServer(DEFAULTS, log);
  server.addMediaRoute((request, response, path, query) => {
    if (!path.endsWith('.flv')) return false;
    response.setHeader('content-type', 'video/x-flv');
    (response as ServerResponse).end(`${request.method} ${path} ${query}`);
    return true;
  });
  await createWeb(server, {
    operations: [],
    keys: new GuardedKeys({ find: () => undefined, byId: () => undefined }, () => monotonicMs(0)),
    publicReads: true,
    version: '0.0.0',
    bodyBytesMax: 1000,
    metrics: new Metrics([
      { name: 'sluice_things', kind: 'gauge', help: 'Things', labels: ['kind'], read: () => [{ labels: { kind: 'a' }, value: 3 }] },
      { name: 'sluice_done_total', kind: 'counter', help: 'Done', read: () => [{ value: 7 }] },
    ]),
    readiness: () => readiness,
    siteFolder: site,
    log,
  });
  port = await server.listen();
  base = `http://127.0.0.1:${port}`;
});

afterEach(async () => {
  await server.close(0);
});

/** Sends bytes and returns all that comes back until the server closes. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('the HTTP server', () => {
  it('asks media routes before the web framework', async () => {
    const response = await fetch(`${base}/live/show.flv?a=1`);
    expect(await response.text()).toBe('GET /live/show.flv a=1');
  });

  it('serves the pages with a policy that lets no other site frame them', async () => {
    for (const [path, title] of [
      ['/', 'list'],
      ['/console', 'list'],
      ['/console/streams/live/show', 'list'],
      ['/watch/live/show', 'watch'],
      ['/publish/live/show', 'publish'],
    ]) {
      const response = await fetch(base + path);
      expect(await response.text()).toContain(`<title>${title}`);
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
      expect(response.headers.get('content-security-policy')).toContain("worker-src 'self' blob:");
    }
  });

  it('lets in no style that is not its own: a file, or the one of the pages that the server writes itself', async () => {
    const policy = (await fetch(`${base}/`)).headers.get('content-security-policy') ?? '';
    expect(policy).not.toContain('unsafe-inline');
    const page = await fetch(`${base}/api/docs`);
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(await page.text()) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    for (const text of [policy, page.headers.get('content-security-policy')]) expect(text).toContain(`style-src 'self' 'sha256-${hash}';`);
  });

  it('lets other sites frame the embedded watch page only', async () => {
    const response = await fetch(`${base}/watch/live/show?embed=1`);
    expect(response.headers.get('content-security-policy')).toContain('frame-ancestors *');
  });

  it('lets the publish page alone use camera, microphone and screen', async () => {
    const policyOf = async (path: string): Promise<string | null> => (await fetch(base + path)).headers.get('permissions-policy');
    expect(await policyOf('/publish/live/show')).toBe('camera=(self), microphone=(self), display-capture=(self)');
    for (const path of ['/', '/watch/live/show', '/watch/live/show?embed=1'])
      expect(await policyOf(path)).toBe('camera=(), microphone=(), display-capture=()');
  });

  it('lets assets be cached for ever', async () => {
    const response = await fetch(`${base}/assets/app-1a2b.js`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    '/assets/none.js',
    '/assets/..%2f..%2foutside.txt',
    '/assets/../../outside.txt',
    '/watch/live/..%2f..',
    '/watch/api/x',
    '/publish/live/..%2f..',
    '/publish/api/x',
    '/watch/live/%00',
    '/watch/live/%',
    '/%',
  ])('refuses %s with a problem document', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|404) /);
    expect(answer).toContain('application/problem+json');
    expect(answer).not.toContain('outside\r\n');
  });

  it('tells whether it lives and is ready', async () => {
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    for (const [state, code] of [
      ['closed', 'api.not-ready'],
      ['draining', 'api.draining'],
      ['disabled', 'api.disabled'],
    ] as const) {
      readiness = state;
      const response = await fetch(`${base}/readyz`);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([503, code]);
      expect((await fetch(`${base}/healthz`)).status).toBe(200);
    }
  });

  it('shows metrics as they are now, at each scrape', async () => {
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await (await fetch(`${base}/metrics`)).text();
      expect(text).toContain('sluice_things{kind="a"} 3');
      expect(text).toContain('sluice_done_total 7');
      expect(text).toContain('nodejs_eventloop_lag_seconds');
    }
  });

  it.each([
    ['what is not HTTP', '\u0003\u0000\u0000garbage\r\n\r\n', 400, 'http.bad-request'],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(5000)}\r\n\r\n`, 431, 'http.headers-too-large'],
  ])('answers %s with a code and counts it', async (_title, bytes, status, code) => {
    const answer = await raw(bytes);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain(`"code":"${code}"`);
    expect(server.stats().refusedByCode.get(code)).toBe(1);
  });

  it("refuses an upgrade that is nobody's", async () => {
    const answer = await raw('GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(answer).toContain('HTTP/1.1 404');
  });

  it('does not survive a broken media route as a fault of the process', async () => {
    server.addMediaRoute(() => {
      throw new Error('bug');
    });
    expect((await fetch(`${base}/any`)).status).toBe(500);
    expect((await fetch(`${base}/live/x.flv`)).status).toBe(200);
  });
});

describe('a port in use', () => {
  it('is an error that names port, holder, key and variable', async () => {
    const second = new HttpServer({ ...DEFAULTS, port }, log);
    await expect(second.listen()).rejects.toMatchObject({
      code: 'listen.port-in-use',
      message: expect.stringMatching(new RegExp(`^HTTP port ${port} is in use by .+ http\\.port in sluice\\.yaml or SLUICE_HTTP_PORT`)),
    });
  });

  it('is told apart from an address that is not there', async () => {
    const second = new HttpServer({ ...DEFAULTS, host: '203.0.113.1' }, log);
    await expect(second.listen()).rejects.toMatchObject({ code: 'listen.bad-host', message: expect.stringContaining('http.host') });
  });
});
