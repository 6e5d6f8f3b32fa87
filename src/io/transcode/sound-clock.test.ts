import { describe, expect, it } from 'vitest';
import { SoundClock } from './sound-clock.ts';

const RATE = 48_000;
const FRAME = 1024;

describe('the clock of sound', () => {
  it('counts samples and not the source’s rounded times', () => {
    const clock = new SoundClock(RATE);
    for (let index = 0; index < 500; index++) {
      const roundedMs = Math.round((index * FRAME * 1000) / RATE);
      expect(clock.place((roundedMs * RATE) / 1000)).toBe(index === 0 ? 'restart' : 'append');
      clock.appended(FRAME);
    }
    expect(clock.nextSample).toBe(500 * FRAME);
  });

  it('begins anew behind a gap of more than 40 ms, and not behind a shorter one', () => {
    const clock = new SoundClock(RATE);
    clock.place(0);
    clock.appended(FRAME);
    expect(clock.place(FRAME + 0.04 * RATE)).toBe('append');
    clock.appended(FRAME);
    expect(clock.place(2 * FRAME + 0.041 * RATE)).toBe('restart');
    expect(clock.nextSample).toBe(2 * FRAME + 0.041 * RATE);
  });

  it('stays within 40 ms of a source whose clock is slow, and of one whose clock is fast', () => {
    for (const drift of [0.99, 1.01]) {
      const clock = new SoundClock(RATE);
      for (let index = 0; index < 2000; index++) {
        const start = index * FRAME * drift;
        if (clock.place(start) === 'skip') continue;
        expect(Math.abs(clock.nextSample - start)).toBeLessThanOrEqual(0.04 * RATE);
        clock.appended(FRAME);
      }
    }
  });
});
