import { describe, expect, it } from 'vitest';
import { InputQueue } from './input-queue.ts';

const busyFor = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

describe('InputQueue', () => {
  it('takes one after the other, and goes on behind a failure', async () => {
    const taken: number[] = [];
    const errors: unknown[] = [];
    const queue = new InputQueue<number>(
      async (item) => {
        await Promise.resolve();
        taken.push(item);
        if (item === 1) throw new Error('no');
      },
      (error) => errors.push(error),
    );
    for (const item of [0, 1, 2]) queue.push(item, 10);
    expect(queue.sizeBytes).toBe(20);
    await expect.poll(() => taken).toEqual([0, 1, 2]);
    expect(errors).toHaveLength(1);
    expect(queue.sizeBytes).toBe(0);
  });

  it('lets timers have their turn though its work waits for nothing', async () => {
    let taken = 0;
    const queue = new InputQueue<number>(
      async () => {
        busyFor(1);
        taken++;
        await Promise.resolve();
      },
      () => undefined,
    );
    const whenTimer = new Promise<number>((resolve) => setTimeout(() => resolve(taken), 1));
    for (let item = 0; item < 500; item++) queue.push(item, 1);
    expect(await whenTimer).toBeLessThan(250);
    await queue.clear();
    expect(queue.sizeBytes).toBe(0);
  });
});
