import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { monotonicMs, utf8Encode } from '../../core/mod.ts';
import { crc32 } from './crc32.ts';
import type { IceCredentials } from './credentials.ts';
import { seededCrypto } from './ice-crypto.fixture.ts';
import { IceLite } from './ice-lite.ts';
import { hasValidIntegrity, parseStunMessage, STUN_BINDING } from './stun-message.ts';
import { buildStunMessage, type StunContent } from './stun-writer.ts';
import type { IceTransport } from './transport.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const crypto = seededCrypto(7);
const local: IceCredentials = { ufrag: 'server01', pwd: 'serverPasswordOf24Chars+' };
const renewed: IceCredentials = { ufrag: 'server02', pwd: 'anotherPasswordOf24Chars' };
const at = monotonicMs;

let said: string[];
let answers: Uint8Array[];
let ice: IceLite<string>;

const udp = (port: number): IceTransport => ({ kind: 'udp', socket: 1, source: { ip: '192.0.2.1', port } });
const name = (transport: IceTransport): string => (transport.kind === 'tcp' ? `tcp${transport.connection}` : String(transport.source.port));

beforeEach(() => {
  said = [];
  answers = [];
  ice = new IceLite<string>(
    {
      respond: (_transport, bytes) => answers.push(bytes),
      validated: (session, transport) => said.push(`validated ${session} ${name(transport)}`),
      nominated: (session, transport) => said.push(`nominated ${session} ${name(transport)}`),
      forgotten: (session, transport) => said.push(`forgotten ${session} ${name(transport)}`),
      consentLost: (session) => said.push(`lost ${session}`),
    },
    crypto,
  );
  ice.add('a', local, at(0), 'peer');
});

function check(credentials: IceCredentials, remoteUfrag: string, more: Partial<StunContent> = {}): Uint8Array {
  const content: StunContent = {
    class: 'request',
    method: STUN_BINDING,
    transactionId: crypto.randomBytes(12),
    username: `${credentials.ufrag}:${remoteUfrag}`,
    priority: 1,
    iceControlling: 1n,
    ...more,
  };
  return buildStunMessage(content, { key: utf8Encode(credentials.pwd), crypto });
}

/** A valid check whose PRIORITY became an attribute 0x7024 that nobody knows. */
function withUnknownAttribute(): Uint8Array {
  const bytes = check(local, 'peer');
  const priorityAt = 20 + 4 + 16;
  const body = bytes.slice(0, -32);
  body[priorityAt] = 0x70;
  const signed = new Uint8Array([...body, 0, 8, 0, 20, ...new Uint8Array(20)]);
  signed[3] = signed.length - 20;
  signed.set(crypto.hmacSha1(utf8Encode(local.pwd), signed.subarray(0, -24)), signed.length - 20);
  const whole = new Uint8Array([...signed, 0x80, 0x28, 0, 4, 0, 0, 0, 0]);
  whole[3] = whole.length - 20;
  new DataView(whole.buffer).setUint32(whole.length - 4, (crc32(whole.subarray(0, -8)) ^ 0x5354554e) >>> 0);
  return whole;
}

const lastError = (): number | undefined => {
  const last = answers.at(-1);
  return last === undefined ? undefined : parseStunMessage(last).errorCode;
};

