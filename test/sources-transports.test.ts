import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localhostCertificate } from '../src/io/rtmp/localhost-certificate.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { readMedia } from './fixtures/media-reader.ts';
import { type MediaSender, sendMedia } from './fixtures/media-sender.ts';
import { RtspRelay } from './fixtures/rtsp-relay.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };
// Many processes that load FFmpeg, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 90_000 });
const GROUP = '239.255.77.7';

interface Listed {
  readonly stream: string;
  readonly state: string;
  readonly attempts: number;
  readonly framesIn: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

/** Whether this machine lets a program send to a group on its loopback interface and hear it there. */
const hasMulticast = await new Promise<boolean>((resolve) => {
  const [listener, sender] = [createSocket({ type: 'udp4', reuseAddr: true }), createSocket('udp4')];
  const over = (isHeard: boolean): void => {
    clearTimeout(timer);
    for (const socket of [listener, sender]) socket.close();
    resolve(isHeard);
  };
  const timer = setTimeout(() => over(false), 3000);
  for (const socket of [listener, sender]) socket.once('error', () => over(false));
  listener.once('message', () => over(true));
  listener.bind(0, GROUP, () => {
    listener.addMembership(GROUP, '127.0.0.1');
    sender.bind(0, '127.0.0.1', () => {
      sender.setMulticastInterface('127.0.0.1');
      sender.setMulticastTTL(0);
      sender.send('here', listener.address().port, GROUP, (error) => {
        if (error !== null) over(false);
      });
    });
  });
});

let folder: string;
let origin: ServerProcess;
let server: ServerProcess;
/** Does not know the authority that signed the certificate. */
let stranger: ServerProcess;
let camera: RtspRelay;
let publisher: FfmpegPublisher;
const senders: MediaSender[] = [];
const fronts: Server[] = [];
let multicastPort = 0;

/** A port that speaks TLS for one that does not. */
async function front(port: number): Promise<number> {
  const listener = createTlsServer(localhostCertificate, (socket) => {
    const behind = connect(port, '127.0.0.1');
    for (const each of [socket, behind]) each.on('error', () => undefined);
    socket.pipe(behind).pipe(socket);
    socket.once('close', () => behind.destroy());
    behind.once('close', () => socket.destroy());
  });
  listener.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  fronts.push(listener);
  return (listener.address() as AddressInfo).port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function sources(): Promise<Record<string, object>> {
  const [https, rtmps, rtsps] = await Promise.all([origin.httpPort, origin.rtmpPort, camera.port].map(front));
  const short = { lingerMs: 500 };
  return {
    camera: { url: `rtsp://127.0.0.1:${camera.port}/camera`, rtspTransport: 'tcp', ...short },
    rtsps: { url: `rtsps://localhost:${rtsps}/camera`, rtspTransport: 'tcp', ...short },
    rtmps: { url: `rtmps://localhost:${rtmps}/live/show`, ...short },
    https: { url: `https://localhost:${https}/live/show/index.m3u8`, ...short },
    group: { url: `udp://${GROUP}:${multicastPort}?localaddr=127.0.0.1`, ...short },
    crash: { url: join(folder, 'loop.mp4'), lingerMs: 60_000 },
  };
}

const startServer = async (environment: Record<string, string>, config: object): Promise<ServerProcess> => {
  const file = join(folder, `${Object.keys(environment).length}.yaml`);
  writeFileSync(file, JSON.stringify(config));
  return await ServerProcess.start({ environment: { SLUICE_CONFIG: file, ...environment } });
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-transports-'));
  multicastPort = await freeUdpPort();
  camera = await RtspRelay.start();
  origin = await ServerProcess.start();
  publisher = await publish({ url: `${origin.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
  const file = await sendMedia({ url: join(folder, 'loop.mp4'), format: 'mp4', durationS: 2, isPaced: false });
  await file.finished;
  const toCamera = { url: `rtsp://127.0.0.1:${camera.port}/camera`, format: 'rtsp', isPaced: true, options: { rtsp_transport: 'tcp' } };
  senders.push(await sendMedia(toCamera));
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, localhostCertificate.cert);
  const allowedNetworks = ['127.0.0.0/8', '::1', '239.0.0.0/8'];
  const config = {
    sources: { allowedNetworks, allowedFolders: [folder] },
    hub: { waitMs: 20_000 },
    apps: { live: { sources: await sources() } },
  };
  server = await startServer({ NODE_EXTRA_CA_CERTS: authority }, config);
  stranger = await startServer({}, config);
}, 180_000);

afterAll(async () => {
  await Promise.all(senders.map((sender) => sender.kill()));
  await publisher?.close();
  const codes = await Promise.all([server?.close(), stranger?.close(), origin?.close()]);
  camera?.close();
  for (const each of fronts) each.close();
  rmSync(folder, { recursive: true, force: true });
  expect(codes).toEqual([0, 0, 0]);
}, 60_000);

const sourceNamed = async (name: string, { httpUrl } = server): Promise<Listed> => {
  const response = await fetch(`${httpUrl}/api/v1/sources?limit=100`);
  const { items } = (await response.json()) as { items: Listed[] };
  return items.find(({ stream }) => stream === `live/${name}`) as Listed;
};

async function expectPlays(name: string): Promise<void> {
  const { streams } = await readMedia(`${server.httpUrl}/live/${name}.flv`, 45);
  const [video, audio] = streams.toSorted((left, right) => (left.kind < right.kind ? 1 : -1));
  expect(video).toMatchObject({ kind: 'video', codec: 'h264', isMonotonic: true });
  expect(audio).toMatchObject({ kind: 'audio', codec: 'aac', isMonotonic: true });
  expect(video?.keyframes).toBeGreaterThan(0);
  expect(video?.pictures).toBeGreaterThan(30);
}

/** The processes of this server's open sources, by /proc (Linux). */
const sourceProcesses = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && new RegExp(`^PPid:\\s+${server.pid}$`, 'm').test(readProc(name, 'status')))
    .filter((name) => readProc(name, 'cmdline').includes('source-worker'))
    .map(Number);

/** Empty for a process that is gone by now. */
function readProc(pid: string, file: 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

describe('a pull source', () => {
  it('is a camera that sends within the RTSP connection', () => expectPlays('camera'));

  it.each(['https', 'rtmps', 'rtsps'])('comes by %s with a certificate of an authority that the operator trusts', (name) =>
    expectPlays(name),
  );

  it.each(['https', 'rtmps', 'rtsps'])('does not come by %s where nobody trusts the authority', async (name) => {
    const viewer = new AbortController();
    const gone = fetch(`${stranger.httpUrl}/live/${name}.flv`, { signal: viewer.signal }).catch(() => undefined);
    await vi.waitFor(async () => {
      const { lastError } = await sourceNamed(name, stranger);
      expect(lastError?.code).toBe('sources.unreachable');
      expect(lastError?.message).toMatch(/certificate/);
    }, WAIT);
    expect((await sourceNamed(name, stranger)).framesIn).toBe(0);
    viewer.abort();
    await gone;
  });

  it.skipIf(!hasMulticast)('is MPEG-TS that is sent to a group', async () => {
    const url = `udp://${GROUP}:${multicastPort}?pkt_size=1316&localaddr=127.0.0.1&ttl=0`;
    senders.push(await sendMedia({ url, format: 'mpegts', isPaced: true }));
    await expectPlays('group');
  });

  it('whose process is killed comes back by itself, and its viewers go on behind a discontinuity', { timeout: 180_000 }, async () => {
    const playlist = async (): Promise<string> => {
      const response = await fetch(`${server.httpUrl}/live/crash/index.m3u8`);
      const [, media = ''] = /^(?!#)(.*m3u8.*)$/m.exec(await response.text()) ?? [];
      return await (await fetch(new URL(media, `${server.httpUrl}/live/crash/`))).text();
    };
    const viewer = await FlvViewer.open(`${server.httpUrl}/live/crash.flv`);
    await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(50_000), WAIT);
    expect(await playlist()).not.toContain('#EXT-X-DISCONTINUITY\n');
    for (const pid of sourceProcesses()) process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await sourceNamed('crash')).toMatchObject({ state: 'running', attempts: 2 }), WAIT);
    expect((await sourceNamed('crash')).lastError).toMatchObject({ code: 'sources.crashed', message: expect.stringContaining('SIGKILL') });
    const { bytes } = viewer;
    await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(bytes + 50_000), WAIT);
    expect(viewer.hasEnded).toBe(false);
    await vi.waitFor(async () => expect(await playlist()).toContain('#EXT-X-DISCONTINUITY\n'), WAIT);
    await expectPlays('crash');
    viewer.close();
  });
});
