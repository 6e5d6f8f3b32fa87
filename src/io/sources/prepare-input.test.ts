import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { HttpGate } from './http-gate.ts';
import { judgedLookup, type Resolve } from './judged-lookup.ts';
import { type PreparedInput, prepareInput } from './prepare-input.ts';

let folder: string;
let gate: HttpGate;
let web: Server;
let origin: string;
let heard: { url: string | undefined; authorization: string | undefined }[];
let problems: string[];
const open: PreparedInput[] = [];

/** Names of this world; all others are unknown. */
const NAMES: Readonly<Record<string, string[]>> = {
  'camera.test': ['127.0.0.1'],
  'split.test': ['127.0.0.1', '10.0.0.1'],
  'inside.test': ['10.0.0.1'],
};
const resolve: Resolve = (name, _options, done) => {
  const found = NAMES[name];
  if (found === undefined) done(Object.assign(new Error(`no such name: ${name}`), { code: 'ENOTFOUND' }), []);
  else
    done(
      null,
      found.map((address) => ({ address, family: 4 })),
    );
};

async function prepare(url: string, allowedNetworks = ['127.0.0.1']): Promise<PreparedInput> {
  const policy = new UrlPolicy({ allowedNetworks, allowedFolders: [folder] });
  const lookup = judgedLookup(policy, resolve);
  gate ??= new HttpGate(policy, lookup);
  const input = await prepareInput(
    { url, rtspTransport: 'tcp' },
    { policy, gate, lookup, resolve },
    {
      refused: ({ code }) => problems.push(code),
      failed: (code) => problems.push(code),
    },
  );
  open.push(input);
  return input;
}