describe('IceLite', () => {
  it('answers a check with the mapped address, signed, and tells of the path once', () => {
    const request = check(local, 'peer');
    ice.receive(udp(5000), request, at(1));
    const answer = parseStunMessage(answers[0] ?? new Uint8Array());
    expect(answer).toMatchObject({ class: 'success', mappedAddress: { ip: '192.0.2.1', port: 5000 }, hasFingerprint: true });
    expect(answer.transactionId).toEqual(request.subarray(8, 20));
    expect(hasValidIntegrity(answer, utf8Encode(local.pwd), crypto)).toBe(true);
    ice.receive(udp(5000), check(local, 'peer'), at(2));
    expect(said).toEqual(['validated a 5000']);
    expect(answers).toHaveLength(2);
  });

  it('follows nominations from path to path, TCP too', () => {
    const tcp: IceTransport = { kind: 'tcp', connection: 3, source: { ip: '192.0.2.1', port: 40000 } };
    for (const [transport, usesCandidate] of [
      [udp(1), true],
      [udp(2), false],
      [udp(1), true],
      [tcp, true],
      [udp(1), true],
    ] as const) {
      ice.receive(transport, check(local, 'peer', { usesCandidate }), at(1));
    }
    expect(said).toEqual(['validated a 1', 'nominated a 1', 'validated a 2', 'validated a tcp3', 'nominated a tcp3', 'nominated a 1']);
  });

  it('drops unknown fragments silently, and does not answer what it did not ask for', () => {
    ice.receive(udp(1), check({ ...local, ufrag: 'nobody00' }, 'peer'), at(1));
    ice.receive(udp(1), check(local, 'peer', { class: 'indication' }), at(1));
    ice.receive(udp(1), check(local, 'peer', { class: 'success' }), at(1));
    ice.receive(udp(1), check(local, 'peer', { method: 3 }), at(1));
    ice.receive(udp(1), new Uint8Array(30), at(1));
    expect(answers).toEqual([]);
    expect(said).toEqual([]);
    expect(ice.counters).toMatchObject({ received: 5, unknownUfrag: 1, ignored: 3, malformed: 1, errors: 0 });
  });

  it('refuses a wrong password, and the wrong peer', () => {
    ice.receive(udp(1), check({ ...local, pwd: 'x'.repeat(24) }, 'peer'), at(1));
    expect(lastError()).toBe(401);
    ice.receive(udp(1), check(local, 'other'), at(1));
    expect(lastError()).toBe(401);
    expect(ice.counters.unauthenticated).toBe(2);
    expect(said).toEqual([]);
  });

  it('answers a role conflict with 487 and an unknown required attribute with 420, both signed', () => {
    ice.receive(udp(1), check(local, 'peer', { iceControlled: 5n }), at(1));
    expect(lastError()).toBe(487);
    expect(hasValidIntegrity(parseStunMessage(answers.at(-1) ?? new Uint8Array()), utf8Encode(local.pwd), crypto)).toBe(true);
    ice.receive(udp(1), withUnknownAttribute(), at(1));
    expect(lastError()).toBe(420);
    expect(hasValidIntegrity(parseStunMessage(answers.at(-1) ?? new Uint8Array()), utf8Encode(local.pwd), crypto)).toBe(true);
    expect(said).toEqual([]);
  });

  it('never answers with more than 1.2 times the request', () => {
    const bare = buildStunMessage({ class: 'request', method: STUN_BINDING, transactionId: crypto.randomBytes(12) });
    ice.receive(udp(1), bare, at(1));
    expect(answers).toEqual([]);
    expect(ice.counters.suppressedErrors).toBe(1);
    const named = {
      class: 'request',
      method: STUN_BINDING,
      transactionId: crypto.randomBytes(12),
      username: `${local.ufrag}:peer`,
    } as const;
    ice.receive(udp(1), buildStunMessage(named), at(1));
    expect(lastError()).toBe(400);
    // The smallest check there can be, from an IPv6 address, has an answer that is small enough, too.
    const smallest = buildStunMessage({ ...named, username: 'abcd:' }, { key: utf8Encode(local.pwd), crypto });
    ice.add('b', { ...local, ufrag: 'abcd' }, at(1));
    ice.receive({ kind: 'udp', socket: 1, source: { ip: '2001:db8::1', port: 1 } }, smallest, at(1));
    expect(parseStunMessage(answers.at(-1) ?? bare).class).toBe('success');
    expect(answers.at(-1)?.length ?? 0).toBeLessThanOrEqual(smallest.length * 1.2);
  });

  it('loses consent 30 s after the last check on the chosen path, and gets it back by a restart only', () => {
    ice.receive(udp(1), check(local, 'peer', { usesCandidate: true }), at(1000));
    ice.receive(udp(2), check(local, 'peer'), at(20_000));
    expect(ice.wakeAt).toBe(31_000);
    ice.tick(at(30_999));
    expect(said).not.toContain('lost a');
    ice.tick(at(31_000));
    ice.tick(at(90_000));
    expect(said.filter((line) => line === 'lost a')).toHaveLength(1);
    expect(ice.wakeAt).toBeUndefined();
    said = [];
    ice.receive(udp(1), check(local, 'peer'), at(91_000));
    expect(said).toEqual([]);
    ice.restart('a', renewed, at(92_000), 'peer2');
    ice.receive(udp(1), check(local, 'peer'), at(92_001));
    ice.receive(udp(1), check(renewed, 'peer2', { usesCandidate: true }), at(92_002));
    expect(said).toEqual(['validated a 1', 'nominated a 1']);
    expect(ice.counters.unknownUfrag).toBe(1);
  });

  it('accepts old and new credentials after a restart, until the first check with the new', () => {
    ice.restart('a', renewed, at(1), 'peer2');
    ice.receive(udp(1), check(local, 'peer'), at(2));
    expect(ice.counters.checks).toBe(1);
    ice.receive(udp(1), check(renewed, 'peer2'), at(3));
    ice.receive(udp(1), check(local, 'peer'), at(4));
    expect(ice.counters).toMatchObject({ checks: 2, unknownUfrag: 1 });
    expect([ice.hasUfrag(local.ufrag), ice.hasUfrag(renewed.ufrag)]).toEqual([false, true]);
  });

  it('keeps the credentials in use over two restarts, and leaves nothing behind', () => {
    ice.restart('a', renewed, at(1));
    ice.restart('a', { ...renewed, ufrag: 'server03' }, at(2));
    expect(['server01', 'server02', 'server03'].map((ufrag) => ice.hasUfrag(ufrag))).toEqual([true, false, true]);
    ice.remove('a');
    ice.remove('a');
    expect(['server01', 'server02', 'server03'].some((ufrag) => ice.hasUfrag(ufrag))).toBe(false);
    expect(ice.size).toBe(0);
  });

  it('forgets the longest unused path, never the chosen one', () => {
    ice.receive(udp(1), check(local, 'peer', { usesCandidate: true }), at(1));
    for (let port = 2; port <= 9; port++) ice.receive(udp(port), check(local, 'peer'), at(port));
    expect(said.filter((line) => line.startsWith('forgotten'))).toEqual(['forgotten a 2']);
    ice.removeTransport('a', udp(1));
    ice.receive(udp(1), check(local, 'peer', { usesCandidate: true }), at(10));
    expect(said.slice(-2)).toEqual(['validated a 1', 'nominated a 1']);
  });

  it('does the same little work for a check, however many sessions there are: two HMACs', () => {
    let hmacs = 0;
    const hmacSha1 = (key: Uint8Array, data: Uint8Array): Uint8Array => {
      hmacs++;
      return crypto.hmacSha1(key, data);
    };
    const silent = { respond: () => {}, validated: () => {}, nominated: () => {}, forgotten: () => {}, consentLost: () => {} };
    const many = new IceLite<number>(silent, { ...crypto, hmacSha1 });
    const requests = Array.from({ length: 1000 }, (_, index) => {
      const credentials = { ufrag: `many${index}`, pwd: local.pwd };
      many.add(index, credentials, at(0));
      return check(credentials, 'peer', { usesCandidate: true });
    });
    for (let round = 1; round <= 4; round++) {
      for (const [index, request] of requests.entries()) many.receive(udp(index), request, at(round * 2500));
      many.tick(at(round * 2500));
    }
    expect(hmacs).toBe(8000);
    expect(many.counters).toMatchObject({ checks: 4000, consentLost: 0 });
    expect(many.wakeAt).toBe(40_000);
  });

  it('never throws, and never answers with more than it got', () => {
    const seed = check(local, 'peer', { usesCandidate: true });
    const edits = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(edits, fc.nat(seed.length), fc.boolean(), (changes, length, isCut) => {
        const bytes = seed.slice(0, isCut ? length : seed.length);
        for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value;
        const before = answers.length;
        ice.receive(udp(1), bytes, at(1));
        for (const answer of answers.slice(before)) expect(answer.length).toBeLessThanOrEqual(bytes.length * 1.2);
      }),
      RUNS,
    );
  });
});
