import { beforeEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { type OriginAnswer, Standbys } from './standbys.ts';

const SHOW = 'live/show';
const TICK_MS = 50;

let now: number;
let isLive: boolean;
let origin: { node: string; epoch: number; isAlive: boolean } | undefined;
let isDisconnected: boolean;
let asked: { readonly node: string; readonly at: number; readonly answer: (answer: OriginAnswer, headMs?: number) => void }[];
let heads: (number | undefined)[];
let taken: (string | undefined)[];
let standbys: Standbys;

beforeEach(() => {
  [now, isLive, isDisconnected, asked, taken, heads] = [10_000, true, false, [], [], []];
  origin = { node: 'o1', epoch: 7, isAlive: true };
  standbys = new Standbys({
    now: () => monotonicMs(now),
    isLive: () => isLive,
    origin: () => origin,
    isDisconnected: () => isDisconnected,
    ask: (_name, node, answer) => void asked.push({ node, at: now, answer }),
    takePlace: (_name, from, head) => {
      taken.push(from);
      heads.push(head);
    },
  });
  standbys.add(SHOW, 'o1');
});

/** Lets time pass; each question is answered at once where there is an answer. */
function pass(ms: number, answer?: OriginAnswer): void {
  for (const end = now + ms; now < end; now += TICK_MS) {
    const before = asked.length;
    standbys.tick(monotonicMs(now));
    if (answer !== undefined) for (const question of asked.slice(before)) question.answer(answer);
  }
}

function disconnect(): void {
  isDisconnected = true;
  standbys.disconnected('o1');
}

describe('a publisher that stands by', () => {
  it('asks twice a second, and takes the place of an origin that has no publisher', () => {
    pass(10_000, 'live');
    expect(asked).toHaveLength(20);
    pass(500, 'held');
    expect([taken, standbys.has(SHOW), standbys.size]).toEqual([['o1'], false, 0]);
  });

  it('tells how far the origin may have come, by the question before its answer', () => {
    pass(1_000, 'live');
    asked.at(-1)?.answer('live', 3_600_000);
    pass(500);
    asked.at(-1)?.answer('none');
    expect(heads).toEqual([3_600_000 - (asked.at(-2)?.at ?? 0)]);
  });

  it('takes a place that nobody claims any more, but not while its own publisher is away', () => {
    isLive = false;
    origin = undefined;
    pass(5_000);
    expect([asked, taken]).toEqual([[], []]);
    isLive = true;
    pass(TICK_MS);
    expect(taken).toEqual([undefined]);
  });

  it('asks at once when the connection breaks, and takes the place of one that nobody serves', () => {
    pass(10_000, 'live');
    const before = asked.length;
    disconnect();
    asked[before]?.answer('nobody');
    expect([asked.length, taken]).toEqual([before + 1, ['o1']]);
    asked[before]?.answer('none');
    expect(taken).toHaveLength(1);
  });

  it('asks with the next tick when the claim changes', () => {
    pass(10_000, 'live');
    const before = asked.length;
    standbys.changed(SHOW);
    pass(TICK_MS, 'none');
    expect([asked.length, taken]).toEqual([before + 1, ['o1']]);
  });

  it.each<[string, OriginAnswer | undefined]>([
    ['does not answer', undefined],
    ['answers too late', 'timeout'],
    ['is not on the bus', 'nobody'],
    ['cannot be asked', 'unavailable'],
  ])('leaves an origin that %s where it is while its connection is there', (_what, answer) => {
    pass(60_000, answer);
    expect(taken).toEqual([]);
  });

  it('leaves an origin that answers where it is, though its connection is broken or it counts as dead', () => {
    disconnect();
    pass(10_000, 'live');
    origin = { node: 'o1', epoch: 7, isAlive: false };
    isDisconnected = false;
    pass(10_000, 'live');
    expect(taken).toEqual([]);
  });

  it.each([
    ['without a connection', () => disconnect()],
    ['that counts as dead', () => Object.assign(origin ?? {}, { isAlive: false })],
  ])('takes the place of an origin %s that has not answered for 1.5 s', (_what, lose) => {
    pass(10_000, 'live');
    lose();
    pass(1_400, 'timeout');
    expect(taken).toEqual([]);
    pass(700, 'timeout');
    expect(taken).toEqual(['o1']);
  });

  it('does not take its own standstill for that of the origin', () => {
    pass(10_000, 'live');
    pass(300);
    now += 20_000;
    disconnect();
    pass(1_400);
    expect(taken).toEqual([]);
    asked.at(-1)?.answer('live');
    pass(1_400);
    expect(taken).toEqual([]);
  });

  it('waits for whoever is the origin now', () => {
    pass(10_000);
    origin = { node: 'o2', epoch: 8, isAlive: true };
    isDisconnected = true;
    pass(1_000);
    asked[0]?.answer('none');
    expect(taken).toEqual([]);
    expect(asked.at(-1)?.node).toBe('o2');
    pass(1_000);
    expect(taken).toEqual(['o2']);
  });
});
