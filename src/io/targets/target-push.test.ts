import { createServer, type Server, type Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { mediaTime, monotonicMs, sizeBytes, streamRef, wallMs } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Hub, LiveStream, Publication } from '../../hub/mod.ts';
import { aacSamples, h264Main } from '../../media/codecs/samples.fixture.ts';
import { audioTrack, videoTrack } from '../../media/mod.ts';
import { defaultRtmpServerOptions, RtmpServerSession } from '../../protocols/rtmp/mod.ts';
import { parseTargetUrl } from '../../targets/mod.ts';
import { nodeRtmpCrypto } from '../rtmp/mod.ts';
import { TargetPush } from './target-push.ts';

const WAIT = { timeout: 5000, interval: 5 };
const FRAME_BYTES = 100_000;
const QUEUE_BYTES_MAX = 1_000_000;
const ref = streamRef('live', 'show');
const picture = videoTrack(1, 'h264', h264Main.config);
const sound = audioTrack(2, 'aac', aacSamples.stereo);

/** The time of everything here, which goes on when it is told to. */
let nowMs = 0;
const clock = { monotonic: () => monotonicMs(nowMs), wall: () => wallMs(1_700_000_000_000 + nowMs) };

/** An RTMP server that can stop reading. */
class Receiver {
  readonly sockets: Socket[] = [];
  messages = 0;
  goodbyes = 0;
  private readonly server: Server = createServer((socket) => this.accept(socket));

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as { port: number }).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private accept(socket: Socket): void {
    this.sockets.push(socket);
    const session: RtmpServerSession = new RtmpServerSession(
      {
        send: (bytes) => void socket.write(bytes),
        publishRequested: () => session.acceptPublish(),
        playRequested: () => undefined,
        media: () => {
          this.messages++;
        },
        publishEnded: () => {
          this.goodbyes++;
        },
        playEnded: () => undefined,
        closed: () => undefined,
      },
      defaultRtmpServerOptions,
      nodeRtmpCrypto,
      clock.monotonic(),
    );
    socket.on('data', (bytes: Buffer) => session.receive(Uint8Array.from(bytes), clock.monotonic()));
    socket.on('error', () => undefined);
  }
}

let receiver: Receiver;
let hub: Hub;
let publication: Publication;
let push: TargetPush;
let frames = 0;

/** The next picture of 40 ms, with its sound; each tenth is a keyframe. */
function write(to = publication): void {
  const at = (timescale: number) => mediaTime((frames * timescale) / 25);
  const isKeyframe = frames % 10 === 0;
  for (const track of [picture, sound]) {
    const dts = at(track.timescale);
    const payload = new Uint8Array(track === picture ? FRAME_BYTES : 10);
    to.write({ track, dts, pts: dts, isKeyframe: track === sound || isKeyframe, payload }, clock.monotonic(), clock.wall());
  }
  frames++;
}

function publish(): Publication {
  const publisher = { protocol: 'rtmp', address: '', agent: '' } as const;
  const result = hub.publish(ref, publisher, { evicted: () => undefined }, 'reject', clock.monotonic(), clock.wall());
  if (typeof result === 'string') throw new Error(result);
  return result;
}

const tick = (): void => push.tick(clock.monotonic());

/** Ticks until the target is in that state. */
const until = (state: string): Promise<void> =>
  vi.waitFor(() => {
    tick();
    expect(push.report.state).toBe(state);
  }, WAIT);

beforeEach(async () => {
  [nowMs, frames] = [0, 0];
  receiver = new Receiver();
  const port = await receiver.listen();
  hub = makeHub({ streamsMax: 2, gopCacheBytesMax: sizeBytes(16_000_000), tracksMax: 2 });
  publication = publish();
  const spec = {
    name: 'there',
    url: parseTargetUrl(`rtmp://127.0.0.1:${port}/live/a-secret-key`),
    token: '',
    rendition: 'source',
    origin: 'config',
  } as const;
  const policy = new UrlPolicy({ allowedNetworks: ['127.0.0.1'], allowedFolders: [] });
  const context = { policy, trusted: [], queueBytesMax: QUEUE_BYTES_MAX, clock, log: pino({ level: 'silent' }), random: () => 0.5 };
  push = new TargetPush(hub.stream(ref.path) as LiveStream, spec, context, false);
});

afterEach(async () => {
  await push.stop();
  receiver.close();
});

describe('a stream on its way to a target', () => {
  it('waits for frames, and begins with the last keyframe', async () => {
    tick();
    expect(push.report.state).toBe('waiting');
    for (let count = 0; count < 13; count++) write();
    await until('sending');
    // Metadata, the configurations, and the frames since the keyframe.
    await vi.waitFor(() => expect(receiver.messages).toBe(3 + 2 * 3), WAIT);
  });

  it('loses frames up to a keyframe when the target is slow, and is cut when it takes nothing', async () => {
    write();
    await until('sending');
    await vi.waitFor(() => expect(receiver.messages).toBe(3 + 2), WAIT);
    receiver.sockets[0]?.pause();
    await vi.waitFor(() => {
      write();
      expect(push.report.framesDropped).toBeGreaterThan(20);
    }, WAIT);
    const { bytesSent } = push.report;
    tick();
    nowMs += 9_000;
    tick();
    expect([push.report.state, push.report.bytesSent]).toEqual(['sending', bytesSent]);
    nowMs += 2_000;
    tick();
    expect([push.report.state, push.report.reason?.code, push.report.retries]).toEqual(['retrying', 'targets.stalled', 1]);
    nowMs += 1_001;
    await until('sending');
    await vi.waitFor(() => {
      write();
      expect(receiver.messages).toBeGreaterThan(20);
    }, WAIT);
    expect(receiver.sockets.length).toBe(2);
  });

  it('keeps its connection while the publisher is away for a moment', async () => {
    write();
    await until('sending');
    publication.lost(clock.monotonic());
    nowMs += 14_000;
    tick();
    expect(push.report.state).toBe('sending');
    const next = publish();
    frames = 0;
    for (let count = 0; count < 5; count++) write(next);
    await vi.waitFor(() => expect(receiver.messages).toBeGreaterThan(3 + 2 + 8), WAIT);
    nowMs += 10_000;
    tick();
    expect([push.report.state, receiver.sockets.length]).toEqual(['sending', 1]);
  });

  it('says goodbye when the publisher stays away, and when the stream is over', async () => {
    write();
    await until('sending');
    publication.lost(clock.monotonic());
    tick();
    nowMs += 15_000;
    tick();
    expect(push.report.state).toBe('waiting');
    await vi.waitFor(() => expect(receiver.goodbyes).toBe(1), WAIT);
    publication = publish();
    frames = 0;
    write();
    await until('sending');
    await push.stop();
    await vi.waitFor(() => expect(receiver.goodbyes).toBe(2), WAIT);
    expect(push.report.state).toBe('stopped');
  });
});
