import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeatHeap } from './seat-heap.ts';
import { Seats } from './seats.ts';
import { ShapeCosts } from './shape-costs.ts';
import { StreamState, TaskState } from './task-state.ts';
import { TaskWeights } from './task-weights.ts';
import { NO_WEIGHTS } from './weight-rules.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const HEIGHTS = [1080, 720, 480];

const stream = new StreamState(new TaskWeights(NO_WEIGHTS).ofStream('live/show'));
const costs = new ShapeCosts();
const states = HEIGHTS.map((height) => {
  const shape = { kind: 'video', codec: 'h264', width: (height * 16) / 9, height, frameRate: 30 } as const;
  return new TaskState({ stream: 'live/show', rung: `${height}p`, viewers: 1, region: 'eu', shape }, stream, costs.of(shape));
});
const task = fc.constantFrom(...states);

describe('nodes by what they have left', () => {
  it('are found as by a look at all of them, whatever is put and taken', () => {
    const node = fc.record({ tasksMax: fc.integer({ min: 1, max: 4 }), cpuMax: fc.constantFrom(0.2, 0.5, 1, undefined) });
    const change = fc.record({ at: fc.nat({ max: 11 }), state: task, sign: fc.constantFrom<1 | -1>(1, 1, -1) });
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 12 }), fc.array(change, { maxLength: 60 }), (nodes, changes) => {
        const heap = new SeatHeap();
        const seats = nodes.map((each, order) => new Seats({ id: `n${order}`, region: 'eu', state: 'active', ...each }, order));
        for (const each of seats) heap.add(each);
        for (const { at, state, sign } of changes) {
          const seat = seats[at % seats.length] as Seats;
          if (sign === 1 ? !seat.fits(state) : seat.left === nodes[seat.order]?.tasksMax) continue;
          seat.add(state, sign);
          heap.changed(seat);
          for (const asked of states) {
            const [best] = seats
              .filter((each) => each.fits(asked))
              .sort((a, b) => (a.headroom === b.headroom ? a.order - b.order : b.headroom - a.headroom));
            expect(heap.bestFor(asked)?.id).toBe(best?.id);
          }
        }
      }),
      { numRuns },
    );
  });
});
