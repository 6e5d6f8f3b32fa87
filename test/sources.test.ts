import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { type ReadResult, readMedia } from './fixtures/media-reader.ts';
import { type MediaSender, sendMedia } from './fixtures/media-sender.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };
/** Of the sources in the server under test, by name; their ports are known before it starts. */
interface Source {
  readonly url: string;
  readonly mode?: 'always' | 'on-demand';
  readonly lingerMs?: number;
  readonly stallMs?: number;
  readonly rtspTransport?: 'tcp' | 'udp';
}
interface Listed {
  readonly stream: string;
  readonly url: string;
  readonly state: string;
  readonly attempts: number;
  readonly framesIn: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

let folder: string;
let origin: ServerProcess;
let server: ServerProcess;
let web: Server;
let camera: ChildProcess;
let publisher: FfmpegPublisher;
const senders: MediaSender[] = [];
const ports = { rtsp: 0, ingest: 0, udp: 0, srt: 0 };

async function freePort(): Promise<number> {
  const listener = createTcpServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Answers that a hostile server gives. */
function hostileAnswer(url: string): { status: number; headers: Record<string, string>; body: string } {
  const playlist = (uri: string): { status: number; headers: Record<string, string>; body: string } => ({
    status: 200,
    headers: { 'content-type': 'application/vnd.apple.mpegurl' },
    body: `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${uri}\n#EXT-X-ENDLIST\n`,
  });
  if (url === '/redirect') return { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' }, body: '' };
  if (url === '/inside.m3u8') return playlist('http://169.254.169.254/latest/x.ts');
  if (url === '/file.m3u8') return playlist('file:///etc/passwd');
  return { status: 404, headers: {}, body: '' };
}

const sourceNamed = async (name: string, { httpUrl } = server): Promise<Listed> => {
  const response = await fetch(`${httpUrl}/api/v1/sources?limit=100`);
  const { items } = (await response.json()) as { items: Listed[] };
  return items.find(({ stream }) => stream === `live/${name}`) as Listed;
};
const stateOf = async (name: string): Promise<string> => (await sourceNamed(name)).state;
const streamNamed = async (name: string): Promise<{ publisher: { protocol: string }; tracks: { codec: string }[] } | undefined> => {
  const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`);
  return response.ok ? ((await response.json()) as { publisher: { protocol: string }; tracks: { codec: string }[] }) : undefined;
};

/** Reads so many pictures by HTTP-FLV; pictures before sound, whichever came first. */
async function readFlv(name: string, packets: number): Promise<ReadResult['streams']> {
  const { streams } = await readMedia(`${server.httpUrl}/live/${name}.flv`, packets);
  return streams.toSorted((left, right) => (left.kind < right.kind ? 1 : -1));
}

/** Reads the stream by HTTP-FLV, which starts the source, and expects pictures and sound. */
async function expectPlays(name: string): Promise<void> {
  const streams = await readFlv(name, 45);
  expect(streams).toMatchObject([
    { kind: 'video', codec: 'h264', isMonotonic: true, isInOrder: true },
    { kind: 'audio', codec: 'aac', isMonotonic: true },
  ]);
  expect(streams[0]?.keyframes).toBeGreaterThan(0);
  expect(streams[0]?.pictures).toBeGreaterThan(30);
}

function sources(): Record<string, Source> {
  const short = { lingerMs: 500 };
  const { port } = web.address() as AddressInfo;
  const at = `127.0.0.1:${port}`;
  return {
    camera: { url: `rtsp://viewer:secret@127.0.0.1:${ports.rtsp}/camera`, rtspTransport: 'udp', ...short },
    loop: { url: join(folder, 'loop.mp4'), ...short },
    linked: { url: join(folder, 'link.mp4') },
    hls: { url: `${origin.httpUrl}/live/show/index.m3u8`, ...short },
    rtmp: { url: `${origin.rtmpUrl}/live/show`, mode: 'always', stallMs: 3000 },
    srt: { url: `srt://127.0.0.1:${ports.srt}?mode=listener`, mode: 'always' },
    udp: { url: `udp://127.0.0.1:${ports.udp}`, mode: 'always' },
    flv: { url: join(folder, 'loop.mp4'), ...short },
    'by-websocket': { url: join(folder, 'loop.mp4'), ...short },
    'by-rtmp': { url: join(folder, 'loop.mp4'), ...short },
    'by-hls': { url: join(folder, 'loop.mp4'), ...short },
    'by-whep': { url: join(folder, 'loop.mp4'), ...short },
    nobody: { url: `rtmp://viewer:secret@127.0.0.1:${ports.ingest + 7}/live/none` },
    redirect: { url: `http://${at}/redirect` },
    inside: { url: `http://${at}/inside.m3u8` },
    file: { url: `http://${at}/file.m3u8` },
    name: { url: 'http://name.invalid/x.m3u8?key=secret' },
  };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sources-'));
  ports.rtsp = await freePort();
  ports.ingest = await freePort();
  ports.udp = await freeUdpPort();
  ports.srt = await freeUdpPort();
  web = createServer((request, response) => {
    const { status, headers, body } = hostileAnswer(request.url ?? '');
    response.writeHead(status, headers).end(body);
  }).listen(0, '127.0.0.1');
  const file = await sendMedia({ url: join(folder, 'loop.mp4'), format: 'mp4', durationS: 2, isPaced: false });
  symlinkSync('/etc/passwd', join(folder, 'link.mp4'));
  const local = ['--client_listen_address', '127.0.0.1', '--source_listen_address', '127.0.0.1'];
  camera = spawn('rtsp-server-perl', ['-c', String(ports.rtsp), '-s', String(ports.ingest), ...local], { stdio: 'ignore' });
  // Where no network is allowed, a name that leads to this machine is refused, too.
  origin = await ServerProcess.start({ environment: { SLUICE_APPS_LIVE_SOURCES_HERE_URL: 'https://localhost:1/x.m3u8' } });
  publisher = await publish({ url: `${origin.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
  await file.finished;
  await vi.waitFor(async () => expect(await canConnect(ports.ingest)).toBe(true), WAIT);
  senders.push(
    await sendMedia({
      url: `rtsp://127.0.0.1:${ports.ingest}/camera`,
      format: 'rtsp',
      isPaced: true,
      options: { rtsp_transport: 'udp' },
    }),
  );
  const config = join(folder, 'sluice.yaml');
  const allowed = { allowedNetworks: ['127.0.0.1'], allowedFolders: [folder] };
  writeFileSync(config, JSON.stringify({ sources: allowed, hub: { waitMs: 6000 }, apps: { live: { sources: sources() } } }));
  server = await ServerProcess.start({ environment: { SLUICE_CONFIG: config } });
}, 60_000);

