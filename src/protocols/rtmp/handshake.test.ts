import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../core/mod.ts';
import type { RtmpCrypto } from './crypto-port.ts';
import { ClientHandshake, ServerHandshake } from './handshake.ts';

const hmac = (key: Uint8Array | string, ...data: Uint8Array[]): Uint8Array => {
  const signer = createHmac('sha256', key);
  for (const piece of data) signer.update(piece);
  return new Uint8Array(signer.digest());
};
const crypto: RtmpCrypto = {
  hmacSha256: (key, data) => hmac(key, data),
  randomBytes: (size) => Uint8Array.from({ length: size }, (_, index) => (index * 31 + 5) & 255),
};

function digestC1(field: number): { bytes: Uint8Array; digest: Uint8Array } {
  const bytes = Uint8Array.from({ length: 1536 }, (_, index) => (index * 13 + 1) & 255);
  bytes.set([10, 0, 45, 2], 4);
  const at = ((bytes[field]! + bytes[field + 1]! + bytes[field + 2]! + bytes[field + 3]!) % 728) + field + 4;
  const digest = hmac('Genuine Adobe Flash Player 001', bytes.subarray(0, at), bytes.subarray(at + 32));
  bytes.set(digest, at);
  return { bytes, digest };
}

const longServerKey = Buffer.concat([
  Buffer.from('Genuine Adobe Flash Media Server 001'),
  Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex'),
]);

function answerTo(c1: Uint8Array): { server: ServerHandshake; s1: Uint8Array; s2: Uint8Array } {
  const sent: Uint8Array[] = [];
  const server = new ServerHandshake((bytes) => sent.push(bytes), crypto);
  expect(server.receive(Uint8Array.of(3, ...c1))).toBe(1537);
  const answer = sent[0]!;
  expect(sent.length).toBe(1);
  expect(answer.length).toBe(1 + 1536 * 2);
  expect(answer[0]).toBe(3);
  return { server, s1: answer.subarray(1, 1537), s2: answer.subarray(1537) };
}

describe('ServerHandshake', () => {
  it.each([8, 772])('answers a digest of the scheme at byte %i by the same scheme', (field) => {
    const c1 = digestC1(field);
    const { server, s1, s2 } = answerTo(c1.bytes);
    expect(server.chosen).toBe('digest');
    const at = ((s1[field]! + s1[field + 1]! + s1[field + 2]! + s1[field + 3]!) % 728) + field + 4;
    expect(s1.slice(at, at + 32)).toEqual(hmac('Genuine Adobe Flash Media Server 001', s1.subarray(0, at), s1.subarray(at + 32)));
    expect(s2.slice(1504)).toEqual(hmac(hmac(longServerKey, c1.digest), s2.subarray(0, 1504)));
  });

  it('echoes C1 to a client without a digest', () => {
    const c1 = crypto.randomBytes(1536);
    expect(answerTo(c1).s2).toEqual(c1);
    const plain = c1.slice();
    plain.fill(0, 0, 8);
    const { server, s1, s2 } = answerTo(plain);
    expect(server.chosen).toBe('simple');
    expect([...s1.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(s2).toEqual(plain);
  });

  it.each([
    [6, 'rtmp.handshake-encrypted'],
    [0x47, 'rtmp.handshake-version'],
  ])('refuses version %i at the first byte', (version, code) => {
    const server = new ServerHandshake(() => expect.unreachable(), crypto);
    let error: unknown;
    try {
      server.receive(Uint8Array.of(version));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as ProtocolError).code).toBe(code);
  });

  it.each([1, 700, 1537, 5000])('meets the client handshake in pieces of %i bytes and leaves what follows', (size) => {
    const toServer: number[] = [];
    const toClient: number[] = [];
    const server = new ServerHandshake((bytes) => toClient.push(...bytes), crypto);
    const client = new ClientHandshake((bytes) => toServer.push(...bytes), crypto);
    client.start();
    while (!server.isDone || !client.isDone) {
      const up = toServer.splice(0, size);
      const down = toClient.splice(0, size);
      expect(up.length + down.length).toBeGreaterThan(0);
      if (up.length > 0) expect(server.receive(Uint8Array.from(up))).toBe(up.length);
      if (down.length > 0) expect(client.receive(Uint8Array.from(down))).toBe(down.length);
    }
    expect(server.receive(Uint8Array.of(1, 2, 3))).toBe(0);
  });
});
