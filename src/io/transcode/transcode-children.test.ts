import { availableParallelism } from 'node:os';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { TranscodeChildren } from './transcode-children.ts';
import type { Transcoder } from './transcoder.ts';

const PATIENCE = { timeout: 20_000 };

describe('TranscodeChildren', () => {
  const children = new TranscodeChildren(pino({ level: 'silent' }));
  const taken: Transcoder[] = [];
  afterEach(async () => {
    await Promise.all([...taken.splice(0).map((child) => child.close()), children.close()]);
  });

  it('keeps one ready, and has no more of them load at a time than the machine can', async () => {
    children.warm();
    await expect.poll(() => children.mayTake).toBe(true);
    while (children.mayTake) taken.push(children.take());
    expect(taken.length).toBeLessThanOrEqual(Math.max(2, availableParallelism()) + 1);
    await expect.poll(() => children.mayTake, PATIENCE).toBe(true);
    expect(taken.every(({ isGone }) => !isGone)).toBe(true);
    await expect.poll(() => taken.every(({ hasStarted }) => hasStarted), PATIENCE).toBe(true);
  });
});
