import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, monotonicMs, streamRef } from '../../core/mod.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { Heartbeat } from './heartbeat.ts';
import { RelayHolderSession } from './holder-session.ts';
import { RELAY_VERSION } from './messages.ts';
import { RelayPullerSession, type RelayReceiver } from './puller-session.ts';
import { waiting } from './relay.fixture.ts';
import type { RelayPeerOptions } from './relay-peer.ts';
import { SendQueue } from './send-queue.ts';
import { writeAccepted, writeHello, writeNotice, writePing, writeSubscribe } from './write-message.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const show = streamRef('live', 'show');
const at = (ms: number) => monotonicMs(ms);

class Receiver implements RelayReceiver {
  readonly assembler = new FrameAssembler();
  readonly calls: string[] = [];
  accepted = (): void => void this.calls.push('accepted');
  refused = (code: string): void => void this.calls.push(`refused ${code}`);
  frame = (): void => void this.calls.push('frame');
  gap = (): void => void this.calls.push('gap');
  renditions = (): void => void this.calls.push('renditions');
  path = (_epoch: number, hops: readonly string[]): void => void this.calls.push(`path ${hops.join(',')}`);
  paused = (): void => void this.calls.push('paused');
  ended = (): void => void this.calls.push('ended');
  broken = (): void => void this.calls.push('broken');
}

function pair(ofHolder: Partial<RelayPeerOptions> = {}, ofPuller: Partial<RelayPeerOptions> = {}) {
  const calls: string[] = [];
  const note = (what: string) => (code: unknown) => void calls.push(`${what} ${typeof code === 'object' ? '' : code}`.trim());
  const holder = new RelayHolderSession(
    {
      wake: () => undefined,
      subscribe: note('subscribe'),
      unsubscribed: note('unsubscribed'),
      keyframeWanted: note('keyframe'),
      closed: note('holder closed'),
    },
    { node: 'a', cluster: 'one', peerNode: 'b', ...ofHolder },
    at(0),
  );
  const puller = new RelayPullerSession(
    { wake: () => undefined, opened: () => void calls.push('opened'), hop: () => undefined, closed: note('puller closed') },
    { node: 'b', cluster: 'one', peerNode: 'a', ...ofPuller },
    at(0),
  );
  const exchange = (now = 0): void => {
    for (let turn = 0; turn < 4; turn++) {
      for (const [from, to] of [
        [puller, holder],
        [holder, puller],
      ] as const) {
        if (from.queue.sizeBytes > 0) to.receive(waiting(from.queue), at(now));
      }
    }
  };
  return { holder, puller, calls, exchange };
}

describe('two relay peers', () => {
  it('greet each other and take wishes, also those said before the greeting was answered', () => {
    const { puller, calls, exchange } = pair();
    const id = puller.subscribe({ ref: show, rendition: '', epoch: 0, hops: ['b'] }, new Receiver());
    exchange();
    puller.requestKeyframe(id);
    puller.unsubscribe(id);
    puller.unsubscribe(id);
    exchange();
    expect(calls).toEqual(['subscribe 1', 'opened', 'keyframe 1', 'unsubscribed 1']);
  });

  it('agree on the highest version that both know, one back and one forth', () => {
    for (const versions of [
      { min: RELAY_VERSION, max: RELAY_VERSION + 1 },
      { min: RELAY_VERSION - 1, max: RELAY_VERSION },
    ]) {
      for (const { calls, exchange } of [pair({ versions }), pair({}, { versions })]) {
        exchange();
        expect(calls).toEqual(['opened']);
      }
    }
  });

  it.each([
    ['a version that is too new', { versions: { min: RELAY_VERSION + 1, max: RELAY_VERSION + 2 } }, 'relay.version'],
    ['a version that is too old', { versions: { min: 0, max: RELAY_VERSION - 1 } }, 'relay.version'],
    ['another cluster', { cluster: 'two' }, 'relay.wrong-cluster'],
    ['another node than its certificate', { node: 'c' }, 'relay.wrong-node'],
  ])('part when one has %s, and both know why', (_what, options, code) => {
    const { calls, exchange, holder, puller } = pair({}, options);
    exchange();
    expect(calls.filter((call) => call !== 'opened').sort()).toEqual([`holder closed ${code}`, `puller closed ${code}`]);
    expect([holder.isClosed, puller.isClosed]).toEqual([true, true]);
  });

  it('part when one says what its side does not say, or what comes before the greeting', () => {
    const say = (bytes: Uint8Array, greeted: boolean): string[] => {
      const { calls, exchange, holder } = pair();
      if (greeted) exchange();
      holder.receive(bytes, at(0));
      return calls;
    };
    expect(say(writeNotice('paused', 1), true)).toContain('holder closed relay.unexpected');
    expect(say(writePing(1, 0), false)).toContain('holder closed relay.no-hello');
    expect(say(writeSubscribe(1, { ref: show, rendition: '', epoch: 0, hops: ['x'] }), true)).toContain('holder closed relay.bad-message');
    expect(say(new ByteWriter().u32(1).u8(250).finish(), true)).toEqual(['opened']);
    expect(say(writeHello(1, 1, 'b', 'one'), true)).toContain('holder closed relay.unexpected');
  });

  it('do not take a stream that is of an older claim than was asked for, or that came through the puller', () => {
    const answers = [
      { epoch: 4, hops: ['a'], said: 'refused stale-epoch' },
      { epoch: 5, hops: ['b', 'a'], said: 'refused loop' },
      { epoch: 6, hops: ['a'], said: 'accepted' },
    ];
    for (const { epoch, hops, said } of answers) {
      const { puller, exchange } = pair();
      const receiver = new Receiver();
      exchange();
      puller.subscribe({ ref: show, rendition: '', epoch: 5, hops: ['b'] }, receiver);
      puller.receive(writeAccepted(1, 9, { epoch, hops, startedWallMs: 0, isResumed: false, agent: '' }), at(0));
      expect(receiver.calls).toEqual([said]);
    }
  });

  it('ping each other, and part after three seconds of silence', () => {
    const { puller, holder, calls, exchange } = pair();
    for (let now = 0; now <= 5_000; now += 250) {
      puller.tick(at(now));
      holder.tick(at(now));
      exchange(now);
    }
    expect(puller.rttMs).toBe(0);
    for (let now = 5_250; now <= 8_250; now += 250) holder.tick(at(now));
    expect(calls).toEqual(['opened', 'holder closed relay.silent']);
  });

  it('survive anything that is sent to them', () => {
    const greeting = [writeHello(1, 1, 'b', 'one')];
    const anything = fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 }),
      fc.boolean(),
      (bodies, greeted) => {
        const { holder, puller } = pair();
        if (greeted) {
          for (const bytes of greeting) holder.receive(bytes, at(0));
          puller.receive(writeHello(1, 1, 'a', 'one'), at(0));
        }
        for (const body of bodies) {
          const message = new ByteWriter()
            .u32(body.length)
            .put(body.map((byte, index) => (index === 0 ? byte % 18 : byte)))
            .finish();
          holder.receive(message, at(0));
          puller.receive(message, at(0));
        }
        expect(holder.queue.sizeBytes).toBeLessThan(10_000);
      },
    );
    fc.assert(anything, { numRuns });
  });
});

