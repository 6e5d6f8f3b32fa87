import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerEvent } from '../api/mod.ts';
import { EventBatch } from './event-batch.ts';

const app = (name: string): ServerEvent => ({ type: 'app.changed', data: { app: name } });

describe('events that come together', () => {
  const told: (readonly ServerEvent[])[] = [];
  let batch: EventBatch;
  beforeEach(() => {
    vi.useFakeTimers();
    told.length = 0;
    batch = new EventBatch((events) => told.push(events));
  });
  afterEach(() => {
    batch.close();
    vi.useRealTimers();
  });

  it('are told together, and each once', () => {
    for (const event of [app('a'), app('b'), app('a')]) batch.add(event);
    expect(told).toEqual([]);
    vi.runAllTimers();
    batch.add(app('a'));
    vi.runAllTimers();
    expect(told).toEqual([[app('a'), app('b')], [app('a')]]);
  });

  it('are one without a name when they are too many of a kind', () => {
    for (let index = 0; index < 1_000; index++) batch.add(app(`a${index}`));
    batch.add({ type: 'config.changed', data: { version: 7 } });
    vi.runAllTimers();
    expect(told).toEqual([
      [
        { type: 'app.changed', data: {} },
        { type: 'config.changed', data: { version: 7 } },
      ],
    ]);
  });
});
