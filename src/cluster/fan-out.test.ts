import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FanOut, type FanOutChild } from './fan-out.ts';

const child = (node: string, rttMs?: number): FanOutChild => ({ node, rttMs });
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('the fan-out of a relayed stream', () => {
  it('serves as many nodes as it may, and sends the next one on to the nearest of them', () => {
    const fanOut = new FanOut(2);
    expect(fanOut.sendOn('live/a', 'c', [])).toBeUndefined();
    expect(fanOut.sendOn('live/a', 'c', [child('a', 5)])).toBeUndefined();
    expect(fanOut.sendOn('live/a', 'c', [child('a', 5), child('b', 3)])).toEqual(['b', 'a']);
  });

  it('spreads those that it sends on, as far as the ways are alike', () => {
    const fanOut = new FanOut(3);
    const children = [child('a', 1), child('b', 1), child('c', 1)];
    const firsts = Array.from({ length: 9 }, (_, at) => fanOut.sendOn('live/a', `n${at}`, children)?.[0]);
    for (const { node } of children) expect(firsts.filter((first) => first === node)).toHaveLength(3);
    // A child far away is chosen only when the near ones have had many.
    const far = [child('a', 1), child('b', 1), child('c', 101)];
    const later = Array.from({ length: 20 }, (_, at) => new FanOut(3).sendOn('live/a', `n${at}`, far)?.[0]);
    expect(later).not.toContain('c');
  });

  it('keeps the place of one that asks again', () => {
    expect(new FanOut(2).sendOn('live/a', 'a', [child('a'), child('b')])).toBeUndefined();
  });

  it('keeps nothing of streams that have room or are gone', () => {
    const fanOut = new FanOut(1);
    fanOut.sendOn('live/a', 'b', [child('a')]);
    fanOut.sendOn('live/b', 'b', [child('a')]);
    fanOut.forget('live/a');
    fanOut.sendOn('live/b', 'b', []);
    expect(fanOut.size).toBe(0);
  });

  it('makes a tree in which every node has a place, nobody has too many below, and which is no deeper than it must be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 120 }), fc.integer(), (childrenMax, count, seed) => {
        const below = new Map<string, FanOutChild[]>([['root', []]]);
        const fans = new Map<string, FanOut>();
        const rttOf = (node: string): number => ((seed >>> 0) * 31 + Number(node.slice(1)) * 17) % 3;
        let deepest = 0;
        for (let at = 0; at < count; at++) {
          const node = `n${at}`;
          let holder = 'root';
          for (let depth = 1; ; depth++) {
            expect(depth).toBeLessThanOrEqual(count);
            const children = below.get(holder) ?? [];
            const fan = fans.get(holder) ?? new FanOut(childrenMax);
            fans.set(holder, fan);
            const next = fan.sendOn('live/a', node, children)?.[0];
            if (next === undefined) {
              children.push(child(node, rttOf(node)));
              below.set(node, []);
              deepest = Math.max(deepest, depth);
              break;
            }
            holder = next;
          }
        }
        for (const children of below.values()) expect(children.length).toBeLessThanOrEqual(childrenMax);
        // Two levels more than a full tree: those near are preferred a little.
        const full = childrenMax === 1 ? count : Math.ceil(Math.log(count * (childrenMax - 1) + 1) / Math.log(childrenMax));
        expect(deepest).toBeLessThanOrEqual(full + 2);
      }),
      { numRuns },
    );
  });
});