describe('Heartbeat', () => {
  it('does not blame the peer when this process did not run', () => {
    const heartbeat = new Heartbeat(at(0));
    heartbeat.tick(at(0));
    expect(heartbeat.tick(at(60_000))).not.toBe('silent');
    expect(heartbeat.tick(at(60_750))).not.toBe('silent');
    expect(heartbeat.tick(at(61_000))).toBe('silent');
  });

  it('tells how long something was on its way, by the clock of the shortest round trip', () => {
    const heartbeat = new Heartbeat(at(0));
    expect(heartbeat.transitMs(1_000_000, at(0))).toBeUndefined();
    // The peer's clock is a million ahead; the way there takes 5 ms, the way back 5 ms, once 5 and 45.
    for (const [sentMs, backMs] of [
      [0, 45],
      [1_000, 5],
      [2_000, 45],
    ] as const) {
      const due = heartbeat.tick(at(sentMs));
      if (typeof due === 'object') heartbeat.pong(due.ping, sentMs, 1_000_000 + sentMs + 5, at(sentMs + 5 + backMs));
    }
    expect(heartbeat.rttMs).toBe(50);
    expect(heartbeat.transitMs(1_003_000, at(3_007))).toBeCloseTo(7, 6);
    expect(heartbeat.transitMs(1_003_000, at(2_990))).toBe(0);
  });
});

describe('SendQueue', () => {
  it('keeps the order, and forgets one owner', () => {
    const queue = new SendQueue();
    const [one, two] = [{}, {}];
    queue.push(Uint8Array.of(1), one);
    queue.push(Uint8Array.of(2, 2), two);
    queue.push(Uint8Array.of(3));
    queue.push(Uint8Array.of(4), one);
    expect([queue.sizeBytes, queue.sizeOf(one), queue.sizeOf(two)]).toEqual([5, 2, 2]);
    expect(queue.drop(one)).toBe(2);
    expect([queue.sizeBytes, queue.sizeOf(one)]).toEqual([3, 0]);
    expect(waiting(queue)).toEqual(Uint8Array.of(2, 2, 3));
    expect(waiting(queue)).toEqual(Uint8Array.of());
    expect(queue.sizeBytes).toBe(0);
  });

  it('sends the rest of what it began, whatever is forgotten', () => {
    for (const forget of ['drop', 'clear'] as const) {
      for (let begun = 1; begun < 5; begun++) {
        const queue = new SendQueue();
        const owner = {};
        queue.push(Uint8Array.of(1, 2), owner, Uint8Array.of(3, 4, 5));
        queue.push(Uint8Array.of(6), owner);
        const start = new Uint8Array(begun);
        expect(queue.read(start)).toBe(begun);
        queue[forget](owner);
        expect([...start, ...waiting(queue)], `${forget} after ${begun}`).toEqual([1, 2, 3, 4, 5]);
        queue.push(Uint8Array.of(7));
        expect([...waiting(queue)]).toEqual([7]);
        expect(queue.sizeOf(owner)).toBe(0);
      }
    }
  });

  it('fills what it is given, over the ends of messages', () => {
    const queue = new SendQueue();
    for (let index = 0; index < 1_000; index += 4)
      queue.push(Uint8Array.of(index, index + 1), undefined, Uint8Array.of(index + 2, index + 3));
    const bytes: number[] = [];
    const piece = new Uint8Array(7);
    for (let length = queue.read(piece); length > 0; length = queue.read(piece)) bytes.push(...piece.subarray(0, length));
    expect(bytes).toEqual(Array.from({ length: 1_000 }, (_, index) => index & 0xff));
  });
});
