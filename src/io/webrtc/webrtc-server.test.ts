import { connect as connectTcp } from 'node:net';
import pino from 'pino';
import { afterEach, expect, test } from 'vitest';
import { AdmittedSessions } from '../../access/mod.ts';
import { streamRef } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Hub, Publication } from '../../hub/mod.ts';
import type { AudioTrack } from '../../media/mod.ts';
import { audioTrack, sourceFrame } from '../../media/source-frames.fixture.ts';
import { createIceCredentials, frameForTcp, IceClient, isStun, parseCandidate, TcpFrameReader } from '../../protocols/ice/mod.ts';
import { offerPlay, readAnswer } from '../../protocols/sdp/mod.ts';
import { AppBytes } from '../app-bytes.ts';
import { systemClock } from '../clock.ts';
import { Peer, until } from './kernel.fixture.ts';
import { Kernel } from './kernel.ts';
import { nodeIceCrypto } from './node-ice-crypto.ts';
import { WebrtcServer } from './webrtc-server.ts';

const HOST = '127.0.0.1';
const show = streamRef('live', 'show');
const sound: AudioTrack = {
  kind: 'audio',
  id: 1,
  codec: 'opus',
  timescale: 48_000,
  config: Uint8Array.of(0, 2, 0, 0, 0, 0, 0xbb, 0x80, 0, 0, 0),
  codecString: 'opus',
  sampleRate: 48_000,
  channels: 2,
};
/** Packet type of RTCP BYE (RFC 3550 section 6.6). */
const BYE = 203;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function listening(hub: Hub, admitted?: AdmittedSessions): Promise<WebrtcServer> {
  const server = new WebrtcServer(
    { Kernel },
    {
      host: HOST,
      port: 0,
      tcp: true,
      publicAddresses: [],
      sessionsMax: 10,
      sessionsPerAddressMax: 10,
      keyframeIntervalMs: 0,
      segmentationOffload: 'off',
      hub,
      ...(admitted === undefined ? {} : { admitted }),
      secondPublisher: () => 'reject',
      clock: systemClock,
      log: pino({ level: 'silent' }),
    },
  );
  open.push(server);
  await server.listen();
  return server;
}

/** Plays `show` over ICE-TCP alone: the peer that hears it, its DTLS session and the server's session. */
function playByTcp(server: WebrtcServer): { readonly peer: Peer; readonly key: number; readonly id: string } {
  const peer = new Peer();
  const { kernel } = peer;
  const local = createIceCredentials(nodeIceCrypto);
  const offer = offerPlay({ transport: { ice: local, fingerprint: kernel.fingerprint, candidates: [], sessionId: '1' } });
  const id = '0'.repeat(32);
  const answer = server.create({ kind: 'play', ref: show, id, sdp: offer.text, credential: {}, address: HOST, agent: 'test' });
  if ('refused' in answer) throw new Error(JSON.stringify(answer));
  const { dtlsRole, fingerprints, ice, candidates } = readAnswer(offer.session, answer.sdp).transport;
  const key = kernel.addSession({ socket: peer.socket, role: dtlsRole, peerFingerprint: fingerprints[0], deliver: 'packets' });
  const socket = connectTcp(server.port, HOST);
  const send = (bytes: Uint8Array): void => void socket.write(frameForTcp(bytes));
  const connected = (): void => {
    kernel.selectTcp(key);
    kernel.startDtls(key);
  };
  const now = systemClock.monotonic();
  const checks = new IceClient(
    { send: (_candidate, bytes) => send(bytes), connected, failed: () => undefined },
    nodeIceCrypto,
    { local, remote: ice },
    now,
  );
  for (const candidate of candidates.map(parseCandidate)) if (candidate?.protocol === 'tcp') checks.addRemoteCandidate(candidate);
  checks.tick(now);
  peer.onDatagram = (_, bytes) => send(bytes);
  const reader = new TcpFrameReader();
  const take = (bytes: Uint8Array): void => {
    if (isStun(bytes)) checks.receive('tcp', { ip: HOST, port: server.port }, bytes, systemClock.monotonic());
    else kernel.receiveDatagram(key, bytes);
  };
  socket.on('data', (bytes) => reader.receive(bytes, take));
  open.push(kernel, { close: () => socket.destroy() });
  return { peer, key, id };
}

