import { availableParallelism } from 'node:os';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { makeSource } from './test-media.fixture.ts';
import { type ChildPurpose, TranscodeChildren } from './transcode-children.ts';
import { audioRung, RunningTranscoder } from './transcoder.fixture.ts';
import type { Transcoder } from './transcoder.ts';

const PATIENCE = { timeout: 20_000 };
const SOUND_S = 1;

describe('TranscodeChildren', () => {
  let children: TranscodeChildren;
  const taken: Transcoder[] = [];
  const start = (): void => {
    children = new TranscodeChildren(pino({ level: 'silent' }));
  };
  const take = (purpose: ChildPurpose, failures = 0): Transcoder => {
    const child = children.take(purpose, failures);
    taken.push(child);
    return child;
  };
  const pids = (): number[] => taken.map(({ pid }) => pid ?? 0);
  afterEach(async () => {
    await Promise.all([...taken.splice(0).map((child) => child.close()), children.close()]);
  });

  it('keeps some ready, and has no more of them load at a time than the machine can', async () => {
    start();
    children.warm();
    await expect.poll(() => children.mayTake('video'), PATIENCE).toBe(true);
    while (children.mayTake('video')) take('video');
    expect(taken.length).toBeLessThanOrEqual(Math.max(2, availableParallelism()) + 1);
    await expect.poll(() => children.mayTake('video'), PATIENCE).toBe(true);
    expect(taken.every(({ isGone }) => !isGone)).toBe(true);
    await expect.poll(() => taken.every(({ hasStarted }) => hasStarted), PATIENCE).toBe(true);
  });

  it('has the sound of sixteen streams made by one child; of streams that failed, fewer and fewer share one', async () => {
    start();
    for (let index = 0; index < 17; index++) take('audio');
    expect(new Set(pids().slice(0, 16)).size).toBe(1);
    expect(pids()[16]).not.toBe(pids()[0]);
    for (let index = 0; index < 5; index++) take('audio', 1);
    expect(new Set(pids().slice(17, 21)).size).toBe(1);
    expect(new Set(pids()).size).toBe(4);
    take('audio', 2);
    take('audio', 3);
    expect(new Set(pids()).size).toBe(6);
    expect(take('video').pid).not.toBe(take('video').pid);
    await expect.poll(() => taken.every(({ hasStarted }) => hasStarted), { timeout: 60_000 }).toBe(true);
  });

  it('whose place is left goes on for the others, and ends with the last', async () => {
    start();
    const { tracks, frames } = await makeSource({ audio: { codec: 'aac', sampleRate: 48_000, channels: 2 }, seconds: SOUND_S });
    const run = (): RunningTranscoder => new RunningTranscoder(take('audio')).start(tracks, [audioRung('opus', 'opus')]);
    const [first, second, third] = [run(), run(), run()];
    for (const each of [first, second, third]) each.feed(frames);
    const count = (SOUND_S * 1000) / 20 - 5;
    for (const each of [first, second, third]) await each.untilFrames('opus', count);
    const timesOf = (each: RunningTranscoder): number[] =>
      each
        .of('opus')
        .slice(0, count)
        .map(({ pts }) => pts);
    expect(timesOf(first)).toEqual(timesOf(second));
    await second.until('its part of the work is told', () => second.heartbeats > 0 && second.transcoder.stats().cpuS > 0);

    await first.transcoder.close();
    third.transcoder.kill();
    await third.until('the end is told', () => third.exits.length > 0);
    expect(third.exits).toEqual(['its place in a shared process was taken from it']);
    // The place is given to another one, which begins anew.
    const fourth = run().feed(frames);
    await fourth.untilFrames('opus', count);
    expect(fourth.transcoder.pid).toBe(second.transcoder.pid);
    expect(second.exits).toEqual([]);

    process.kill(second.transcoder.pid ?? 0, 'SIGKILL');
    for (const each of [second, fourth]) await each.until('the end is told', () => each.exits.length > 0);
    expect([second.exits, fourth.exits]).toEqual([['signal SIGKILL'], ['signal SIGKILL']]);
    expect(take('audio').pid).not.toBe(second.transcoder.pid);
  });
});
