import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secrets } from '../src/io/mod.ts';
import { localhostCertificate } from '../src/io/rtmp/localhost-certificate.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from './fixtures/server-process.ts';
import { freeUdpPort, listenBySrt } from './fixtures/srt-listener.ts';

const WAIT = { timeout: 12_000, interval: 100 };
const KEY = 'receiver-key-1234';

interface Target {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly reason?: { readonly code: string; readonly message: string };
  readonly retries: number;
  readonly bytesSent: number;
  readonly origin: string;
}

let folder: string;
let sender: ServerProcess;
let receiver: ServerProcess;
let publisher: FfmpegPublisher;
let adminKey = '';
let rtmpsPort = 0;

/** A TCP port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function writeConfig(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function api(method: string, path: string, body?: object): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(`${sender.httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, json: text === '' ? undefined : JSON.parse(text) };
}

const addTo = (stream: string, body: object) => api('POST', `/streams/${stream}/targets`, body);

async function target(stream: string, name: string): Promise<Target> {
  const { json } = await api('GET', `/streams/${stream}/targets`);
  const found = (json as { items: Target[] }).items.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${stream} has no target ${name}`);
  return found;
}

const untilState = (stream: string, name: string, state: string): Promise<Target> =>
  vi.waitFor(async () => {
    const found = await target(stream, name);
    expect([found.state, found.reason]).toEqual([state, state === 'sending' ? undefined : expect.anything()]);
    return found;
  }, WAIT);

async function received(
  server: ServerProcess,
  path: string,
): Promise<{ tracks: { codec: string }[]; framesIn: number; bitrateBps: number }> {
  const answer = await fetch(`${server.httpUrl}/api/v1/streams/${path}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Awaited<ReturnType<typeof received>>;
}

/** Waits until the receiver has the stream and more of it keeps coming. */
async function flows(server: ServerProcess, path: string): Promise<readonly string[]> {
  const first = await vi.waitFor(() => received(server, path), WAIT);
  const later = await vi.waitFor(async () => {
    const now = await received(server, path);
    expect(now.framesIn).toBeGreaterThan(first.framesIn + 30);
    return now;
  }, WAIT);
  return later.tracks.map(({ codec }) => codec).sort();
}

/** A receiver with a key; `rtmpPort` 0 is any. */
const startReceiver = (rtmpPort = 0, tlsPort = 0): Promise<ServerProcess> =>
  ServerProcess.start({
    environment: {
      SLUICE_CONFIG: join(folder, 'receiver.yaml'),
      SLUICE_RTMP_PORT: String(rtmpPort),
      SLUICE_RTMP_TLS_PORT: String(tlsPort),
    },
  });

