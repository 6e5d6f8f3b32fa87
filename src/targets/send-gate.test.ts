import { describe, expect, it } from 'vitest';
import { SendGate } from './send-gate.ts';

const key = { isLead: true, isKeyframe: true, sizeBytes: 100 };
const delta = { isLead: true, isKeyframe: false, sizeBytes: 100 };
const sound = { isLead: false, isKeyframe: true, sizeBytes: 10 };

describe('the gate before a connection', () => {
  it('opens with a keyframe of the pictures, and counts nothing before', () => {
    const gate = new SendGate(1000);
    expect([gate.admits(sound, 0), gate.admits(delta, 0), gate.admits(key, 0), gate.admits(sound, 100)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect([gate.dropped, gate.skips]).toEqual([0, 0]);
  });

  it('leaves out what is too much up to a keyframe that finds half of the room free', () => {
    const gate = new SendGate(1000);
    gate.admits(key, 0);
    expect(gate.admits(delta, 950)).toBe(false);
    expect([gate.admits(sound, 100), gate.admits(key, 600), gate.admits(delta, 0), gate.admits(key, 500)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect([gate.dropped, gate.skips]).toEqual([4, 1]);
  });

  it('takes a frame that is larger than the bound when nothing waits', () => {
    const gate = new SendGate(50);
    expect([gate.admits(key, 0), gate.admits(delta, 0)]).toEqual([true, true]);
  });
});
