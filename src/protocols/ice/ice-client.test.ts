import { describe, expect, it } from 'vitest';
import { monotonicMs, utf8Encode } from '../../core/mod.ts';
import { hostCandidate, type IceCandidate } from './candidate.ts';
import { IceClient } from './ice-client.ts';
import { seededCrypto } from './ice-crypto.fixture.ts';
import { IceLite } from './ice-lite.ts';
import { parseStunMessage, STUN_BINDING } from './stun-message.ts';
import { buildStunMessage } from './stun-writer.ts';

const server = { ufrag: 'server01', pwd: 'serverPasswordOf24Chars+' };
const ours = { ufrag: 'client01', pwd: 'clientPasswordOf24Chars+' };
const good = hostCandidate('udp', '127.0.0.1', 8189, 1);
const dead = hostCandidate('udp', '192.0.2.99', 8189, 0);
const CLIENT_ADDRESS = { ip: '127.0.0.1', port: 50_000 };

/** A client and a lite server over a network with seeded loss and 20 ms of delay, in virtual time. */
class Pair {
  readonly said: string[] = [];
  readonly sent: { at: number; to: number; bytes: Uint8Array }[] = [];
  now = 0;
  isCut = false;
  readonly client: IceClient;
  readonly lite: IceLite<string>;
  private readonly queue: { at: number; deliver: () => void }[] = [];
  private readonly random = seededCrypto(99);
  private readonly lossPercent: number;

  constructor(lossPercent: number, serverPwd = server.pwd) {
    this.lossPercent = lossPercent;
    const crypto = seededCrypto(3);
    this.lite = new IceLite<string>(
      {
        respond: (_to, bytes) => this.pass(() => this.client.receive('udp', good, bytes, monotonicMs(this.now))),
        validated: () => this.said.push('validated'),
        nominated: () => this.said.push('nominated'),
        forgotten: () => this.said.push('forgotten'),
        consentLost: () => this.said.push('server lost consent'),
      },
      crypto,
    );
    this.lite.add('s', { ...server, pwd: serverPwd }, monotonicMs(0), ours.ufrag);
    this.client = new IceClient(
      {
        send: (to, bytes) => this.send(to, bytes),
        connected: ({ ip }) => this.said.push(`connected ${ip}`),
        failed: (reason) => this.said.push(`failed ${reason}`),
      },
      crypto,
      { local: ours, remote: server },
      monotonicMs(0),
    );
  }

  private pass(deliver: () => void): void {
    const isLost = ((this.random.randomBytes(1)[0] ?? 0) * 100) / 256 < this.lossPercent;
    if (!isLost && !this.isCut) this.queue.push({ at: this.now + 20, deliver });
  }

  private send(to: IceCandidate, bytes: Uint8Array): void {
    this.sent.push({ at: this.now, to: to.port, bytes });
    const source = { kind: 'udp', socket: 0, source: CLIENT_ADDRESS } as const;
    if (to.ip === good.ip && to.port === good.port) this.pass(() => this.lite.receive(source, bytes, monotonicMs(this.now)));
  }

  run(untilMs: number): void {
    for (; this.now <= untilMs; this.now += 10) {
      for (const one of this.queue.filter(({ at }) => at <= this.now)) {
        this.queue.splice(this.queue.indexOf(one), 1);
        one.deliver();
      }
      if ((this.client.wakeAt ?? Number.POSITIVE_INFINITY) <= this.now) this.client.tick(monotonicMs(this.now));
      this.lite.tick(monotonicMs(this.now));
    }
  }
}