/** A sender; the admin key of the first one is the one that is used. */
function startSender(name: string, config: string): Promise<ServerProcess> {
  const data = join(folder, name);
  const key = Secrets.open(data).createApiKey('test', 'admin', new Date());
  adminKey ||= key;
  return ServerProcess.start({ environment: { SLUICE_CONFIG: writeConfig(`${name}.yaml`, config), SLUICE_DATA_FOLDER: data } });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-targets-'));
  writeConfig('cert.pem', localhostCertificate.cert);
  writeConfig('key.pem', localhostCertificate.key);
  rtmpsPort = await freePort();
  writeConfig(
    'receiver.yaml',
    `apps: { live: { keys: [${KEY}], publishFromLoopback: false } }
rtmp: { tls: { certFile: cert.pem, keyFile: key.pem } }
`,
  );
  receiver = await startReceiver(0, rtmpsPort);
  sender = await startSender(
    'sender',
    `targets: { allowedNetworks: [127.0.0.1] }
apps:
  live:
    targets: [{ name: copy, url: 'rtmp://127.0.0.1:${receiver.rtmpPort}/{app}/copy-of-{name}?key=${KEY}', streams: 'show*' }]
  plain: { ladder: { template: 'off' } }
`,
  );
  publisher = await publish({ url: `${sender.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac', bFrames: 2 });
});

afterAll(async () => {
  await publisher?.close();
  expect(await sender?.close()).toBe(0);
  expect(await receiver?.close()).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});

describe('a stream is pushed', () => {
  it('to the RTMP target of its app, and the key is not to be seen', async () => {
    expect(await flows(receiver, 'live/copy-of-show')).toEqual(['aac', 'h264']);
    const copy = await untilState('live/show', 'copy', 'sending');
    expect(copy).toMatchObject({ url: `rtmp://127.0.0.1:${receiver.rtmpPort}`, origin: 'config', retries: 0 });
    await vi.waitFor(async () => expect((await target('live/show', 'copy')).bytesSent).toBeGreaterThan(50_000), WAIT);
    expect(JSON.stringify([(await api('GET', '/targets')).json, sender.log])).not.toContain(KEY);
    const metrics = await (await fetch(`${sender.httpUrl}/metrics`)).text();
    expect(metrics).toContain('sluice_targets{state="sending"} 1');
  });

  it('to a WHIP target with a token, by the rungs that WebRTC viewers get', async () => {
    const url = `${receiver.httpUrl}/live/by-whip/whip`;
    expect((await addTo('live/show', { name: 'whip', url, token: KEY })).status).toBe(201);
    await untilState('live/show', 'whip', 'sending');
    expect(await flows(receiver, 'live/by-whip')).toEqual(['h264', 'opus']);
    await addTo('live/show', { name: 'no-token', url });
    const refused = await untilState('live/show', 'no-token', 'retrying');
    expect([refused.reason?.code, refused.reason?.message]).toEqual(['targets.peer-refused', expect.stringContaining('status 401')]);
    await api('DELETE', '/streams/live/show/targets/whip');
    await vi.waitFor(() => expect(received(receiver, 'live/by-whip')).rejects.toThrow(), WAIT);
  });

  it('to an SRT listener as MPEG-TS', async () => {
    const port = await freeUdpPort();
    const heard = listenBySrt(port, 40, '&passphrase=0123456789ab');
    await addTo('live/show', { name: 'srt', url: `srt://127.0.0.1:${port}?streamid=publish:show&passphrase=0123456789ab` });
    const streams = await heard;
    expect(streams.map(({ codec }) => codec).sort()).toEqual(['aac', 'h264']);
    expect(streams.find(({ kind }) => kind === 'video')?.keyframes).toBeGreaterThan(0);
    const { reason } = await untilState('live/show', 'srt', 'retrying');
    expect(reason?.code).toMatch(/targets\.(peer-closed|connect)/);
    expect((await api('DELETE', '/streams/live/show/targets/srt')).status).toBe(204);
  });

  it('on and on when the receiver is killed and comes back', async () => {
    const port = await freePort();
    const mortal = await startReceiver(port);
    await addTo('live/show', { name: 'mortal', url: `rtmp://127.0.0.1:${port}/live/again?key=${KEY}` });
    await addTo('live/show', { name: 'mortal-whip', url: `${mortal.httpUrl}/live/again-by-whip/whip`, token: KEY });
    await Promise.all([flows(mortal, 'live/again'), flows(mortal, 'live/again-by-whip')]);
    process.kill(mortal.pid, 'SIGKILL');
    const broken = await untilState('live/show', 'mortal', 'retrying');
    expect(broken.reason?.code).toMatch(/targets\.(peer-closed|connect)/);
    await untilState('live/show', 'mortal-whip', 'retrying');
    await api('DELETE', '/streams/live/show/targets/mortal-whip');
    await mortal.close();
    const reborn = await startReceiver(port);
    await flows(reborn, 'live/again');
    expect((await untilState('live/show', 'mortal', 'sending')).retries).toBeGreaterThan(0);
    await api('DELETE', '/streams/live/show/targets/mortal');
    // A goodbye ends the stream at once; a broken connection would be held.
    await vi.waitFor(() => expect(received(reborn, 'live/again')).rejects.toThrow(), { timeout: 5000, interval: 50 });
    expect(await reborn.close()).toBe(0);
  });

  it('over RTMPS to a certificate of their own only when it is configured', async () => {
    const url = `rtmps://127.0.0.1:${rtmpsPort}/live/secret?key=${KEY}`;
    await addTo('live/show', { name: 'rtmps', url });
    const doubtful = await untilState('live/show', 'rtmps', 'retrying');
    expect(doubtful.reason?.code).toBe('targets.certificate');
    const trusting = await startSender(
      'trusting',
      `targets: { allowedNetworks: [127.0.0.1], tlsCaFile: cert.pem }
apps: { live: { targets: [{ name: rtmps, url: '${url}' }] } }
`,
    );
    await addTo('live/show', { name: 'relay', url: `${trusting.rtmpUrl}/live/show` });
    expect(await flows(receiver, 'live/secret')).toEqual(['aac', 'h264']);
    expect(await trusting.close()).toBe(0);
  });
});

