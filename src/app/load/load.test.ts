import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FlvScanner } from './flv-scanner.ts';
import { FlvViewer } from './flv-viewer.ts';
import { parsePlaylist } from './hls-playlist.ts';
import { HlsViewer } from './hls-viewer.ts';
import { HttpReader } from './http-reader.ts';
import { Playback } from './playback.ts';
import { RtmpScanner } from './rtmp-scanner.ts';
import { MESSAGE, message, ownChunkSize } from './rtmp-wire.ts';
import { readSentTime } from './sent-time.ts';
import { SyntheticStream } from './synthetic-stream.ts';

const stream = new SyntheticStream({ bitrateBps: 2_500_000, frameRate: 30, keyframeIntervalS: 2 });

/** RTMP messages of up to one chunk as FLV tags. */
function flvTag(rtmpMessage: Buffer): Buffer {
  const size = rtmpMessage.readUIntBE(4, 3);
  const head = Buffer.from([rtmpMessage[7] ?? 0, ...rtmpMessage.subarray(4, 7), ...rtmpMessage.subarray(1, 4), 0, 0, 0, 0]);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(11 + size);
  return Buffer.concat([head, rtmpMessage.subarray(12, 12 + size), tail]);
}
const FLV_HEADER = Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]);

const pieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));

describe('the FLV scanner', () => {
  it.each([1, 7, 100, 100_000])('finds each tag with its sent time, however it is cut (%i bytes)', (size) => {
    const file = Buffer.concat([
      FLV_HEADER,
      flvTag(stream.videoFrame(1, 1_700_000_000_123)),
      flvTag(stream.audioFrame(4)),
      flvTag(stream.videoFrame(2, 5)),
    ]);
    const seen: unknown[] = [];
    const scanner = new FlvScanner({ tag: (type, timestamp, head) => seen.push([type, timestamp, readSentTime(head, 16)]) });
    for (const piece of pieces(file, size)) scanner.receive(piece);
    expect(seen).toEqual([
      [9, 33, 1_700_000_000_123],
      [8, 85, undefined],
      [9, 67, 5],
    ]);
  });
});

describe('the RTMP scanner', () => {
  it.each([1, 11, 1000, 1_000_000])('reads messages of several chunks, however they are cut (%i bytes)', (size) => {
    const large = Buffer.alloc(150_000, 7);
    const wire = Buffer.concat([ownChunkSize(), stream.videoFrame(0, 42), message(5, MESSAGE.video, 1, large, 99), stream.audioFrame(1)]);
    const seen: unknown[] = [];
    const scanner = new RtmpScanner({ message: (type, timestamp, head) => seen.push([type, timestamp, head[0], readSentTime(head, 5)]) });
    for (const piece of pieces(wire, size)) scanner.receive(piece);
    expect(seen).toEqual([
      [9, 0, 0x17, 42],
      [9, 99, 7, undefined],
      [8, 21, 0xaf, undefined],
    ]);
  });
});

describe('the HTTP reader', () => {
  it.each([1, 5, 1000])('reads one response after the other, with a length and chunked (%i bytes at once)', (size) => {
    const wire = Buffer.from(
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nHTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n',
    );
    const seen: string[] = [];
    let body = '';
    const reader = new HttpReader({
      head: (status) => seen.push(String(status)),
      body: (bytes) => {
        body += bytes.toString();
      },
      end: () => {
        seen.push(body);
        body = '';
      },
    });
    for (const piece of pieces(wire, size)) reader.receive(piece);
    expect(seen).toEqual(['200', 'hello', '404', 'abcde', '204', '']);
  });
});

describe('the playback model', () => {
  it('counts a stall once when media falls more than a second behind, and missing frames', () => {
    const playback = new Playback();
    for (let index = 0; index < 60; index++) playback.frame(index * 40, 1000 + index * 40);
    playback.frame(60 * 40, 1000 + 60 * 40 + 1500);
    playback.frame(64 * 40, 1000 + 64 * 40 + 1500);
    expect([playback.stalls, playback.lostFrames]).toEqual([1, 3]);
  });

  it('notices a stream that has gone silent', () => {
    const playback = new Playback();
    playback.frame(0, 0);
    playback.tick(900);
    expect(playback.stalls).toBe(0);
    playback.tick(1100);
    playback.tick(2100);
    expect(playback.stalls).toBe(1);
  });
});

const servers: Array<Server | TcpServer> = [];
const sockets = new Set<Socket>();
async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