/** The packet types of a compound RTCP packet. */
function typesOf(compound: Uint8Array): number[] {
  const view = new DataView(compound.buffer, compound.byteOffset, compound.byteLength);
  const types: number[] = [];
  for (let at = 0; at < view.byteLength; at += 4 + 4 * view.getUint16(at + 2)) types.push(view.getUint8(at + 1));
  return types;
}

/** A hub with the stream `show`, which goes on as long as `publish` is called. */
async function published(
  track = sound,
): Promise<{ readonly hub: Hub; readonly publication: Publication; readonly publish: () => boolean }> {
  const hub = makeHub();
  const listener = { evicted: () => undefined, keyframeWanted: () => undefined };
  const publisher = { protocol: 'webrtc', address: HOST, agent: 'test' } as const;
  const publication = hub.publish(show, publisher, listener, 'reject', systemClock.monotonic(), systemClock.wall()) as Publication;
  let sentMs = 0;
  const publish = (): boolean => {
    publication.write(sourceFrame(track, sentMs, true), systemClock.monotonic(), systemClock.wall());
    sentMs += 20;
    return true;
  };
  await until(() => publish() && publication.stream.tracks.length > 0, [], 'a stream that can be played');
  return { hub, publication, publish };
}

test('a viewer over TCP hears RTCP BYE and close_notify when its session ends', async () => {
  const { hub, publish } = await published();
  const server = await listening(hub);
  const { peer, key, id } = playByTcp(server);
  await until(() => publish() && peer.rtp.length > 0, [peer], 'media over TCP');
  server.find(id)?.remove();
  await until(() => peer.closed.get(key) === 'close-notify', [peer], 'close_notify');
  expect(peer.rtcp.flatMap(typesOf)).toContain(BYE);
});

test('a session ends with the token that let it in, and what it was sent is counted for its app', async () => {
  const { hub, publish } = await published();
  const admitted = new AdmittedSessions(() => false);
  const server = await listening(hub, admitted);
  const { peer, key, id } = playByTcp(server);
  server.letIn(id, 'token.a');
  await until(() => publish() && peer.rtp.length > 0, [peer], 'media over TCP');
  const sentBytes = (): number => {
    const sent = new AppBytes();
    server.addBytesSent(sent);
    return sent.of('live');
  };
  const before = sentBytes();
  expect(before).toBeGreaterThan(0);
  expect([admitted.end('token.b'), admitted.end('token.a')]).toEqual([0, 1]);
  await until(() => peer.closed.get(key) === 'close-notify', [peer], 'close_notify');
  expect(server.stats().endedByCode.get('webrtc.access-withdrawn')).toBe(1);
  expect(sentBytes()).toBeGreaterThanOrEqual(before);
});

test('a viewer of a rendition is told that the stream is over, and not that it has changed', async () => {
  const { hub, publication } = await published(audioTrack);
  const { codec, codecString } = sound;
  const opus = { name: 'opus', kind: 'audio', expected: { codec, codecString, bitrateBps: 64_000 } } as const;
  const made = hub.rendition(show.path, opus, {}, systemClock.monotonic());
  const server = await listening(hub);
  playByTcp(server);
  expect(publication.stream.renditions.get('opus')?.isWatched).toBe(true);
  // Its maker may be quicker than the viewer.
  publication.stream.attach({ tracks: () => undefined, frame: () => undefined, paused: () => undefined, ended: () => made?.end() });
  publication.finish(systemClock.monotonic());
  expect([...server.stats().endedByCode]).toEqual([['webrtc.stream-ended', 1]]);
});
