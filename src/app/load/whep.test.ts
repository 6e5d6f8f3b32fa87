import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServerProcess } from '../../../test/fixtures/server-process.ts';
import { SyntheticPublisher } from './publisher.ts';
import { rtmpTarget } from './rtmp-client.ts';
import { findSentTime, SENT_TIME_SIZE, writeSentTime } from './sent-time.ts';
import { SyntheticStream } from './synthetic-stream.ts';
import { newRecord, newWebrtcRecord, type ViewerRecord } from './viewer-record.ts';
import { summariseWebrtc, webrtcRows } from './webrtc-result.ts';
import { WhepFleet } from './whep-fleet.ts';
import { WhepHttp } from './whep-http.ts';
import { WhepViewer } from './whep-viewer.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An HTTP server that answers with what `answer` says. */
async function serve(
  answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string>; body?: string },
): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume();
    const { status, headers = {}, body = '' } = answer(request);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const waits = { timeout: 20_000, interval: 50 };

describe('WHEP signalling', () => {
  it.each([
    ['/session/1', '/session/1'],
    ['http://127.0.0.1:1/other', 'http://127.0.0.1:1/other'],
    [undefined, undefined],
  ])('takes a Location %s, any 2xx status and a bearer token', async (location, session) => {
    const asked: (string | undefined)[] = [];
    const url = await serve(({ headers }) => {
      asked.push(headers.authorization, headers['content-type']);
      return { status: 200, body: 'v=0\r\n', ...(location === undefined ? {} : { headers: { location } }) };
    });
    const http = new WhepHttp({ connections: 1, token: 'secret' });
    const answer = await http.offer(new URL('/whep', url), 'v=0');
    expect(answer).toEqual({ sdp: 'v=0\r\n', session: session === undefined ? undefined : new URL(session, url) });
    expect(asked).toEqual(['Bearer secret', 'application/sdp']);
    http.close();
  });

  it('follows redirects, a few', async () => {
    const url = await serve((request) =>
      request.url === '/b' ? { status: 201, body: 'v=0' } : { status: 307, headers: { location: request.url === '/a' ? '/b' : '/loop' } },
    );
    const http = new WhepHttp({ connections: 1 });
    expect(await http.offer(new URL('/a', url), 'v=0')).toMatchObject({ sdp: 'v=0' });
    await expect(http.offer(new URL('/loop', url), 'v=0')).rejects.toThrow('whep.refused: the server answered 307');
    http.close();
  });

  it('says what a server answered instead', async () => {
    const url = await serve(() => ({ status: 404, body: '{"title":"x","detail":"no such stream"}' }));
    const http = new WhepHttp({ connections: 1 });
    await expect(http.offer(new URL(url), 'v=0')).rejects.toThrow('whep.refused: the server answered 404: no such stream');
    await expect(http.offer(new URL('http://127.0.0.1:1/whep'), 'v=0')).rejects.toThrow(/whep.unreachable: .*ECONNREFUSED/);
    http.close();
  });
});

describe('a WHEP result', () => {
  const record = (webrtc: Partial<ReturnType<typeof newWebrtcRecord>>, more: Partial<ViewerRecord> = {}): ViewerRecord => ({
    ...newRecord(),
    startedAtMs: 1000,
    ...more,
    webrtc: { ...newWebrtcRecord(), ...webrtc },
  });

  it('adds up viewers and probes', () => {
    const probe = { frames: 198, repaired: 3, liveAtMs: 1500 };
    const result = summariseWebrtc(
      [
        record({
          connectedAtMs: 1050,
          firstVideoAtMs: 1060,
          firstAudioAtMs: 1070,
          packets: 990,
          lostPackets: 10,
          srtpProfile: 'AEAD_AES_128_GCM',
        }),
        record({ connectedAtMs: 1070, packets: 1000, keyframeRequests: 1, srtpProfile: 'AEAD_AES_128_GCM', probe }, { lostFrames: 2 }),
        record({}),
      ],
      512.4,
    );
    expect(result).toMatchObject({
      connected: 2,
      connectedMs: { p50: 70, max: 70 },
      firstVideoPacketMs: { p50: 60 },
      firstAudioPacketMs: { p50: 70 },
      liveMs: { p50: 500 },
      packetsPerSecond: 512,
      lostPackets: 10,
      lostPercent: 0.5,
      keyframeRequests: 1,
      srtpProfiles: { AEAD_AES_128_GCM: 2 },
      probes: 1,
      framesCompletePercent: 99,
      repairedPackets: 3,
    });
    expect(result && Object.fromEntries(webrtcRows(result))).toMatchObject({
      SRTP: '2 AEAD_AES_128_GCM',
      packets: '512 a second, 10 lost (0.5 %)',
    });
  });

  it('is none without WHEP viewers', () => {
    expect(summariseWebrtc([newRecord()], 0)).toBeUndefined();
  });
});

