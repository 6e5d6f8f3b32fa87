import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import { hostCandidate, parseCandidate, writeCandidate } from './candidate.ts';
import { createIceCredentials, isIcePwd, isIceUfrag } from './credentials.ts';
import { seededCrypto } from './ice-crypto.fixture.ts';
import { frameForTcp, TCP_FRAME_BYTES_MAX, TcpFrameReader } from './tcp-framing.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

describe('parseCandidate', () => {
  it("reads a browser's", () => {
    expect(
      parseCandidate(
        'a=candidate:842163049 1 udp 1677729535 203.0.113.5 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0 ufrag EEtu network-cost 999\r\n',
      ),
    ).toEqual({
      foundation: '842163049',
      component: 1,
      protocol: 'udp',
      priority: 1677729535,
      ip: '203.0.113.5',
      port: 46154,
      type: 'srflx',
    });
    expect(parseCandidate('candidate:1 1 TCP 2105458943 2001:DB8:0::7 9 typ host tcptype passive')).toMatchObject({
      protocol: 'tcp',
      ip: '2001:db8::7',
      tcpType: 'passive',
    });
  });

  it.each([
    'candidate:1 1 udp 2122262783 4f0e6ab5-2cb3-4b0d-9f3a-0f5f9f1e6a7b.local 53701 typ host',
    'candidate:1 1 udp 1 example.com 1 typ host',
    'candidate:1 2 udp 1 127.0.0.1 1 typ host',
    'candidate:1 1 sctp 1 127.0.0.1 1 typ host',
    'candidate:1 1 tcp 1 127.0.0.1 1 typ host',
    'candidate:1 1 udp 1 127.0.0.1 1 typ teleport',
  ])('has no use for %s', (line) => {
    expect(parseCandidate(line)).toBeUndefined();
  });

  it.each([
    '',
    'candidate:',
    'candidate:1 1 udp x 127.0.0.1 1 typ host',
    'candidate:1 1 udp 0 127.0.0.1 1 typ host',
    'candidate:1 1 udp 4294967295 127.0.0.1 1 typ host',
    'candidate:1 1 udp 1 127.0.0.1 70000 typ host',
    'candidate:1 1 udp 1 127.0.0.1 1',
    `candidate:1 1 udp 1 127.0.0.1 1 typ host ${'x '.repeat(400)}`,
  ])('refuses %j', (line) => {
    expect(() => parseCandidate(line)).toThrow(expect.objectContaining({ code: 'ice.bad-candidate' }));
  });

  it('reads what it writes', () => {
    for (const candidate of [hostCandidate('udp', '127.0.0.1', 8189, 0), hostCandidate('tcp', '2001:db8::1', 8189, 1)]) {
      expect(parseCandidate(writeCandidate(candidate))).toEqual(candidate);
    }
    expect(hostCandidate('udp', '::1', 1, 0).priority).toBe(2130706431);
    expect(writeCandidate({ ...hostCandidate('udp', '192.0.2.1', 1, 0), type: 'srflx' })).toContain('typ srflx raddr 0.0.0.0 rport 9');
  });

  it('throws nothing but ProtocolError, whatever comes', () => {
    const word = fc.oneof(fc.constantFrom('candidate:1', '1', 'udp', 'tcp', '127.0.0.1', '::', 'typ', 'host', 'tcptype'), fc.string());
    fc.assert(
      fc.property(
        fc.array(word).map((words) => words.join(' ')),
        (line) => {
          try {
            const candidate = parseCandidate(line);
            if (candidate !== undefined) expect(parseCandidate(writeCandidate(candidate))).toEqual(candidate);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
      RUNS,
    );
  });
});

describe('credentials', () => {
  it('are well formed and differ', () => {
    const crypto = seededCrypto(5);
    const made = Array.from({ length: 200 }, () => createIceCredentials(crypto));
    expect(made.every(({ ufrag, pwd }) => isIceUfrag(ufrag) && isIcePwd(pwd))).toBe(true);
    expect(new Set(made.map(({ ufrag }) => ufrag)).size).toBe(200);
  });
});

describe('TCP framing', () => {
  it('gives packets whole, however the stream is split', () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Uint8Array.from(sent.flatMap((packet) => [...frameForTcp(packet)]));
        const reader = new TcpFrameReader();
        const received: number[][] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.receive(stream.subarray(at, at + size), (packet) => received.push([...packet]));
          at += size;
        }
        expect(received).toEqual(sent.map((packet) => [...packet]));
      }),
      RUNS,
    );
  });

  it('skips empty frames, takes the largest, and refuses a larger one', () => {
    const reader = new TcpFrameReader();
    const lengths: number[] = [];
    reader.receive(frameForTcp(new Uint8Array()), (packet) => lengths.push(packet.length));
    reader.receive(frameForTcp(new Uint8Array(TCP_FRAME_BYTES_MAX)), (packet) => lengths.push(packet.length));
    expect(lengths).toEqual([TCP_FRAME_BYTES_MAX]);
    expect(() => reader.receive(frameForTcp(new Uint8Array(TCP_FRAME_BYTES_MAX + 1)), () => {})).toThrow(
      expect.objectContaining({ code: 'ice.frame-too-large' }),
    );
  });
});