describe('the FLV viewer', () => {
  it('joins, counts bytes and reports why it ended', async () => {
    const port = await listen(
      createHttpServer((_, response) => {
        response.write(FLV_HEADER);
        response.end(flvTag(stream.videoFrame(0, Date.now())));
      }),
    );
    const viewer = new FlvViewer(new URL(`http://127.0.0.1:${port}/live/x.flv`), true);
    await vi.waitFor(() => expect(viewer.record.error).toBe('the stream ended'));
    expect(viewer.record.firstKeyframeAtMs).toBeGreaterThan(0);
    expect(viewer.record.bytes).toBeGreaterThan(10_000);
  });

  it('reports a refusal and a port where nobody listens', async () => {
    const port = await listen(createHttpServer((_, response) => response.writeHead(404).end()));
    const refused = new FlvViewer(new URL(`http://127.0.0.1:${port}/live/x.flv`), false);
    await vi.waitFor(() => expect(refused.record.error).toBe('the server answered 404'));
    const tcp = createServer();
    const free = await listen(tcp);
    await new Promise((resolve) => {
      tcp.close(resolve);
    });
    const nobody = new FlvViewer(new URL(`http://127.0.0.1:${free}/live/x.flv`), false);
    await vi.waitFor(() => expect(nobody.record.error).toContain('ECONNREFUSED'));
  });
});

/** A playlist with segments 10 and 11 complete and `parts` of segment 12, each part half a second, four a segment. */
function livePlaylist(startMs: number, parts: number): string {
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:2', '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5'];
  lines.push('#EXT-X-PART-INF:PART-TARGET=0.5', '#EXT-X-MEDIA-SEQUENCE:10', '#EXT-X-MAP:URI="init.mp4"');
  for (let sequence = 10; sequence <= 12; sequence++) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs + (sequence - 10) * 2000).toISOString()}`);
    const count = sequence === 12 ? parts : 4;
    for (let part = 0; part < count; part++) {
      lines.push(`#EXT-X-PART:DURATION=0.5,URI="${sequence}.${part}.m4s"${part === 0 ? ',INDEPENDENT=YES' : ''}`);
    }
    if (sequence < 12) lines.push('#EXTINF:2.0,', `${sequence}.m4s`);
  }
  return lines.join('\n');
}

describe('the playlist reader', () => {
  it('places parts on the wall clock and says what comes next', () => {
    const playlist = parsePlaylist(livePlaylist(1_700_000_000_000, 2));
    expect(playlist.parts).toHaveLength(10);
    expect(playlist.parts[9]).toEqual({
      uri: '12.1.m4s',
      sequence: 12,
      part: 1,
      startMs: 1_700_000_004_500,
      durationMs: 500,
      isIndependent: false,
    });
    expect(playlist).toMatchObject({
      nextSequence: 12,
      nextPart: 2,
      canBlock: true,
      partHoldBackMs: 1500,
      initUri: 'init.mp4',
      isEnded: false,
    });
  });
});

describe('the HLS viewer', () => {
  it('starts behind the live edge, fetches each part once and blocks for the next', async () => {
    const asked: string[] = [];
    const startMs = Date.now() - 5000;
    const port = await listen(
      createHttpServer((request, response) => {
        const url = request.url ?? '';
        asked.push(url);
        const body = url.endsWith('/index.m3u8')
          ? '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsource/media.m3u8\n'
          : url.includes('_HLS_part=3')
            ? undefined
            : url.includes('.m3u8')
              ? livePlaylist(startMs, url.includes('_HLS_part=2') ? 3 : 2)
              : 'media';
        if (body !== undefined) response.writeHead(200, { 'Content-Length': body.length }).end(body);
      }),
    );
    const viewer = new HlsViewer(new URL(`http://127.0.0.1:${port}/live/x/index.m3u8`));
    await vi.waitFor(() => expect(asked.at(-1)).toContain('_HLS_msn=12&_HLS_part=3'));
    viewer.close();
    expect(asked.map((url) => url.replace('/live/x/', ''))).toEqual([
      'index.m3u8',
      'source/media.m3u8',
      'source/init.mp4',
      'source/11.0.m4s',
      'source/11.1.m4s',
      'source/11.2.m4s',
      'source/11.3.m4s',
      'source/12.0.m4s',
      'source/12.1.m4s',
      'source/media.m3u8?_HLS_msn=12&_HLS_part=2',
      'source/12.2.m4s',
      'source/media.m3u8?_HLS_msn=12&_HLS_part=3',
    ]);
    expect(viewer.record.latenciesMs.at(-1)).toBeGreaterThan(1000);
    expect(viewer.record.error).toBeUndefined();
  });
});