describe('the sent time', () => {
  it('is found behind parameter sets', () => {
    const unit = Buffer.alloc(4 + 5 + SENT_TIME_SIZE + 9);
    unit.writeUInt32BE(5, 0);
    writeSentTime(unit, 9, 1_700_000_000_123);
    expect(findSentTime(unit)).toBe(1_700_000_000_123);
    expect(findSentTime(Buffer.alloc(40))).toBeUndefined();
    expect(findSentTime(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('WHEP viewers', () => {
  it('play a published stream, picture and sound, and leave nothing behind', { timeout: 60_000 }, async () => {
    const server = await ServerProcess.start();
    cleanups.push(() => server.close());
    const stream = new SyntheticStream({ bitrateBps: 600_000, frameRate: 30, keyframeIntervalS: 2, audio: 'opus' });
    const publisher = new SyntheticPublisher(rtmpTarget(`${server.rtmpUrl}/live/show`), stream);
    const sending = setInterval(() => publisher.send(performance.now()), 5);
    cleanups.push(() => {
      clearInterval(sending);
      publisher.close();
    });
    const url = new URL('/live/show/whep', server.httpUrl);
    await vi.waitFor(async () => expect((await fetch(new URL('/live/show/index.m3u8', url))).status).toBe(200), waits);

    const fleet = new WhepFleet({ url, viewers: 4, joining: 2, nack: true });
    const viewers = [true, false, false, true].map((isProbe) => new WhepViewer(fleet, isProbe));
    const ticking = setInterval(() => {
      for (const viewer of viewers) viewer.tick(performance.now());
    }, 100);
    cleanups.push(() => clearInterval(ticking));
    await vi.waitFor(() => {
      for (const { record } of viewers) expect(record.webrtc?.packets).toBeGreaterThan(100);
      for (const { record } of viewers) expect(record.webrtc?.firstVideoAtMs).toBeGreaterThan(record.startedAtMs);
      for (const { record } of [viewers[0], viewers[3]] as WhepViewer[]) {
        expect(record.webrtc?.probe?.frames).toBeGreaterThan(60);
        expect(record.webrtc?.probe?.liveAtMs).toBeGreaterThan(record.firstKeyframeAtMs ?? Number.POSITIVE_INFINITY);
      }
    }, waits);
    const records = viewers.map(({ record }) => record);
    expect(records.map(({ error }) => error)).toEqual(Array.from({ length: 4 }));
    expect(records.every(({ webrtc }) => webrtc?.lostPackets === 0 && webrtc.keyframeRequests === 0)).toBe(true);
    for (const viewer of viewers) viewer.close();
    await fleet.close();
    const metrics = await (await fetch(new URL('/metrics', url))).text();
    expect(metrics).toMatch(/^sluice_webrtc_viewers 0$/m);
    expect(metrics).toMatch(/^sluice_webrtc_ended_total\{code="webrtc.deleted-by-client"\} 4$/m);
  });

  it('say why they could not join', async () => {
    const url = new URL(await serve(() => ({ status: 201, body: 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n' })));
    const fleet = new WhepFleet({ url, viewers: 1, joining: 1, nack: false });
    const viewers = [new WhepViewer(fleet, false), new WhepViewer(fleet, false)];
    await vi.waitFor(
      () => expect(viewers.map(({ record }) => record.error?.slice(0, 16))).toEqual(Array(2).fill('whep.bad-answer:')),
      waits,
    );
    await fleet.close();
  });
});
