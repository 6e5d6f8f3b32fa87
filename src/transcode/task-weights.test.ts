import { describe, expect, it } from 'vitest';
import { TaskWeights } from './task-weights.ts';
import type { WeightRule } from './weight-rules.ts';

const rule = (more: Partial<WeightRule>): WeightRule => ({ app: '*', stream: '*', rung: '*', viewersMin: 0, weight: 1, ...more });

describe('what the rules say of a task', () => {
  it('goes by app and name', () => {
    const weights = new TaskWeights({ v: 1, rules: [rule({ app: 'live', stream: 'show-*', weight: 2 })], pins: [] });
    const of = (stream: string): number => weights.of(stream, '720p', 1).weight;
    expect(['live/show-1', 'live/other', 'other/show-1'].map(of)).toEqual([2, 1, 1]);
  });

  it('goes by rung and viewers, the first rule that matches', () => {
    const rules = [rule({ rung: '720p', viewersMin: 10, weight: 5 }), rule({ rung: '*p', weight: 3 })];
    const weights = new TaskWeights({ v: 1, rules, pins: [] });
    const of = (rung: string, viewers: number): number => weights.of('live/show', rung, viewers).weight;
    expect([of('720p', 10), of('720p', 9), of('480p', 10), of('sound', 10)]).toEqual([5, 3, 3, 1]);
  });

  it('knows whether any rule asks for viewers', () => {
    const asks = (viewersMin: number): boolean => new TaskWeights({ v: 1, rules: [rule({}), rule({ viewersMin })], pins: [] }).goByViewers;
    expect([asks(0), asks(1)]).toEqual([false, true]);
  });

  it('has the pin of the rung before that of the whole stream, with the weight of the rules', () => {
    const pins = [
      { stream: 'live/show', rung: undefined, node: 'n1' },
      { stream: 'live/show', rung: '720p', node: 'n2' },
    ];
    const weights = new TaskWeights({ v: 1, rules: [rule({ weight: 4 })], pins });
    expect(weights.of('live/show', '720p', 1)).toEqual({ weight: 4, isPinned: true, pinnedTo: 'n2' });
    expect(weights.of('live/show', '480p', 1)).toEqual({ weight: 4, isPinned: true, pinnedTo: 'n1' });
    expect(weights.of('live/other', '480p', 1)).toEqual({ weight: 4, isPinned: false, pinnedTo: undefined });
  });
});