describe('a target is not pushed to', () => {
  it('with a wrong key, and its own words say so', async () => {
    await addTo('live/show', { name: 'wrong', url: `rtmp://127.0.0.1:${receiver.rtmpPort}/live/wrong?key=not-the-key` });
    const { reason } = await untilState('live/show', 'wrong', 'retrying');
    expect(reason).toEqual({ code: 'targets.peer-refused', message: 'NetStream.Publish.Denied: the stream key is wrong' });
  });

  it.each([
    ['private', 'rtmp://10.0.0.1/live/key-of-mine'],
    ['metadata', 'https://169.254.169.254/whip'],
    ['link-local', 'srt://169.254.1.1:9000'],
    ['loopback6', 'rtmp://[::1]/live/key-of-mine'],
  ])('in a network that is not allowed: %s', async (name, url) => {
    await addTo('live/show', { name, url });
    expect((await untilState('live/show', name, 'refused')).reason?.code).toBe('targets.address');
  });

  it('with a URL that makes no sense', async () => {
    const codes = await Promise.all(
      ['file:///etc/passwd', 'rtmp://127.0.0.1/only-app', 'srt://127.0.0.1:1?mode=listener', 'rtmp://127.0.0.1/{other}/x'].map(
        async (url, index) => {
          const { status, json } = await addTo('live/show', { name: `bad${index}`, url });
          return [status, (json as { code: string }).code];
        },
      ),
    );
    expect(codes).toEqual(codes.map(() => [400, 'targets.url']));
    expect((await addTo('live/show', { name: 'copy', url: 'rtmp://127.0.0.1/a/b' })).status).toBe(409);
    expect((await addTo('live/nothing', { name: 'x', url: 'rtmp://127.0.0.1/a/b' })).status).toBe(404);
    expect((await api('DELETE', '/streams/live/show/targets/none')).status).toBe(404);
  });

  it('with codecs that its protocol does not carry', async () => {
    const vp9 = await publish({ url: `${sender.rtmpUrl}/plain/vp9`, videoCodec: 'vp9', audioCodec: 'aac' });
    await addTo('plain/vp9', { name: 'srt', url: 'srt://127.0.0.1:9' });
    await addTo('plain/vp9', { name: 'whip', url: `${receiver.httpUrl}/live/x/whip` });
    await addTo('plain/vp9', { name: 'enhanced', url: `rtmp://127.0.0.1:${receiver.rtmpPort}/live/vp9?key=${KEY}` });
    const [srt, whip] = await Promise.all([untilState('plain/vp9', 'srt', 'refused'), untilState('plain/vp9', 'whip', 'refused')]);
    expect([srt.reason?.code, whip.reason?.code]).toEqual(['targets.codec', 'targets.video']);
    expect(await flows(receiver, 'live/vp9')).toEqual(['aac', 'vp9']);
    await vp9.close();
    await vi.waitFor(() => expect(received(receiver, 'live/vp9')).rejects.toThrow(), { timeout: 5000, interval: 50 });
  });
});