describe('IceClient against IceLite', () => {
  it('finds the candidate that works, and nominates it', () => {
    const pair = new Pair(0);
    pair.client.addRemoteCandidate(dead);
    pair.client.addRemoteCandidate(good);
    pair.client.addRemoteCandidate(good);
    pair.client.endOfCandidates();
    pair.run(300);
    expect(pair.said).toEqual(['validated', 'nominated', 'connected 127.0.0.1']);
    expect(pair.client.selected).toEqual(good);
    expect(pair.sent).toHaveLength(2);
  });

  it('connects in spite of 20 % loss, and keeps consent for minutes', () => {
    const pair = new Pair(20);
    pair.client.addRemoteCandidate(good);
    pair.run(180_000);
    expect(pair.said).toEqual(['validated', 'nominated', 'connected 127.0.0.1']);
    const gaps = pair.sent.slice(-20).map(({ at }, index, all) => at - (all[index - 1]?.at ?? at));
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(3990);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(6010);
  });

  it('loses consent on both sides 30 s after the network is cut', () => {
    const pair = new Pair(0);
    pair.client.addRemoteCandidate(good);
    pair.run(10_000);
    pair.isCut = true;
    pair.run(50_000);
    expect(pair.said.slice(-2).toSorted()).toEqual(['failed consent-lost', 'server lost consent']);
    expect(pair.client.wakeAt).toBeUndefined();
  });

  it('retransmits with doubled time-outs and gives up at its limit', () => {
    const pair = new Pair(0);
    pair.client.addRemoteCandidate(dead);
    pair.run(20_000);
    expect(pair.sent.map(({ at }) => at)).toEqual([0, 500, 1500, 3500, 7500]);
    expect(new Set(pair.sent.map(({ bytes }) => String(bytes))).size).toBe(1);
    expect(pair.said).toEqual(['failed timeout']);
  });

  it('fails at once when the server refuses its only candidate, or there is none', () => {
    const pair = new Pair(0, 'x'.repeat(24));
    pair.client.addRemoteCandidate(good);
    pair.client.endOfCandidates();
    pair.run(100);
    expect(pair.said).toEqual(['failed refused']);
    const none = new Pair(0);
    none.client.endOfCandidates();
    expect(none.said).toEqual(['failed no-candidates']);
  });

  it('takes only answers to its own checks, from where they went', () => {
    const pair = new Pair(0);
    pair.client.addRemoteCandidate(dead);
    pair.client.tick(monotonicMs(0));
    const request = parseStunMessage(pair.sent[0]?.bytes ?? new Uint8Array());
    const answer = (pwd: string) =>
      buildStunMessage(
        { class: 'success', method: STUN_BINDING, transactionId: request.transactionId, mappedAddress: CLIENT_ADDRESS },
        { key: utf8Encode(pwd), crypto: seededCrypto(1) },
      );
    pair.client.receive('udp', good, answer(server.pwd), monotonicMs(1));
    pair.client.receive('udp', dead, answer('y'.repeat(24)), monotonicMs(1));
    pair.client.receive('udp', dead, new Uint8Array(40), monotonicMs(1));
    expect(pair.said).toEqual([]);
    pair.client.receive('udp', dead, answer(server.pwd), monotonicMs(1));
    expect(pair.said).toEqual(['connected 192.0.2.99']);
  });

  it("answers a full agent's checks, and tries the address they come from", () => {
    const pair = new Pair(0);
    const crypto = seededCrypto(1);
    const check = buildStunMessage(
      {
        class: 'request',
        method: STUN_BINDING,
        transactionId: crypto.randomBytes(12),
        username: 'client01:server01',
        priority: 7,
        iceControlled: 1n,
      },
      { key: utf8Encode(ours.pwd), crypto },
    );
    pair.client.receive('udp', good, check, monotonicMs(0));
    expect(parseStunMessage(pair.sent[0]?.bytes ?? check).class).toBe('success');
    pair.run(100);
    expect(pair.said).toContain('connected 127.0.0.1');
  });

  it('ends with a TCP candidate whose connection fails', () => {
    const pair = new Pair(0);
    const tcp = hostCandidate('tcp', '127.0.0.1', 8189, 0);
    pair.client.addRemoteCandidate(tcp);
    pair.client.endOfCandidates();
    pair.client.candidateFailed(tcp);
    expect(pair.said).toEqual(['failed timeout']);
  });
});
