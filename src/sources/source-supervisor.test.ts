import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs } from '../core/mod.ts';
import { type SourceMode, SourceSupervisor } from './source-supervisor.ts';

class Bench {
  readonly calls: string[] = [];
  readonly supervisor: SourceSupervisor;
  now = 0;

  constructor(mode: SourceMode, lingerMs = 10_000, isListener = false) {
    const out = {
      start: () => this.calls.push('start'),
      stop: (end: string) => this.calls.push(`stop ${end}`),
      retryIn: (delayMs: number, failure: { code: string }) => this.calls.push(`retry ${delayMs} ${failure.code}`),
    };
    const options = { mode, lingerMs: durationMs(lingerMs), stallMs: durationMs(5_000), isListener };
    this.supervisor = new SourceSupervisor(out, options, monotonicMs(0));
  }

  /** Time passes in steps of 250 ms; `each` is called at each. */
  pass(ms: number, each: () => void = () => undefined): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 250;
      each();
      this.supervisor.tick(monotonicMs(this.now));
    }
  }

  take(): string[] {
    return this.calls.splice(0);
  }

  ask(): void {
    this.supervisor.ask(monotonicMs(this.now));
  }
  frame(): void {
    this.supervisor.frame(monotonicMs(this.now));
  }
  watched(): void {
    this.supervisor.watched(monotonicMs(this.now));
  }
  exited(code = 'sources.ended'): void {
    this.supervisor.exited({ code, message: 'over' }, monotonicMs(this.now));
  }
}

describe('a source on demand', () => {
  it('is not opened before somebody asks, and ends when nobody has watched for its linger time', () => {
    const bench = new Bench('on-demand');
    bench.pass(60_000);
    expect(bench.take()).toEqual([]);
    bench.ask();
    bench.ask();
    expect(bench.take()).toEqual(['start']);
    bench.frame();
    bench.pass(60_000, () => {
      bench.frame();
      bench.watched();
    });
    expect(bench.supervisor.state).toBe('running');
    bench.pass(9_500, () => bench.frame());
    expect(bench.take()).toEqual([]);
    bench.pass(1_000, () => bench.frame());
    expect(bench.take()).toEqual(['stop not-wanted']);
    bench.exited();
    expect(bench.supervisor).toMatchObject({ state: 'idle', attempts: 1, lastFailure: undefined });
  });

  it('is kept for a while for those who were let in, also with a short linger time', () => {
    const bench = new Bench('on-demand', 0);
    bench.ask();
    bench.pass(4_500);
    expect(bench.take()).toEqual(['start']);
    bench.pass(1_000);
    expect(bench.take()).toEqual(['stop not-wanted']);
  });

  it('is opened again when somebody asks while it ends', () => {
    const bench = new Bench('on-demand');
    bench.ask();
    bench.frame();
    bench.pass(10_250, () => bench.frame());
    expect(bench.take()).toEqual(['start', 'stop not-wanted']);
    bench.ask();
    expect(bench.take()).toEqual([]);
    bench.exited();
    expect(bench.take()).toEqual(['start']);
  });

  it('is not tried more often because somebody asks again and again', () => {
    const bench = new Bench('on-demand');
    bench.ask();
    bench.exited('sources.open-failed');
    expect(bench.take()).toEqual(['start', 'retry 1000 sources.open-failed']);
    bench.pass(750, () => bench.ask());
    expect(bench.take()).toEqual([]);
    bench.pass(250, () => bench.ask());
    expect(bench.take()).toEqual(['start']);
  });

  it('is not tried again once nobody asks any more', () => {
    const bench = new Bench('on-demand');
    bench.ask();
    for (let failures = 0; failures < 8 && bench.supervisor.state !== 'idle'; failures++) {
      bench.exited();
      bench.pass(30_000);
    }
    expect(bench.supervisor.state).toBe('idle');
    expect(bench.supervisor.attempts).toBeLessThan(5);
  });
});

