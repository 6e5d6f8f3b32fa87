import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { type Delivery, DeliveryQueue, retryDelayMs } from './delivery-queue.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);

function delivery(id: string, changes: Partial<Delivery> = {}): Delivery {
  return {
    id,
    hook: 'h',
    type: 'stream.started',
    lane: 'live/show',
    body: '{}',
    createdAtMs: 0,
    deadlineMs: 86_400_000,
    attempts: 0,
    ...changes,
  };
}

function setUp(limits: { perHookMax?: number; waitingMax?: number; inFlightMax?: number } = {}) {
  const sent: Delivery[] = [];
  const events: string[] = [];
  const queue = new DeliveryQueue(
    {
      send: (each) => sent.push(each),
      postponed: ({ id, attempts }) => events.push(`${id} postponed ${attempts}`),
      died: ({ id, attempts }) => events.push(`${id} died ${attempts}`),
    },
    { perHookMax: 100, waitingMax: 1_000, inFlightMax: 4, random: () => 0, ...limits },
  );
  const settle = (id: string, isDelivered: boolean, now: number): void => {
    const found = sent.findLast((each) => each.id === id);
    if (found !== undefined) queue.settled(found, isDelivered, monotonicMs(now), now);
  };
  return { queue, sent, events, settle, ids: () => sent.map(({ id }) => id) };
}

describe('DeliveryQueue', () => {
  it('keeps the order of a lane, and lets other lanes pass', () => {
    const { queue, settle, ids } = setUp();
    for (const id of ['a1', 'a2']) queue.add(delivery(id));
    queue.add(delivery('b1', { lane: 'live/other' }));
    expect(ids()).toEqual(['a1', 'b1']);
    settle('a1', false, 0);
    settle('b1', true, 0);
    expect(ids()).toEqual(['a1', 'b1']);
    expect(queue.wakeAt).toBe(1_000);
    queue.tick(monotonicMs(999));
    expect(ids()).toHaveLength(2);
    queue.tick(monotonicMs(1_000));
    settle('a1', true, 1_000);
    expect(ids()).toEqual(['a1', 'b1', 'a1', 'a2']);
    settle('a2', true, 1_000);
    expect([queue.size, queue.wakeAt]).toEqual([0, undefined]);
  });

  it('waits longer after each failure, up to ten minutes, and less by up to a half', () => {
    expect([1, 2, 3, 10, 11, 200].map((attempts) => retryDelayMs(attempts, 0))).toEqual([1_000, 2_000, 4_000, 512_000, 600_000, 600_000]);
    expect(retryDelayMs(3, 0.999)).toBeCloseTo(2_002, 0);
  });

  it('gives up when the time is over', () => {
    const { queue, settle, events, sent } = setUp();
    queue.add(delivery('a', { deadlineMs: 4_000 }));
    queue.add(delivery('b', { deadlineMs: 100_000 }));
    settle('a', false, 0);
    queue.tick(monotonicMs(1_000));
    settle('a', false, 1_000);
    queue.tick(monotonicMs(3_000));
    settle('a', false, 3_000);
    expect(events).toEqual(['a postponed 1', 'a postponed 2', 'a died 3']);
    expect(sent.at(-1)?.id).toBe('b');
  });

  it('tries once where nothing is to be tried again', () => {
    const { queue, settle, events } = setUp();
    queue.add(delivery('a', { deadlineMs: 0 }));
    settle('a', false, 0);
    expect(events).toEqual(['a died 1']);
  });

  it('is bounded, each hook for itself', () => {
    const { queue, ids, settle } = setUp({ perHookMax: 3, inFlightMax: 2 });
    const taken = ['a', 'b', 'c', 'd'].map((id) => queue.add(delivery(id, { lane: id })));
    expect([taken, ids()]).toEqual([
      [true, true, true, false],
      ['a', 'b'],
    ]);
    expect(queue.add(delivery('x', { hook: 'other' }))).toBe(true);
    expect(ids()).toEqual(['a', 'b', 'x']);
    settle('b', true, 0);
    expect(ids()).toEqual(['a', 'b', 'x', 'c']);
  });

  it('forgets a hook that is gone, also what is being sent', () => {
    const { queue, ids, settle } = setUp();
    for (const id of ['a', 'b']) queue.add(delivery(id));
    expect(queue.forget('h').map(({ id }) => id)).toEqual(['a', 'b']);
    settle('a', true, 0);
    expect([ids(), queue.size]).toEqual([['a'], 0]);
  });

  it('keeps room for the others when some hooks have a great deal waiting', () => {
    const { queue } = setUp({ perHookMax: 1_000, waitingMax: 200 });
    const add = (hook: string, count: number): number =>
      Array.from({ length: count }, (_, at) => queue.add(delivery(`${hook}${at}`, { hook }))).filter(Boolean).length;
    expect([add('a', 300), add('b', 300), queue.size]).toEqual([200, 100, 300]);
    queue.forget('a');
    expect([queue.size, add('b', 300)]).toEqual([100, 100]);
    queue.forget('b');
    expect(queue.size).toBe(0);
  });

  it('delivers everything once and in the order of its lane, whatever fails', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ lane: fc.integer({ min: 0, max: 4 }), fails: fc.integer({ min: 0, max: 3 }) }), { maxLength: 40 }),
        (plan) => {
          const { queue, sent } = setUp({ inFlightMax: 2 });
          const done = new Map<number, number[]>();
          let at = 0;
          let settled = 0;
          for (const [index, { lane }] of plan.entries()) queue.add(delivery(String(index), { lane: `live/${lane}` }));
          for (let turns = 0; queue.size > 0 && turns < 1_000; turns++) {
            for (; settled < sent.length; settled++) {
              const each = sent[settled] as Delivery;
              const { lane, fails } = plan[Number(each.id)] as { lane: number; fails: number };
              if (each.attempts >= fails) done.set(lane, [...(done.get(lane) ?? []), Number(each.id)]);
              queue.settled(each, each.attempts >= fails, monotonicMs(at), at);
            }
            at = queue.wakeAt ?? at;
            queue.tick(monotonicMs(at));
          }
          expect(queue.size).toBe(0);
          for (const [lane, ids] of done) expect(ids).toEqual(plan.flatMap((each, index) => (each.lane === lane ? [index] : [])));
          expect([...done.values()].flat()).toHaveLength(plan.length);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
