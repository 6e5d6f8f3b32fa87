import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUBLISH_DEFAULTS, PublishMachine, type PublishOutput, type PublishPhase } from './publish-machine.ts';
import { SOURCE_ENDED } from './publish-problem.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** A publisher in virtual time: records what the machine wants done. */
class Bench {
  readonly asked: string[] = [];
  now = 0;
  readonly machine: PublishMachine;
  constructor() {
    const out: PublishOutput = {
      connect: () => void this.asked.push('connect'),
      disconnect: () => void this.asked.push('disconnect'),
      changed: () => undefined,
    };
    this.machine = new PublishMachine(out, { ...PUBLISH_DEFAULTS, random: () => 0.5 });
  }
  take(): string[] {
    return this.asked.splice(0);
  }
  wake(): number {
    const at = this.machine.wakeAt;
    if (at === undefined) throw new Error('the machine does not want to be woken');
    const waited = at - this.now;
    this.now = at;
    this.machine.tick(at);
    return waited;
  }
  get phase(): PublishPhase {
    return this.machine.state.phase;
  }
  static live(): Bench {
    const bench = new Bench();
    bench.machine.start(0);
    bench.machine.connected();
    bench.take();
    return bench;
  }
}

describe('publishing', () => {
  it('goes live and stops when asked', () => {
    const bench = new Bench();
    bench.machine.start(0);
    expect(bench.phase).toBe('connecting');
    bench.machine.connected();
    expect(bench.machine.state).toEqual({ phase: 'live', reconnects: 0 });
    bench.machine.stop();
    expect(bench.take()).toEqual(['connect', 'disconnect']);
    expect(bench.phase).toBe('idle');
  });

  it('connects again by itself after a drop, ever less often, and never gives up once it was live', () => {
    const bench = Bench.live();
    bench.machine.broken('gone', 0);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      waits.push(bench.wake());
      bench.machine.refused(0, 'the server does not answer', undefined, bench.now);
    }
    expect(waits).toEqual([1000, 1000, 2000, 4000, 8000, 10_000]);
    bench.wake();
    bench.machine.connected();
    expect(bench.machine.state).toEqual({ phase: 'live', reconnects: 1 });
  });

  it('waits for a server that has not noticed the drop yet, and as long as a full one asks', () => {
    const bench = Bench.live();
    bench.machine.broken('gone', 0);
    bench.wake();
    bench.machine.refused(409, 'taken', undefined, bench.now);
    expect(bench.phase).toBe('reconnecting');
    bench.wake();
    bench.machine.refused(503, 'full', 7000, bench.now);
    expect(bench.wake()).toBe(7000);
  });

  it.each([
    [401, 'key'],
    [403, 'key'],
    [404, 'not-offered'],
    [409, 'taken'],
    [422, 'codec'],
  ])('fails at the first %i and says so', (status, code) => {
    const bench = new Bench();
    bench.machine.start(0);
    bench.machine.refused(status, 'no', undefined, 5);
    expect(bench.machine.state).toMatchObject({ phase: 'failed', problem: { code } });
    expect(bench.machine.wakeAt).toBeUndefined();
    bench.machine.start(10);
    expect(bench.phase).toBe('connecting');
  });

  it('gives up a server that never answered after three attempts', () => {
    const bench = new Bench();
    bench.machine.start(0);
    for (let attempt = 0; attempt < 3; attempt++) {
      bench.wake();
      if (bench.phase === 'reconnecting') bench.wake();
    }
    expect(bench.machine.state).toMatchObject({ phase: 'failed', problem: { code: 'connection' } });
  });

  it('outlives a short interruption, not a long one', () => {
    const bench = Bench.live();
    bench.machine.interrupted(0);
    bench.machine.connected();
    expect(bench.machine.wakeAt).toBeUndefined();
    bench.machine.interrupted(0);
    bench.wake();
    expect(bench.phase).toBe('reconnecting');
  });

  it('stops with its source', () => {
    const bench = Bench.live();
    bench.machine.stop(SOURCE_ENDED);
    expect(bench.machine.state).toMatchObject({ phase: 'failed', problem: { code: 'source-ended' } });
  });

  it('always is idle, live, failed, or wants to be woken', () => {
    const event = fc.constantFrom<(bench: Bench) => void>(
      (bench) => bench.machine.start(bench.now),
      (bench) => bench.machine.stop(),
      (bench) => bench.machine.connected(),
      (bench) => bench.machine.interrupted(bench.now),
      (bench) => bench.machine.broken('x', bench.now),
      (bench) => bench.machine.refused(503, 'x', 1e9, bench.now),
      (bench) => bench.machine.refused(409, 'x', undefined, bench.now),
      (bench) => void (bench.machine.wakeAt !== undefined && bench.wake()),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const bench = new Bench();
        for (const happen of events) {
          happen(bench);
          const isResting = bench.phase === 'idle' || bench.phase === 'live' || bench.phase === 'failed';
          expect(isResting || bench.machine.wakeAt !== undefined, bench.phase).toBe(true);
        }
      }),
      { numRuns },
    );
  });
});