/** A request as FFmpeg makes it through the proxy. */
function fetchBy(input: PreparedInput, url: string, headers: Record<string, string> = {}): Promise<IncomingMessage & { text: string }> {
  const { port } = new URL(input.environment['http_proxy'] ?? '');
  return new Promise((settle, reject) => {
    request({ host: '127.0.0.1', port, path: url, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => settle(Object.assign(answer, { text })));
    })
      .on('error', reject)
      .end();
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-input-'));
  gate = undefined as unknown as HttpGate;
  heard = [];
  problems = [];
  web = createServer(({ url, headers }, response) => {
    heard.push({ url, authorization: headers.authorization });
    if (url === '/to-inside') response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
    else if (url === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (url === '/moved') response.writeHead(301, { location: 'here.m3u8' }).end();
    else if (url?.startsWith('/here')) response.end(`#EXTM3U\nseg.ts\n${origin}/abs.ts\nhttps://10.0.0.1/x.ts\n`);
    else if (url === '/seg.ts') response.end(Buffer.alloc(100_000, 0x47));
    else response.writeHead(404).end('nothing');
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  origin = `http://camera.test:${(web.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const input of open.splice(0)) input.close();
  gate?.close();
  web.close();
  web.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

describe('HTTP, through the gate', () => {
  it('has redirects and the URLs in playlists lead back through it', async () => {
    const input = await prepare(`${origin.replace('//', '//me:pass@')}/moved?key=1`);
    expect(input.input.url).toMatch(/^http:\/\/[0-9a-f]+\.[0-9a-f]{32}\.gate\/moved\?key=1$/);
    expect(input.input.options['protocol_whitelist']).toBe('http,tcp,crypto,data');
    const gated = input.input.url.replace('?key=1', '');
    const moved = await fetchBy(input, gated);
    expect(moved).toMatchObject({ statusCode: 301, headers: { location: gated.replace('/moved', '/here.m3u8') } });
    const playlist = await fetchBy(input, moved.headers.location ?? '', { range: 'bytes=0-' });
    const [, relative, absolute, other] = playlist.text.split('\n');
    expect(relative).toBe('seg.ts');
    expect(absolute).toBe(gated.replace('/moved', '/abs.ts'));
    expect((await fetchBy(input, gated.replace('/moved', '/seg.ts'))).text).toHaveLength(100_000);
    const basic = `Basic ${Buffer.from('me:pass').toString('base64')}`;
    expect(heard.every(({ authorization }) => authorization === basic)).toBe(true);
    expect((await fetchBy(input, other ?? '')).statusCode).toBe(403);
    expect(problems).toEqual(['sources.refused-address']);
    expect(input.clean(`cannot open ${gated}`)).toBe(`cannot open ${origin}/moved`);
  });

  it.each([
    ['/to-inside', 'sources.refused-address'],
    ['/to-file', 'sources.refused-path'],
  ])('does not follow %s', async (path, code) => {
    const input = await prepare(`${origin}${path}`);
    expect((await fetchBy(input, input.input.url)).statusCode).toBe(403);
    expect(problems).toEqual([code]);
  });

  it.each(['inside.test', 'split.test'])('does not reach %s, by what it resolves to', async (name) => {
    const input = await prepare(`http://${name}/x.ts`);
    expect((await fetchBy(input, input.input.url)).statusCode).toBe(403);
    expect(problems).toEqual(['sources.refused-address']);
  });

  it('tells of names that are unknown and of answers that are errors', async () => {
    const unknown = await prepare('http://unknown.test/');
    expect((await fetchBy(unknown, unknown.input.url)).statusCode).toBe(502);
    const missing = await prepare(`${origin}/missing`);
    expect(await fetchBy(missing, missing.input.url)).toMatchObject({ statusCode: 404, text: 'nothing' });
    expect(problems).toEqual(['sources.unreachable', 'sources.http-status']);
  });

  it('is for nobody else', async () => {
    const input = await prepare(`${origin}/seg.ts`);
    const wrong = input.input.url.replace(/\.[0-9a-f]{32}\./, `.${'0'.repeat(32)}.`);
    for (const url of [`${origin}/seg.ts`, wrong, '/seg.ts', 'http://10.0.0.1/']) expect((await fetchBy(input, url)).statusCode).toBe(403);
    input.close();
    expect((await fetchBy(input, input.input.url)).statusCode).toBe(403);
    expect(heard).toEqual([]);
  });
});

describe('other inputs', () => {
  it('in datagrams are reached at the address that was judged', async () => {
    const srt = await prepare('srt://camera.test:9000?streamid=a%20b&latency=50');
    expect(srt.input).toMatchObject({ url: 'srt://127.0.0.1:9000?streamid=a%20b&latency=50', format: 'mpegts' });
    const udp = await prepare('udp://239.1.1.1:5000', ['239.0.0.0/8']);
    expect(udp.input.url).toBe('udp://239.1.1.1:5000?overrun_nonfatal=1');
    expect((await prepare('udp://127.0.0.1:5000')).input.url).toContain('localaddr=127.0.0.1');
    await expect(prepare('srt://split.test:9000')).rejects.toMatchObject({ code: 'sources.refused-address' });
    await expect(prepare('srt://camera.test')).rejects.toMatchObject({ code: 'sources.refused-malformed' });
  });

  it('in one connection are reached through a relay to that address', async () => {
    const server = createTcpServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { input, clean } = await prepare(`rtmp://me:pass@camera.test:${port}/live/show?key=1`);
    expect(input).toMatchObject({
      url: expect.stringMatching(/^rtmp:\/\/me:pass@127\.0\.0\.1:\d+\/live\/show\?key=1$/),
      options: { rtmp_tcurl: `rtmp://camera.test:${port}/live`, protocol_whitelist: 'rtmp,tcp' },
    });
    const relay = Number(new URL(input.url).port);
    expect(clean(`127.0.0.1:${relay} is gone`)).toBe(`camera.test:${port} is gone`);
    const [said] = (await once(connect(relay, '127.0.0.1'), 'data')) as [Buffer];
    expect(said.toString()).toBe('hello');
    server.close();
    const inside = await prepare('rtsp://inside.test/h264');
    await once(connect(Number(new URL(inside.input.url).port), '127.0.0.1'), 'close');
    expect(problems).toEqual(['sources.refused-address']);
  });

  it('that are files are those in the folders, wherever links lead', async () => {
    writeFileSync(join(folder, 'a.mp4'), 'x');
    symlinkSync('/etc/passwd', join(folder, 'link.mp4'));
    expect((await prepare(join(folder, 'a.mp4'))).input).toMatchObject({
      isPaced: true,
      isLooped: true,
      options: { protocol_whitelist: 'file' },
    });
    for (const path of [join(folder, 'link.mp4'), '/etc/passwd', `${folder}/../passwd`, folder]) {
      await expect(prepare(path)).rejects.toMatchObject({ code: 'sources.refused-path' });
    }
    await expect(prepare(join(folder, 'none.mp4'))).rejects.toMatchObject({ code: 'sources.open-failed' });
  });

  it('of no known kind are refused', async () => {
    await expect(prepare('whip+https://camera.test/')).rejects.toMatchObject({ code: 'sources.refused-scheme' });
    await expect(prepare('rtsp://192.168.1.5/')).rejects.toMatchObject({ code: 'sources.refused-address' });
  });
});
