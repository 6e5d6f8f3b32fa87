import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { localhostCertificate } from '../src/io/rtmp/localhost-certificate.fixture.ts';
import { chromiumRecvonly } from '../src/protocols/sdp/chromium-play-offer.fixture.ts';
import { chromiumSimulcast } from '../src/protocols/sdp/chromium-publish-offer.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { RtpPeer, type RtpPeerOptions } from './fixtures/rtp-peer.ts';
import { ServerProcess } from './fixtures/server-process.ts';
import { StunProbe } from './fixtures/stun-probe.ts';
import { ask, offer, patch, type WhipReply } from './fixtures/whip-client.ts';

const WAIT = { timeout: 15_000, interval: 20 };
/** RFC 7675: consent expires after 30 s. */
const SILENCE_PATIENCE_MS = 45_000;
const KEY = 'a-stream-key-of-the-test';

let server: ServerProcess;
/** With a certificate, and for publishers with a key alone. */
let tlsServer: ServerProcess;
let folder: string;
let publisher: FfmpegPublisher;
let silentViewer: RtpPeer;
const peers: RtpPeer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-whip-'));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, localhostCertificate.cert);
  writeFileSync(keyFile, localhostCertificate.key);
  const environment = {
    SLUICE_HTTP_TLS_CERT_FILE: certFile,
    SLUICE_HTTP_TLS_KEY_FILE: keyFile,
    SLUICE_APPS_LIVE_KEYS: KEY,
    SLUICE_APPS_LIVE_PUBLISH_FROM_LOOPBACK: 'false',
  };
  [server, tlsServer] = await Promise.all([
    ServerProcess.start({ environment: { SLUICE_LOG_LEVEL: 'debug' } }),
    ServerProcess.start({ environment }),
  ]);
  publisher = await publish({ url: `${server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'opus' });
  await vi.waitFor(async () => expect((await offer(endpoint('show', 'whep'), chromiumRecvonly)).status).toBe(201), WAIT);
  // It takes 30 s until it is missed: meanwhile the other tests run.
  silentViewer = await RtpPeer.play(endpoint('show', 'whep'));
  await vi.waitFor(() => expect(silentViewer.received.length).toBeGreaterThan(0), WAIT);
  silentViewer.mute();
});
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});
afterAll(async () => {
  silentViewer?.close();
  await publisher?.close();
  expect(await Promise.all([server?.close(), tlsServer?.close()])).toEqual([0, 0]);
  rmSync(folder, { recursive: true, force: true });
});

const endpoint = (name: string, kind: 'whip' | 'whep', of: ServerProcess = server): string =>
  `${of === tlsServer ? `https://127.0.0.1:${of.httpPort}` : of.httpUrl}/live/${name}/${kind}`;

/** A publisher of sound that is connected and heard. */
async function publishing(name: string, options: RtpPeerOptions = {}, of: ServerProcess = server): Promise<RtpPeer> {
  const peer = await RtpPeer.publish(endpoint(name, 'whip', of), options);
  peers.push(peer);
  await vi.waitFor(() => expect(peer.isConnected).toBe(true), WAIT);
  return peer;
}

/** A viewer that gets media. */
async function playing(name: string, options: RtpPeerOptions = {}, of: ServerProcess = server): Promise<RtpPeer> {
  // A publisher's stream can be played from its first frame on.
  const peer = await vi.waitFor(() => RtpPeer.play(endpoint(name, 'whep', of), options), WAIT);
  peers.push(peer);
  await vi.waitFor(() => expect(peer.received.length).toBeGreaterThan(10), WAIT);
  return peer;
}

/** The media sections of a description, each with its lines. */
const sectionsOf = (sdp: string): readonly (readonly string[])[] =>
  sdp
    .split(/^(?=m=)/m)
    .slice(1)
    .map((section) => section.trim().split('\r\n'));

const statusOf = async (session: string): Promise<number> => (await ask('GET', session)).status;
const ended = (session: string, timeout = WAIT.timeout): Promise<void> =>
  vi.waitFor(async () => expect(await statusOf(session)).toBe(404), { timeout, interval: 50 });
const endOf = (of: ServerProcess, stream: string): unknown =>
  of.log.findLast(({ stream: path, msg }) => path === `live/${stream}` && msg === 'WebRTC session ended')?.['code'];

async function answered(url: string, sdp: string): Promise<WhipReply> {
  const reply = await offer(url, sdp);
  expect({ status: reply.status, body: reply.status === 201 ? '' : reply.body }).toEqual({ status: 201, body: '' });
  return reply;
}

/** Both kinds of answers to Chromium's offers. */
async function bothAnswers(name: string): Promise<{ readonly whip: WhipReply; readonly whep: WhipReply }> {
  const whip = await answered(endpoint(name, 'whip'), chromiumSimulcast);
  const whep = await answered(endpoint('show', 'whep'), chromiumRecvonly);
  await Promise.all([whip, whep].map(({ session }) => ask('DELETE', session)));
  return { whip, whep };
}

describe('answers', () => {
  it('answers a WHIP offer with recvonly sections and a WHEP offer with sendonly ones', async () => {
    const { whip, whep } = await bothAnswers('directions');
    expect(sectionsOf(whip.body).map((lines) => lines.filter((line) => /^a=(send|recv|inactive)/.test(line)))).toEqual([
      ['a=recvonly'],
      ['a=recvonly'],
    ]);
    expect(sectionsOf(whep.body).map((lines) => lines.filter((line) => /^a=(send|recv|inactive)/.test(line)))).toEqual([
      ['a=sendonly'],
      ['a=sendonly'],
    ]);
    for (const { headers, session } of [whip, whep]) {
      expect(headers).toMatchObject({ 'content-type': 'application/sdp', etag: expect.stringMatching(/^"[^"]+"$/) });
      expect(session).toMatch(/\/live\/(directions\/whip|show\/whep)\/[^/]+$/);
    }
  });

  it('bundles all media on one transport, with rtcp-mux and rtcp-mux-only in each section', async () => {
    for (const { body } of Object.values(await bothAnswers('bundle'))) {
      const sections = sectionsOf(body);
      expect(body).toContain('a=group:BUNDLE 0 1\r\n');
      expect(sections.map((lines) => lines.find((line) => line.startsWith('a=mid:')))).toEqual(['a=mid:0', 'a=mid:1']);
      for (const lines of sections) expect(lines).toEqual(expect.arrayContaining(['a=rtcp-mux', 'a=rtcp-mux-only']));
      for (const name of ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:']) {
        expect(new Set(sections.map((lines) => lines.find((line) => line.startsWith(name)))).size).toBe(1);
      }
    }
  });

  it('has all candidates of the server in the answer', async () => {
    for (const { body } of Object.values(await bothAnswers('candidates'))) {
      const candidates = body.match(/^a=candidate:.*$/gm) ?? [];
      const { webrtcPort } = server;
      expect(candidates.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
        expect.stringMatching(new RegExp(`^1 udp \\d+ 127\\.0\\.0\\.1 ${webrtcPort} typ host$`)),
        expect.stringMatching(new RegExp(`^1 tcp \\d+ 127\\.0\\.0\\.1 ${webrtcPort} typ host tcptype passive$`)),
      ]);
      expect(body).toContain('a=end-of-candidates\r\n');
      expect(body).toContain('a=ice-lite\r\n');
    }
  });

  it('names one MediaStream in all sections of a WHEP answer', async () => {
    const { whep } = await bothAnswers('msid');
    const msids = sectionsOf(whep.body).map((lines) =>
      lines.filter((line) => line.startsWith('a=msid:')).map((line) => line.split(/[: ]/)),
    );
    expect(msids.map((lines) => lines.length)).toEqual([1, 1]);
    const [[first] = [], [second] = []] = msids;
    expect(first?.[1]).toMatch(/./);
    expect(first?.[1]).toBe(second?.[1]);
    expect(first?.[2]).not.toBe(second?.[2]);
  });

  it('answers simulcast with the rids that it takes', async () => {
    const { whip } = await bothAnswers('simulcast');
    const video = sectionsOf(whip.body).find((lines) => lines[0]?.startsWith('m=video')) ?? [];
    expect(video.filter((line) => /^a=(rid|simulcast):/.test(line))).toEqual([
      'a=rid:h recv',
      'a=rid:m recv',
      'a=rid:l recv',
      'a=simulcast:recv h;m;l',
    ]);
    expect(video.some((line) => /^a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id$/.test(line))).toBe(true);
  });
});

describe('offers that cannot be used', () => {
  it('refuses a WHIP offer with two tracks of one kind with 422', async () => {
    const second = chromiumSimulcast.slice(chromiumSimulcast.indexOf('m=video')).replace('a=mid:1', 'a=mid:2');
    const reply = await offer(endpoint('two', 'whip'), chromiumSimulcast.replace('BUNDLE 0 1', 'BUNDLE 0 1 2') + second);
    expect({ status: reply.status, code: reply.code }).toEqual({ status: 422, code: 'sdp.surplus-track' });
    expect((await fetch(`${server.httpUrl}/api/v1/streams/live/two`)).status).toBe(404);
  });

  it('refuses a malformed offer with 400 and one without a common codec with 422', async () => {
    const [noSdp, halfSdp] = ['hello', chromiumSimulcast.replace('m=audio 9 ', 'm=audio nine ')];
    const oldCodecs = chromiumSimulcast.replaceAll(/ (opus|H264|VP8|VP9|AV1|H265)\//g, ' X-OLD/');
    for (const kind of ['whip', 'whep'] as const) {
      for (const sdp of [noSdp, halfSdp]) {
        const reply = await offer(endpoint('show', kind), sdp);
        expect({ status: reply.status, code: reply.code }).toEqual({ status: 400, code: 'sdp.bad' });
      }
    }
    const unusable = await offer(endpoint('old', 'whip'), oldCodecs);
    expect({ status: unusable.status, code: unusable.code }).toEqual({ status: 422, code: 'sdp.no-usable-codec' });
    expect(JSON.parse(unusable.body).detail).toContain('X-OLD');
    // Half of a publisher's tracks would be no use to it.
    expect((await offer(endpoint('old', 'whip'), chromiumSimulcast.replace(' opus/', ' X-OLD/'))).status).toBe(422);
    expect((await offer(endpoint('show', 'whep'), chromiumRecvonly.replaceAll(/ (opus|H264)\//g, ' X-OLD/'))).status).toBe(422);
  });
});

describe('the end of a session', () => {
  it('ends a session whose client closes DTLS', async () => {
    const source = await publishing('close-dtls');
    const viewer = await playing('close-dtls');
    viewer.closeDtls();
    await ended(viewer.session);
    expect(endOf(server, 'close-dtls')).toBe('webrtc.peer-closed');
    source.closeDtls();
    await ended(source.session);
    expect(endOf(server, 'close-dtls')).toBe('webrtc.peer-closed');
    // Only DELETE says that the publisher means it: a page that is loaded anew closes DTLS, too.
    expect((await fetch(`${server.httpUrl}/api/v1/streams/live/close-dtls`)).status).toBe(200);
  });

  it('closes DTLS and answers no STUN any more after DELETE', async () => {
    const source = await publishing('deleted');
    const viewer = await playing('deleted');
    const probe = await StunProbe.open(server.webrtcPort);
    try {
      for (const peer of [viewer, source]) {
        const { credentials, session } = peer;
        expect((await ask('DELETE', session)).status).toBe(200);
        expect(await statusOf(session)).toBe(404);
        await vi.waitFor(() => expect(peer.closed).toBe('close-notify'), WAIT);
        // Answers come in the order of the checks: one for a session that is there shows that the other got none.
        const before = probe.answers;
        probe.send(credentials);
        await probe.check((await bystander()).credentials);
        expect(probe.answers).toBe(before + 1);
      }
      expect((await fetch(`${server.httpUrl}/api/v1/streams/live/deleted`)).status).toBe(404);
    } finally {
      probe.close();
    }
  });

  it('ends a session whose client falls silent', async () => {
    const source = await publishing('silent');
    await playing('silent');
    source.mute();
    await ended(source.session);
    expect(endOf(server, 'silent')).toBe('webrtc.media-silent');
    // The viewer of another stream has said nothing since the beginning, and is sent to as long as it may be.
    await ended(silentViewer.session, SILENCE_PATIENCE_MS);
    expect(endOf(server, 'show')).toBe('webrtc.consent-lost');
  }, 90_000);
});

/** A viewer that only is there. */
async function bystander(): Promise<RtpPeer> {
  const peer = await RtpPeer.play(endpoint('show', 'whep'));
  peers.push(peer);
  await vi.waitFor(() => expect(peer.isConnected).toBe(true), WAIT);
  return peer;
}

describe('trickled candidates and ICE restarts', () => {
  it('discards candidates that it cannot use and takes the rest', async () => {
    const viewer = await RtpPeer.play(endpoint('show', 'whep'));
    peers.push(viewer);
    const { local } = viewer.credentials;
    const fragment = [
      `a=ice-ufrag:${local.ufrag}`,
      `a=ice-pwd:${local.pwd}`,
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      'a=mid:0',
      'a=candidate:1 1 udp 2113937151 8f2a0a3c-1111-4222-8333-444455556666.local 54321 typ host',
      'a=candidate:2 1 sctp 2113937151 192.0.2.1 54321 typ host',
      'a=candidate:3 1 udp 2113937151 999.0.2.1 54321 typ host',
      'a=candidate:4 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
      'a=candidate:5 1 udp 2113937151 127.0.0.1 54321 typ host',
      'a=end-of-candidates',
    ];
    const reply = await patch(viewer.session, String(viewer.reply?.headers.etag), `${fragment.join('\r\n')}\r\n`);
    expect({ status: reply.status, body: reply.body, etag: reply.headers.etag }).toEqual({ status: 204, body: '', etag: undefined });
    await vi.waitFor(() => expect(viewer.received.length).toBeGreaterThan(10), WAIT);
  });

  it('keeps DTLS and media over an ICE restart', async () => {
    const source = await publishing('restart');
    const viewer = await playing('restart');
    for (const peer of [viewer, source]) {
      const restart = await peer.restart();
      expect(restart.reply.status).toBe(200);
      expect(restart.reply.headers.etag).not.toBe(peer.reply?.headers.etag);
      expect(restart.remote).not.toEqual(peer.remote);
      peer.check(restart);
      await vi.waitFor(() => expect(peer.hasPath).toBe(true), WAIT);
    }
    const before = viewer.received.length;
    await vi.waitFor(() => expect(viewer.received.length).toBeGreaterThan(before + 50), WAIT);
    expect([viewer.handshakes, viewer.closed, source.handshakes, source.closed]).toEqual([1, undefined, 1, undefined]);
    // One source, whose packets go on without a gap.
    expect(new Set(viewer.received.map(({ ssrc }) => ssrc)).size).toBe(1);
    const first = viewer.received[0]?.sequenceNumber ?? 0;
    expect(viewer.received.map(({ sequenceNumber }) => (sequenceNumber - first) & 0xffff)).toEqual(
      viewer.received.map((_, index) => index),
    );
  });

  it('repeats ice-lite and ice-options of the answer in the fragment of an ICE restart', async () => {
    const viewer = await playing('show');
    const { reply } = await viewer.restart();
    expect({ status: reply.status, type: reply.headers['content-type'] }).toEqual({
      status: 200,
      type: 'application/trickle-ice-sdpfrag',
    });
    const of = (text: string, name: string): string[] => [...new Set(text.match(new RegExp(`^a=${name}.*$`, 'gm')) ?? [])].sort();
    for (const name of ['ice-lite', 'ice-options:', 'ice-pacing:', 'candidate:']) {
      expect(of(reply.body, name), name).toEqual(of(viewer.reply?.body ?? '', name));
    }
    expect(of(reply.body, 'ice-lite')).toHaveLength(1);
    expect(of(reply.body, 'ice-ufrag:')).not.toEqual(of(viewer.reply?.body ?? '', 'ice-ufrag:'));
  });

  it('forgets the candidates of before an ICE restart', async () => {
    const viewer = await playing('show');
    const before = viewer.credentials;
    const probe = await StunProbe.open(server.webrtcPort);
    try {
      const restart = await viewer.restart();
      // The client is somewhere else now: it checks from another socket, and its media follows.
      await probe.check(restart);
      await vi.waitFor(() => expect(probe.others).toBeGreaterThan(20), WAIT);
      const [atOldPlace, answers, others] = [viewer.received.length, probe.answers, probe.others];
      await vi.waitFor(() => expect(probe.others).toBeGreaterThan(others + 40), WAIT);
      expect(viewer.received.length).toBe(atOldPlace);
      // What was agreed on before opens nothing any more.
      probe.send(before);
      await probe.check(restart);
      expect(probe.answers).toBe(answers + 1);
    } finally {
      probe.close();
    }
  });
});

describe('access', () => {
  const ca = localhostCertificate.cert;

  it('publishes and plays over HTTPS', async () => {
    const source = await publishing('secure', { ca, token: KEY }, tlsServer);
    expect(source.session).toMatch(/^https:/);
    const viewer = await playing('secure', { ca }, tlsServer);
    expect(viewer.received[0]?.payload).toEqual(Uint8Array.of(0xf8, 0xff, 0xfe));
    for (const { session } of [viewer, source]) expect((await ask('DELETE', session, { ca })).status).toBe(200);
  });

  it('lets a publisher in by bearer token and nobody by a wrong one', async () => {
    const url = endpoint('guarded', 'whip', tlsServer);
    const refusal = async (headers: Record<string, string>): Promise<unknown> => {
      const reply = await offer(url, chromiumSimulcast, { ca, headers });
      return [reply.status, reply.code, reply.headers['www-authenticate']?.split(' ')[0]];
    };
    expect(await refusal({})).toEqual([401, 'whip.credential-missing', 'Bearer']);
    expect(await refusal({ authorization: 'Bearer not-the-key' })).toEqual([401, 'whip.credential-wrong', 'Bearer']);
    expect(await refusal({ authorization: `Basic ${btoa(`live:${KEY}`)}` })).toEqual([401, expect.stringMatching(/^whip\./), 'Bearer']);
    expect((await RtpPeer.publish(url, { ca, token: KEY.slice(0, -1) }).catch((error: Error) => error.message)).toString()).toMatch(/^401/);
    await publishing('guarded', { ca, token: KEY }, tlsServer);
    await playing('guarded', { ca }, tlsServer);
  });
});
