import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createIceCredentials, isStun } from '../src/protocols/ice/mod.ts';
import { chromiumRecvonly } from '../src/protocols/sdp/chromium-play-offer.fixture.ts';
import { chromiumSimulcast } from '../src/protocols/sdp/chromium-publish-offer.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { iceCrypto, RtpPeer } from './fixtures/rtp-peer.ts';
import { ServerProcess } from './fixtures/server-process.ts';
import { checkOf } from './fixtures/stun-probe.ts';
import { ask, offer } from './fixtures/whip-client.ts';

const WAIT = { timeout: 20_000, interval: 50 };
/** RFC 8489: what a reply may have more than its request, before the peer has shown that it is there. */
const AMPLIFICATION_MAX = 1.2;
const DATAGRAMS = 300;
const UNKNOWN_UFRAGS = 3_000;
const MUTATIONS = 400;

let server: ServerProcess;
let publisher: FfmpegPublisher;
let viewer: RtpPeer;
/** A session whose client never comes. */
let abandoned: string;

const url = (name: string, kind: 'whip' | 'whep', of = server): string => `${of.httpUrl}/live/${name}/${kind}`;

beforeAll(async () => {
  server = await ServerProcess.start({ environment: { SLUICE_LOG_LEVEL: 'debug' } });
  publisher = await publish({ url: `${server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'opus' });
  viewer = await vi.waitFor(() => RtpPeer.play(url('show', 'whep')), WAIT);
  await vi.waitFor(() => expect(viewer.received.length).toBeGreaterThan(10), WAIT);
  abandoned = (await offer(url('abandoned', 'whip'), chromiumSimulcast)).session;
});
afterAll(async () => {
  viewer?.close();
  await publisher?.close();
  expect(server?.log.filter(({ code, level }) => String(code).endsWith('.internal') || Number(level) >= 50)).toEqual([]);
  expect(await server?.close()).toBe(0);
});

/** The same each time: what failed can be done again. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const random = seededRandom(1);
const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));

async function counters(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return new Map(Array.from(text.matchAll(/^(sluice_webrtc_\w+) (\d+)$/gm), ([, name = '', value]) => [name, Number(value)]));
}

/** The viewer gets everything, and goes on getting it. */
async function isUndisturbed(): Promise<void> {
  const before = viewer.received.length;
  await vi.waitFor(() => expect(viewer.received.length).toBeGreaterThan(before + 50), WAIT);
  expect(viewer.closed).toBeUndefined();
  for (const ssrc of new Set(viewer.received.map((packet) => packet.ssrc))) {
    const numbers = viewer.received.filter((packet) => packet.ssrc === ssrc).map(({ sequenceNumber }) => sequenceNumber);
    expect(numbers.every((number, index) => number === (((numbers[0] ?? 0) + index) & 0xffff))).toBe(true);
  }
}

/** Sends datagrams one after the other from sources of their own and keeps what comes back. */
class Attacker {
  private readonly sockets: Socket[] = [];
  readonly replies: { readonly bytes: Buffer; readonly requestLength: number }[] = [];

  async open(): Promise<void> {
    for (let source = 2; source < 10; source++) {
      const socket = createSocket('udp4');
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        // Each another machine, as far as the server can see; where the system has but one loopback address, another port.
        socket.bind(0, process.platform === 'linux' ? `127.0.0.${source}` : '127.0.0.1', resolve);
      });
      this.sockets.push(socket);
      socket.on('message', (bytes) => {
        // A STUN answer has the transaction of its request; anything else answers nothing that was asked.
        const transaction = bytes.subarray(8, 20).toString('hex');
        this.replies.push({ bytes, requestLength: isStun(bytes) ? (this.requests.get(transaction) ?? 0) : 0 });
      });
    }
  }

  private readonly requests = new Map<string, number>();

  /** Sends all, not faster than the server's socket takes them, and waits until the server has seen them. */
  async send(datagrams: readonly Uint8Array[]): Promise<void> {
    const received = async (): Promise<number> => (await counters()).get('sluice_webrtc_received_packets_total') ?? 0;
    const before = await received();
    for (const [index, datagram] of datagrams.entries()) {
      if (isStun(datagram)) this.requests.set(Buffer.from(datagram.subarray(8, 20)).toString('hex'), datagram.length);
      await new Promise((resolve) => this.sockets[index % this.sockets.length]?.send(datagram, server.webrtcPort, '127.0.0.1', resolve));
    }
    await vi.waitFor(async () => expect((await received()) - before).toBeGreaterThanOrEqual(datagrams.length * 0.9), WAIT);
  }

  /** The largest reply in terms of its request; infinite where nothing had been asked. */
  get amplification(): number {
    return Math.max(0, ...this.replies.map(({ bytes, requestLength }) => bytes.length / requestLength));
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }
}

const times = (make: (index: number) => Uint8Array, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => make(index));
const beginning = (first: number, length: number): Buffer => Buffer.concat([Buffer.of(first), randomBytes(length)]);
const withCookie = (length: number): Buffer => {
  const bytes = beginning(0, 19 + length);
  bytes.set([0, 1, 0, length, 0x21, 0x12, 0xa4, 0x42]);
  return bytes;
};
const unknown = (): Uint8Array => checkOf({ local: createIceCredentials(iceCrypto), remote: createIceCredentials(iceCrypto) });
/** Of three places at most; the first is sure to change. */
const edited = (bytes: Uint8Array): Uint8Array => {
  const places = [random(bytes.length), random(bytes.length), random(bytes.length)];
  return bytes.map((byte, index) => (index === places[0] ? byte ^ (1 + random(255)) : places.includes(index) ? random(256) : byte));
};

describe('hostile datagrams', () => {
  const classes: Readonly<Record<string, () => Uint8Array[]>> = {
    'random bytes of any length': () => times(() => randomBytes(random(1_600)), DATAGRAMS),
    'almost STUN': () => times((index) => withCookie(index % 120), DATAGRAMS),
    'the beginning of DTLS': () => times((index) => beginning(20 + (index % 44), random(1_300)), DATAGRAMS),
    'DTLS records that end in the middle': () =>
      times(() => Buffer.concat([Buffer.from('16fefd000000000000000000ff01', 'hex'), randomBytes(random(60))]), DATAGRAMS),
    'the beginning of RTP and RTCP': () => times((index) => beginning(128 + (index % 64), random(1_300)), DATAGRAMS),
    'what is too large': () => times(() => randomBytes(60_000), 20),
    'checks for sessions that are not there': () => times(unknown, UNKNOWN_UFRAGS),
    'checks with the wrong password': () => {
      const { remote } = viewer.credentials;
      return times(() => checkOf({ local: createIceCredentials(iceCrypto), remote: { ...remote, pwd: 'wrong'.repeat(5) } }), DATAGRAMS);
    },
    'real checks with bytes changed': () => times(() => edited(checkOf(viewer.credentials)), DATAGRAMS),
  };

  it.each(Object.entries(classes))('%s: get no reply that amplifies, and disturb nobody', async (_name, make) => {
    const attacker = new Attacker();
    await attacker.open();
    try {
      const before = await counters();
      await attacker.send(make());
      await isUndisturbed();
      expect(attacker.amplification).toBeLessThanOrEqual(AMPLIFICATION_MAX);
      const after = await counters();
      for (const [name, value] of before) if (name.endsWith('_total')) expect(after.get(name), name).toBeGreaterThanOrEqual(value);
      expect(after.get('sluice_webrtc_viewers')).toBe(1);
    } finally {
      attacker.close();
    }
  });

  it('are counted by what is wrong with them', async () => {
    const now = await counters();
    expect(now.get('sluice_webrtc_malformed_packets_total')).toBeGreaterThan(0);
    expect(now.get('sluice_webrtc_unknown_source_packets_total')).toBeGreaterThan(DATAGRAMS);
  });
});

describe('hostile bytes on the TCP port', () => {
  /** Sends and waits until the server has closed the connection, or for so long that it might have. */
  const throwAt = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(server.webrtcPort, '127.0.0.1', () => socket.end(bytes));
      socket.setTimeout(500, () => socket.destroy());
      socket.resume();
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });
  const framed = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);

  it('disturb nobody, and their connections end', async () => {
    const attacks = Array.from({ length: 40 }, () => [
      randomBytes(2_000),
      Buffer.alloc(2_000),
      Buffer.of(255, 255, 0),
      framed(randomBytes(900)),
      framed(withCookie(40)),
      Buffer.concat(times(unknown, 10).map(framed)),
      framed(beginning(22, 300)),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]).flat();
    for (let from = 0; from < attacks.length; from += 40) await Promise.all(attacks.slice(from, from + 40).map(throwAt));
    await isUndisturbed();
    await vi.waitFor(async () => expect((await counters()).get('sluice_webrtc_tcp_connections')).toBe(0), WAIT);
  });
});

describe('hostile offers', () => {
  /** One edit as a broken or malicious client might make it. */
  function mutate(sdp: string): string {
    const lines = sdp.split('\r\n');
    const at = random(lines.length);
    const line = lines[at] ?? '';
    const edits = [
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, line, line),
      () => lines.splice(at, 1, line.slice(0, random(line.length + 1))),
      () =>
        lines.splice(
          at,
          1,
          line.replace(/\d+/, () => String(random(2 ** 31))),
        ),
      () => lines.splice(at, 1, line.replace(/\d+/, '99999999999999999999')),
      () => lines.splice(at, 1, `${line}${'x'.repeat(random(3_000))}`),
      () => lines.splice(at, 1, String.fromCharCode(random(0xd7ff)) + line),
      () => lines.push(...lines.slice(at)),
    ];
    edits[random(edits.length)]?.();
    return lines.join('\r\n');
  }

  it('get an answer or a readable problem, never an error of the server', async () => {
    const seen = new Map<number, number>();
    for (let round = 0; round < MUTATIONS; round++) {
      const kind = round % 2 === 0 ? 'whip' : 'whep';
      let sdp = kind === 'whip' ? chromiumSimulcast : chromiumRecvonly;
      for (let edits = random(4); edits >= 0; edits--) sdp = mutate(sdp);
      const reply = await offer(url(kind === 'whip' ? `mutant-${round}` : 'show', kind), sdp);
      seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1);
      expect([201, 400, 413, 422], `${reply.body}\n${sdp}`).toContain(reply.status);
      if (reply.status === 201) expect((await ask('DELETE', reply.session)).status).toBe(200);
      else expect(JSON.parse(reply.body)).toMatchObject({ code: expect.stringMatching(/./), detail: expect.stringMatching(/./) });
    }
    expect([...seen.keys()]).toEqual(expect.arrayContaining([201, 400, 422]));
    await isUndisturbed();
    expect((await counters()).get('sluice_webrtc_viewers')).toBe(1);
  });
});

describe('sessions', () => {
  it('are refused with 503 and Retry-After when there are too many, until one ends; loopback has no limit of its own', async () => {
    const small = await ServerProcess.start({
      environment: { SLUICE_WEBRTC_SESSIONS_MAX: '3', SLUICE_WEBRTC_SESSIONS_PER_ADDRESS_MAX: '1' },
    });
    try {
      const made = [];
      for (const name of ['a', 'b', 'c']) made.push(await offer(url(name, 'whip', small), chromiumSimulcast));
      expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
      const refused = await offer(url('d', 'whip', small), chromiumSimulcast);
      expect({ status: refused.status, code: refused.code }).toEqual({ status: 503, code: 'whip.too-many-sessions' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect((await fetch(`${small.httpUrl}/api/v1/streams/live/d`)).status).toBe(404);
      await ask('DELETE', made[0]?.session ?? '');
      expect((await offer(url('d', 'whip', small), chromiumSimulcast)).status).toBe(201);
    } finally {
      expect(await small.close()).toBe(0);
    }
  });

  it('that never complete DTLS are dropped', async () => {
    // It was made when the other tests began.
    await vi.waitFor(async () => expect((await ask('GET', abandoned)).status).toBe(404), WAIT);
    const end = server.log.findLast(({ stream, msg }) => stream === 'live/abandoned' && msg === 'WebRTC session ended');
    expect(end?.['code']).toBe('webrtc.connect-timeout');
    expect((await fetch(`${server.httpUrl}/api/v1/streams/live/abandoned`)).status).toBe(404);
  });
});