describe('a source that is always wanted', () => {
  it('is opened again with growing pauses up to 30 s, without end', () => {
    const bench = new Bench('always');
    bench.pass(250);
    expect(bench.take()).toEqual(['start']);
    const pauses: string[] = [];
    for (let failure = 0; failure < 8; failure++) {
      bench.exited();
      pauses.push(bench.take()[0] ?? '');
      bench.pass(31_000, () => {
        if (bench.supervisor.state === 'starting') bench.frame();
        else if (bench.supervisor.state === 'running' && bench.now % 4000 === 0) bench.frame();
      });
      bench.take();
      if (bench.supervisor.state === 'waiting') break;
    }
    expect(pauses.slice(0, 3)).toEqual(['retry 1000 sources.ended', 'retry 2000 sources.ended', 'retry 4000 sources.ended']);
    expect(bench.supervisor.attempts).toBeGreaterThan(8);
  });

  it('starts over with a short pause once it has run for a while', () => {
    const bench = new Bench('always');
    bench.pass(250);
    bench.exited();
    bench.pass(1_000);
    bench.frame();
    bench.pass(40_000, () => bench.frame());
    bench.take();
    bench.exited();
    expect(bench.take()).toEqual(['retry 1000 sources.ended']);
  });

  it('is ended and opened again when its input stalls, and when it never gave a frame', () => {
    const bench = new Bench('always');
    bench.pass(250);
    bench.pass(15_000);
    expect(bench.take()).toEqual(['start', 'stop failed']);
    bench.exited('signal SIGKILL');
    expect(bench.take()).toEqual(['retry 1000 sources.no-frames']);
    bench.pass(1_000);
    bench.frame();
    bench.pass(5_000);
    expect(bench.take()).toEqual(['start', 'stop failed']);
    bench.pass(5_000);
    expect(bench.take()).toEqual(['stop failed']);
    bench.exited();
    expect(bench.take()).toEqual(['retry 2000 sources.stalled']);
    expect(bench.supervisor.lastFailure).toMatchObject({ code: 'sources.stalled' });
  });

  it('is not blamed for a pause of this process', () => {
    const bench = new Bench('always');
    bench.pass(250);
    bench.frame();
    bench.now += 60_000;
    bench.supervisor.tick(monotonicMs(bench.now));
    bench.frame();
    bench.pass(4_000);
    expect(bench.take()).toEqual(['start']);
  });

  it('fails by what happens outside of it, and ends for good when it is closed', () => {
    const bench = new Bench('always');
    bench.pass(250);
    bench.supervisor.fail({ code: 'sources.stream-taken', message: 'somebody publishes it' }, monotonicMs(bench.now));
    bench.exited();
    expect(bench.take()).toEqual(['start', 'stop failed', 'retry 1000 sources.stream-taken']);
    bench.pass(1_000);
    bench.supervisor.close(monotonicMs(bench.now));
    bench.exited();
    bench.pass(60_000);
    expect(bench.take()).toEqual(['start', 'stop not-wanted']);
  });
});

describe('a source that waits for its sender', () => {
  it('waits for ever, and is open again after one second however often it failed', () => {
    const bench = new Bench('always', 10_000, true);
    bench.pass(3_600_000);
    expect(bench.take()).toEqual(['start']);
    for (let attempt = 0; attempt < 5; attempt++) {
      bench.frame();
      bench.exited();
      bench.pass(1_250);
      expect(bench.take()).toEqual(['retry 1000 sources.ended', 'start']);
    }
  });

  it('is opened anew when its sender falls silent', () => {
    const bench = new Bench('always', 10_000, true);
    bench.pass(60_000);
    bench.frame();
    bench.pass(5_250);
    expect(bench.take()).toEqual(['start', 'stop failed']);
  });

  it('on demand is open only while somebody wants it', () => {
    const bench = new Bench('on-demand', 10_000, true);
    bench.ask();
    bench.pass(10_250);
    expect(bench.take()).toEqual(['start', 'stop not-wanted']);
  });
});
