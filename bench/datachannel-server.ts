// A WHEP server made of node-datachannel, for comparison: sends 2.5 Mbit/s of 1,200-byte RTP packets to all who play, as frames of 30 a second.
// Prints its port. GET /sent tells what it has sent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PeerConnection, type Track, Video } from 'node-datachannel';

const FRAME_MS = 1000 / 30;
const PACKETS_PER_SECOND = 2_500_000 / 8 / 1200;
// SRTP's tag makes 1,200 of it.
const PACKET_BYTES = 1190;
const PAYLOAD_TYPE = 102;
const SSRC = 0x1234_5678;

const tracks = new Set<Track>();
const peers = new Set<PeerConnection>();
const packet = Buffer.alloc(PACKET_BYTES, 0x41);
packet.set([0x80, PAYLOAD_TYPE]);
packet.writeUInt32BE(SSRC, 8);
let sequenceNumber = 0;
let sentPackets = 0;
let sentBytes = 0;
let owed = 0;
let frames = 0;
const startMs = performance.now();

function sendFrame(): void {
  owed += PACKETS_PER_SECOND * (FRAME_MS / 1000);
  packet.writeUInt32BE(Math.round(frames * FRAME_MS * 90) >>> 0, 4);
  for (; owed >= 1; owed--) {
    packet[1] = PAYLOAD_TYPE | (owed < 2 ? 0x80 : 0);
    packet.writeUInt16BE(sequenceNumber++ & 0xffff, 2);
    for (const track of tracks) {
      if (!track.isOpen() || !track.sendMessageBinary(packet)) continue;
      sentPackets++;
      sentBytes += PACKET_BYTES + 10;
    }
  }
}

setInterval(() => {
  for (; frames * FRAME_MS <= performance.now() - startMs; frames++) sendFrame();
}, 5);

function answer(offer: string, response: ServerResponse): void {
  const peer = new PeerConnection('viewer', { iceServers: [], bindAddress: '127.0.0.1', disableAutoNegotiation: true });
  peers.add(peer);
  peer.onGatheringStateChange((state) => {
    if (state !== 'complete') return;
    response.writeHead(201, { 'content-type': 'application/sdp', location: '/session' }).end(peer.localDescription()?.sdp ?? '');
  });
  const video = new Video(/a=mid:(\S+)/.exec(offer.slice(offer.indexOf('m=video')))?.[1] ?? 'video', 'SendOnly');
  video.addH264Codec(PAYLOAD_TYPE);
  video.addSSRC(SSRC, 'bench', 'bench', 'video');
  const track = peer.addTrack(video);
  track.onOpen(() => tracks.add(track));
  track.onClosed(() => tracks.delete(track));
  peer.setRemoteDescription(offer, 'offer');
  peer.setLocalDescription('answer');
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/sent') {
    response.end(JSON.stringify({ packets: sentPackets, bytes: sentBytes }));
    return;
  }
  let offer = '';
  for await (const piece of request.setEncoding('utf8')) offer += piece;
  if (request.method === 'POST') answer(offer, response);
  else response.writeHead(200).end();
}

const server = createServer((request, response) => void handle(request, response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.once('SIGTERM', () => process.exit(0));