afterAll(async () => {
  await Promise.all(senders.map((sender) => sender.kill()));
  await publisher?.close();
  const codes = await Promise.all([server?.close(), origin?.close()]);
  camera?.kill('SIGKILL');
  web?.close();
  rmSync(folder, { recursive: true, force: true });
  expect(codes).toEqual([0, 0]);
}, 30_000);

describe('a pull source', () => {
  it('on demand is a camera that is fetched over RTSP while somebody watches', async () => {
    expect(await stateOf('camera')).toBe('idle');
    await expectPlays('camera');
    expect(await sourceNamed('camera')).toMatchObject({ url: `rtsp://127.0.0.1:${ports.rtsp}/camera`, attempts: 1 });
    await vi.waitFor(async () => expect(await stateOf('camera')).toBe('idle'), WAIT);
    expect(await streamNamed('camera')).toBeUndefined();
    expect(JSON.stringify(server.log)).not.toContain('secret');
  });

  it('is a file that is played again and again, with timestamps that go on', async () => {
    const streams = await readFlv('loop', 110);
    expect(streams).toMatchObject([
      { kind: 'video', isMonotonic: true },
      { kind: 'audio', isMonotonic: true },
    ]);
  });

  it('is a stream of another server, over HLS', () => expectPlays('hls'));

  it('is MPEG-TS that comes in datagrams, plain and over SRT', async () => {
    for (const [name, url] of [
      ['udp', `udp://127.0.0.1:${ports.udp}?pkt_size=1316`],
      ['srt', `srt://127.0.0.1:${ports.srt}`],
    ] as const) {
      expect(await stateOf(name)).toBe('starting');
      senders.push(await sendMedia({ url, format: 'mpegts', isPaced: true }));
      await vi.waitFor(async () => expect(await stateOf(name)).toBe('running'), WAIT);
      await expectPlays(name);
      expect(await streamNamed(name)).toMatchObject({ publisher: { protocol: 'pull' }, tracks: [{ codec: 'h264' }, { codec: 'aac' }] });
    }
  });

  it('that is always wanted comes back by itself when its publisher was gone', async () => {
    await vi.waitFor(async () => expect(await stateOf('rtmp')).toBe('running'), WAIT);
    await publisher.close();
    await vi.waitFor(async () => expect(await stateOf('rtmp')).toBe('waiting'), WAIT);
    expect((await sourceNamed('rtmp')).lastError?.code).toMatch(/^sources\./);
    publisher = await publish({ url: `${origin.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
    await vi.waitFor(async () => expect(await stateOf('rtmp')).toBe('running'), WAIT);
    await expectPlays('rtmp');
  });
});

describe.concurrent('the first viewer of a source waits for it', () => {
  it('by HTTP-FLV and by WebSocket', async () => {
    const response = await new Promise<IncomingMessage>((resolve) => get(`${server.httpUrl}/live/flv.flv`, resolve));
    expect(response.statusCode).toBe(200);
    response.destroy();
    const socket = new WebSocket(`${server.httpUrl.replace('http', 'ws')}/live/by-websocket.flv`);
    const [first] = (await once(socket, 'message')) as [Buffer];
    expect(first.subarray(0, 3).toString('latin1')).toBe('FLV');
    socket.terminate();
  });

  it('by RTMP', async () => {
    const { streams } = await readMedia(`${server.rtmpUrl}/live/by-rtmp`, 10);
    expect(streams.map(({ codec }) => codec).toSorted()).toEqual(['aac', 'h264']);
  });

  it('by HLS, and so does who comes back when nobody watched it for a while', async () => {
    const ask = async (path: string): Promise<string> => {
      const response = await fetch(`${server.httpUrl}/live/by-hls/${path}`);
      expect(response.status).toBe(200);
      return response.text();
    };
    expect(await ask('index.m3u8')).toContain('CODECS=');
    await vi.waitFor(async () => expect(await stateOf('by-hls')).toBe('idle'), WAIT);
    const playlist = await ask('source/media.m3u8');
    expect(playlist).toContain('#EXTINF');
    expect(playlist).not.toContain('#EXT-X-ENDLIST');
    expect(await stateOf('by-hls')).toBe('running');
  });

  it('by WHEP, before its offer is looked at', async () => {
    const response = await fetch(`${server.httpUrl}/live/by-whep/whep`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: 'v=0\r\n',
    });
    expect(response.status).toBe(400);
    expect(await stateOf('by-whep')).toBe('running');
  });

  it('for a while, and learns that it did not start in time', async () => {
    const answers = await Promise.all([
      fetch(`${server.httpUrl}/live/nobody.flv`),
      fetch(`${server.httpUrl}/live/nobody/index.m3u8`),
      fetch(`${server.httpUrl}/live/nobody/whep`, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0\r\n' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    for (const [index, code] of ['flv.source-not-started', 'hls.source-not-started', 'whip.source-not-started'].entries()) {
      expect(bodies[index]).toContain(code);
    }
    const { lastError, url } = await sourceNamed('nobody');
    expect(lastError?.code).toBe('sources.unreachable');
    expect(url).not.toContain('secret');
  });

  it('but nobody waits for a stream that no source is configured for', async () => {
    for (const path of ['none.flv', 'none/index.m3u8']) {
      const response = await fetch(`${server.httpUrl}/live/${path}`);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain('not-found');
    }
  });
});

describe.concurrent('a source that leads where it must not', () => {
  it.each([
    ['redirect', 'sources.refused-address', '169.254.169.254'],
    ['inside', 'sources.refused-address', '169.254.169.254'],
    ['linked', 'sources.refused-path', '/etc/passwd'],
    ['name', 'sources.unreachable', ''],
    ['file', 'sources.', ''],
  ])('%s is refused: %s', async (name, code, words) => {
    const viewer = new AbortController();
    const gone = fetch(`${server.httpUrl}/live/${name}.flv`, { signal: viewer.signal }).catch(() => undefined);
    const failed = await vi.waitFor(async () => {
      const { lastError } = await sourceNamed(name);
      expect(lastError?.code).toContain(code);
      return lastError;
    }, WAIT);
    expect(failed?.message).toContain(words);
    viewer.abort();
    await gone;
    expect(await streamNamed(name)).toBeUndefined();
  });

  it('a name that resolves to loopback is refused', async () => {
    const viewer = new AbortController();
    const gone = fetch(`${origin.httpUrl}/live/here.flv`, { signal: viewer.signal }).catch(() => undefined);
    const refused = { code: 'sources.refused-address', message: expect.stringContaining('localhost: ') };
    await vi.waitFor(async () => expect((await sourceNamed('here', origin)).lastError).toEqual(refused), WAIT);
    viewer.abort();
    await gone;
  });

  it('by its configuration keeps the server from starting, with the key that is wrong', async () => {
    const environment = (url: string): Record<string, string> => ({ SLUICE_APPS_LIVE_SOURCES_CAM_URL: url });
    for (const url of ['rtsp://admin:secret@192.168.1.5/h264', 'file:///etc/passwd']) {
      const started = ServerProcess.start({ environment: environment(url) });
      await expect(started).rejects.toThrow(/apps\.live\.sources\.cam\.url/);
      await expect(started).rejects.not.toThrow(/secret/);
    }
  });
});
