import { describe, expect, it } from 'vitest';
import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { TARGET_TIMES, TargetSupervisor } from './target-supervisor.ts';

const at = (ms: number): MonotonicMs => monotonicMs(ms);
const BROKEN = { code: 'targets.broken', message: 'it broke' };

function supervised(): { supervisor: TargetSupervisor; said: string[] } {
  const said: string[] = [];
  const out = { connect: () => said.push('connect'), disconnect: (isPolite: boolean) => said.push(isPolite ? 'goodbye' : 'cut') };
  return { supervisor: new TargetSupervisor(out, TARGET_TIMES, () => 0.5, at(0)), said };
}

/** Lets attempts fail one after the other; the delays before each retry. */
function delays(supervisor: TargetSupervisor, count: number): number[] {
  let now = 0;
  return Array.from({ length: count }, () => {
    supervisor.failed(BROKEN, at(now));
    const due = (supervisor.nextAttemptAt ?? 0) as number;
    const delay = due - now;
    supervisor.tick(at(due - 1));
    expect(supervisor.state).toBe('retrying');
    now = due;
    supervisor.tick(at(now));
    expect(supervisor.state).toBe('connecting');
    return delay;
  });
}

describe('the life of a target', () => {
  it('begins when the stream has something to send', () => {
    const { supervisor, said } = supervised();
    supervisor.tick(at(1000));
    expect(supervisor.state).toBe('waiting');
    supervisor.streamReady(at(2000));
    supervisor.streamReady(at(2001));
    expect([supervisor.state, said]).toEqual(['connecting', ['connect']]);
    supervisor.connected(at(2100));
    expect(supervisor.state).toBe('sending');
  });

  it('retries after 1 s, doubling up to 60 s', () => {
    const { supervisor } = supervised();
    supervisor.streamReady(at(0));
    expect(delays(supervisor, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect([supervisor.retries, supervisor.reason]).toEqual([8, BROKEN]);
  });

  it('is patient again after a good minute only', () => {
    const { supervisor } = supervised();
    supervisor.streamReady(at(0));
    delays(supervisor, 3);
    supervisor.connected(at(10_000));
    expect(supervisor.reason).toBeUndefined();
    supervisor.failed(BROKEN, at(30_000));
    expect(supervisor.nextAttemptAt).toBe(38_000);
    supervisor.tick(at(38_000));
    supervisor.connected(at(38_100));
    supervisor.failed(BROKEN, at(98_100));
    expect(supervisor.nextAttemptAt).toBe(99_100);
  });

  it('gives up an attempt that leads nowhere', () => {
    const { supervisor, said } = supervised();
    supervisor.streamReady(at(0));
    supervisor.tick(at(19_999));
    expect(supervisor.state).toBe('connecting');
    supervisor.tick(at(20_000));
    expect([supervisor.state, supervisor.reason?.code, said]).toEqual(['retrying', 'targets.connect-timeout', ['connect', 'cut']]);
  });

  it('cuts a connection that takes nothing for 10 s', () => {
    const { supervisor, said } = supervised();
    supervisor.streamReady(at(0));
    supervisor.connected(at(0));
    supervisor.progress(500, 100, at(1000));
    supervisor.progress(900, 100, at(5000));
    supervisor.tick(at(10_999));
    expect(supervisor.state).toBe('sending');
    supervisor.tick(at(11_000));
    expect([supervisor.state, supervisor.reason?.code, said.at(-1)]).toEqual(['retrying', 'targets.stalled', 'cut']);
  });

  it('does not take a stream without frames for a stall', () => {
    const { supervisor } = supervised();
    supervisor.streamReady(at(0));
    supervisor.connected(at(0));
    supervisor.progress(0, 100, at(1000));
    supervisor.tick(at(30_000));
    expect(supervisor.state).toBe('sending');
  });

  it('keeps its connection over a short drop of the publisher, and closes it over a long one', () => {
    const { supervisor, said } = supervised();
    supervisor.streamReady(at(0));
    supervisor.connected(at(0));
    supervisor.streamHeld(at(1000));
    supervisor.streamReady(at(6000));
    supervisor.tick(at(60_000));
    expect(supervisor.state).toBe('sending');
    supervisor.streamHeld(at(61_000));
    supervisor.streamHeld(at(70_000));
    supervisor.tick(at(76_000));
    expect([supervisor.state, said]).toEqual(['waiting', ['connect', 'goodbye']]);
    supervisor.streamReady(at(80_000));
    expect([supervisor.state, said.at(-1)]).toEqual(['connecting', 'connect']);
  });

  it('does not retry without a publisher', () => {
    const { supervisor } = supervised();
    supervisor.streamReady(at(0));
    supervisor.failed(BROKEN, at(10));
    supervisor.streamHeld(at(20));
    supervisor.tick(at(5000));
    expect(supervisor.state).toBe('waiting');
  });

  it('leaves a refusal as it is until something changes', () => {
    const { supervisor, said } = supervised();
    supervisor.streamReady(at(0));
    supervisor.refused({ code: 'targets.codec', message: 'vp9' }, at(10));
    supervisor.tick(at(100_000));
    supervisor.streamReady(at(100_000));
    expect([supervisor.state, said]).toEqual(['refused', ['connect']]);
    supervisor.reconsider(at(100_001));
    expect([supervisor.state, said]).toEqual(['connecting', ['connect', 'connect']]);
  });

  it('connects anew when what is sent changes', () => {
    const { supervisor, said } = supervised();
    supervisor.renew(at(0));
    supervisor.streamReady(at(0));
    supervisor.connected(at(0));
    supervisor.renew(at(10));
    expect([supervisor.state, said]).toEqual(['connecting', ['connect', 'goodbye', 'connect']]);
  });

  it('says goodbye when the stream ends, and nothing happens afterwards', () => {
    const { supervisor, said } = supervised();
    supervisor.streamReady(at(0));
    supervisor.connected(at(0));
    supervisor.stop(at(10));
    supervisor.failed(BROKEN, at(20));
    supervisor.streamReady(at(30));
    supervisor.tick(at(100_000));
    expect([supervisor.state, said]).toEqual(['stopped', ['connect', 'goodbye']]);
  });
});
