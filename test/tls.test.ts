import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localhostCertificate } from '../src/io/rtmp/localhost-certificate.fixture.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 20_000, interval: 100 };

let server: ServerProcess;
let folder: string;
let session: ClientHttp2Session;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, localhostCertificate.cert);
  writeFileSync(keyFile, localhostCertificate.key);
  server = await ServerProcess.start({
    demo: true,
    environment: { SLUICE_HTTP_TLS_CERT_FILE: certFile, SLUICE_HTTP_TLS_KEY_FILE: keyFile },
  });
  session = connect(`https://127.0.0.1:${server.httpPort}`, { ca: localhostCertificate.cert });
  session.on('error', () => undefined);
});
afterAll(async () => {
  session?.destroy();
  expect(await server?.close()).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});

/** One request on the HTTP/2 session; resolves with the status and the first `bytesMax` of the body. */
function ask(path: string, bytesMax = Number.POSITIVE_INFINITY): Promise<{ status: number; hsts: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    const chunks: Buffer[] = [];
    let status = 0;
    let hsts: string | undefined;
    let length = 0;
    const done = (): void => resolve({ status, hsts, body: Buffer.concat(chunks) });
    stream.once('response', (headers) => {
      status = headers[':status'] ?? 0;
      hsts = headers['strict-transport-security'];
    });
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < bytesMax) return;
      stream.close();
      done();
    });
    stream.once('end', done);
    stream.once('error', reject);
  });
}

describe('with a certificate', () => {
  it('LL-HLS is served over HTTP/2, blocking reloads too', async () => {
    const multivariant = await vi.waitFor(async () => {
      const answer = await ask('/live/demo/index.m3u8');
      expect(answer.status).toBe(200);
      return answer;
    }, WAIT);
    expect(session.alpnProtocol).toBe('h2');
    expect(multivariant.body.toString()).toContain('source/media.m3u8');
    const media = (await ask('/live/demo/source/media.m3u8')).body.toString();
    const next = /PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/.exec(media);
    const [reload, part] = await Promise.all([
      ask(`/live/demo/source/media.m3u8?_HLS_msn=${next?.[1]}&_HLS_part=${next?.[2]}`),
      ask(`/live/demo/source/${next?.[1]}.${next?.[2]}.m4s`),
    ]);
    expect(reload.body.toString()).toContain(`"${next?.[1]}.${next?.[2]}.m4s"`);
    expect([part.status, part.body.subarray(4, 8).toString()]).toEqual([200, 'moof']);
  });

  it.each([['/'], ['/watch/live/demo'], ['/api/v1/streams'], ['/nothing'], ['/live/demo/index.m3u8'], ['/live/demo.flv']])(
    'browsers are told to come by HTTPS alone from now on: %s',
    async (path) => {
      expect((await ask(path, 1)).hsts).toBe('max-age=31536000');
    },
  );

  it('HTTP-FLV is served over HTTP/2 and HTTP/1.1', async () => {
    const overHttp2 = await ask('/live/demo.flv', 50_000);
    expect([overHttp2.status, overHttp2.body.subarray(0, 3).toString()]).toEqual([200, 'FLV']);
    const start = await new Promise<string>((resolve, reject) => {
      get({ host: 'localhost', family: 4, port: server.httpPort, path: '/live/demo.flv', ca: localhostCertificate.cert }, (response) => {
        response.once('data', (chunk: Buffer) => {
          resolve(`${response.httpVersion} ${chunk.subarray(0, 3)}`);
          response.destroy();
        });
      }).once('error', reject);
    });
    expect(start).toBe('1.1 FLV');
  });
});
