import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../backoff/backoff.ts';
import { PLAYER_DEFAULTS, PlayerMachine, type PlayerOutput, type PlayerPhase, type Presence } from './player-machine.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** A player in virtual time: records what the machine wants done. */
class Bench {
  readonly asked: string[] = [];
  readonly phases: PlayerPhase[] = [];
  now = 0;
  readonly machine: PlayerMachine;
  constructor() {
    const note = (what: string) => () => void this.asked.push(what);
    const out: PlayerOutput = {
      probe: note('probe'),
      start: note('start'),
      stop: note('stop'),
      recoverMedia: note('recoverMedia'),
      resumeLoading: note('resumeLoading'),
      changed: (state) => {
        if (this.phases.at(-1) !== state.phase) this.phases.push(state.phase);
      },
    };
    this.machine = new PlayerMachine(out, { ...PLAYER_DEFAULTS, random: () => 0.5 });
  }
  /** What was asked for since the last call. */
  take(): string[] {
    return this.asked.splice(0);
  }
  /** Goes to the machine's next wake-up and returns how long that took. */
  wake(): number {
    const at = this.machine.wakeAt;
    if (at === undefined) throw new Error('the machine does not want to be woken');
    const waited = at - this.now;
    this.now = at;
    this.machine.tick(this.now);
    return waited;
  }
  probed(presence: Presence): void {
    this.machine.probed(presence, this.now);
  }
  get phase(): PlayerPhase {
    return this.machine.state.phase;
  }
  static playing(): Bench {
    const bench = new Bench();
    bench.machine.open();
    bench.probed('live');
    bench.machine.progressed(0);
    bench.take();
    return bench;
  }
}

describe('a watch page', () => {
  it('plays a live stream at once', () => {
    const bench = new Bench();
    bench.machine.open();
    bench.probed('live');
    expect(bench.take()).toEqual(['probe', 'start']);
    bench.machine.progressed(50);
    expect(bench.phases).toEqual(['checking', 'starting', 'playing']);
    expect(bench.machine.wakeAt).toBeUndefined();
  });

  it('waits for a stream that is not there, asking ever less often, and plays it when it starts', () => {
    const bench = new Bench();
    bench.machine.open();
    bench.probed('absent');
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      waits.push(bench.wake());
      bench.probed('absent');
    }
    expect(waits).toEqual([1000, 2000, 4000, 5000, 5000]);
    bench.wake();
    bench.probed('live');
    expect(bench.phase).toBe('starting');
    expect(bench.take().at(-1)).toBe('start');
  });

  it('says so when the server does not answer, and goes on asking', () => {
    const bench = new Bench();
    bench.machine.open();
    bench.probed('unreachable');
    expect(bench.machine.state).toMatchObject({ phase: 'waiting', serverSilent: true });
    bench.wake();
    bench.probed('absent');
    expect(bench.machine.state).toMatchObject({ phase: 'waiting', serverSilent: false });
  });

  it('goes back to waiting when the stream ends', () => {
    const bench = Bench.playing();
    bench.machine.ended(100);
    expect(bench.take()).toEqual(['stop']);
    expect(bench.phase).toBe('waiting');
    bench.wake();
    bench.probed('live');
    expect(bench.take()).toEqual(['probe', 'start']);
  });

  it('goes back to waiting when the playlist is gone', () => {
    const bench = Bench.playing();
    bench.machine.failed('network', 'levelLoadError 404', 100);
    expect(bench.take()).toEqual(['probe']);
    bench.probed('absent');
    expect(bench.take()).toEqual(['stop']);
    expect(bench.phase).toBe('waiting');
  });

  it('keeps the engine and its picture through a hold, and plays on', () => {
    const bench = Bench.playing();
    bench.machine.stalled(0);
    bench.wake();
    bench.probed('held');
    expect(bench.phase).toBe('held');
    bench.machine.failed('network', 'levelLoadTimeOut', bench.now);
    for (let i = 0; i < 20; i++) {
      bench.wake();
      bench.probed('held');
    }
    const asked = bench.take();
    expect(asked).not.toContain('stop');
    expect(asked).toContain('resumeLoading');
    bench.wake();
    bench.probed('live');
    expect(bench.phase).toBe('stalled');
    bench.machine.progressed(bench.now + 300);
    expect(bench.phase).toBe('playing');
    expect(bench.machine.state.stalls).toBe(1);
  });

  it('ends a hold in waiting when nobody comes back', () => {
    const bench = Bench.playing();
    bench.machine.stalled(0);
    bench.wake();
    bench.probed('held');
    bench.wake();
    bench.probed('absent');
    expect(bench.phase).toBe('waiting');
    expect(bench.take()).toContain('stop');
  });

  it('loads a stream anew that is live and shows nothing', () => {
    const bench = Bench.playing();
    bench.machine.stalled(0);
    while (bench.phase === 'stalled') {
      bench.wake();
      if (bench.take().includes('probe')) bench.probed('live');
    }
    expect(bench.phase).toBe('recovering');
    expect(bench.now).toBeGreaterThanOrEqual(PLAYER_DEFAULTS.restartAfterMs);
    expect(bench.now).toBeLessThan(PLAYER_DEFAULTS.restartAfterMs + 2 * PLAYER_DEFAULTS.doubtAfterMs);
    bench.wake();
    bench.probed('live');
    expect(bench.take()).toEqual(['probe', 'start']);
  });

  it('plays what is buffered while the server is silent, loads on when it answers, and keeps the picture', () => {
    const bench = Bench.playing();
    bench.machine.failed('network', 'levelLoadError', 0);
    bench.machine.progressed(0);
    expect(bench.phase).toBe('playing');
    bench.probed('unreachable');
    bench.machine.stalled(500);
    for (let i = 0; i < 20; i++) {
      bench.wake();
      bench.machine.failed('network', 'levelLoadError', bench.now);
      bench.probed('unreachable');
    }
    expect(bench.machine.state).toMatchObject({ phase: 'stalled', serverSilent: true });
    expect(bench.take()).not.toContain('stop');
    bench.wake();
    bench.probed('live');
    expect(bench.take()).toEqual(['resumeLoading', 'probe']);
    bench.machine.progressed(bench.now);
    expect(bench.machine.state).toMatchObject({ phase: 'playing', serverSilent: false });
    expect(bench.machine.wakeAt).toBeUndefined();
  });

  it('does not count the time it waited as failures', () => {
    const bench = new Bench();
    bench.machine.open();
    for (let i = 0; i < 50; i++) {
      bench.probed('absent');
      bench.wake();
    }
    bench.probed('live');
    bench.machine.failed('other', 'internalException', bench.now);
    expect(bench.phase).toBe('recovering');
  });

  it('recovers from a media error in place, from a second one by loading anew', () => {
    const bench = Bench.playing();
    bench.machine.failed('media', 'bufferAppendError', 0);
    expect(bench.take()).toEqual(['recoverMedia']);
    expect(bench.phase).toBe('playing');
    bench.machine.failed('media', 'bufferAppendError', 10);
    expect(bench.take()).toEqual(['stop']);
    expect(bench.phase).toBe('recovering');
  });

  it('forgets failures once it has played for a while', () => {
    const bench = Bench.playing();
    bench.machine.failed('media', 'a', 0);
    bench.machine.progressed(PLAYER_DEFAULTS.healthyAfterMs);
    bench.take();
    bench.machine.failed('media', 'b', PLAYER_DEFAULTS.healthyAfterMs + 1);
    expect(bench.take()).toEqual(['recoverMedia']);
    expect(bench.machine.state.fatalErrors).toBe(2);
  });

  it('gives up after failures in a row, and starts over when the viewer asks', () => {
    const bench = Bench.playing();
    for (let i = 0; bench.phase !== 'failed' && i < 100; i++) {
      bench.machine.failed('other', 'internalException', bench.now);
      if (bench.phase !== 'recovering') continue;
      bench.wake();
      bench.probed('live');
    }
    expect(bench.machine.state).toMatchObject({
      phase: 'failed',
      failure: { kind: 'other' },
      fatalErrors: PLAYER_DEFAULTS.failuresMax + 1,
    });
    expect(bench.machine.wakeAt).toBeUndefined();
    bench.machine.open();
    bench.probed('live');
    expect(bench.phase).toBe('starting');
  });

  it('loads anew at once when the stream is to be played in another way, without counting a failure', () => {
    const bench = Bench.playing();
    bench.machine.reload(5);
    expect(bench.take()).toEqual(['stop', 'start']);
    expect(bench.machine.state).toMatchObject({ phase: 'starting', fatalErrors: 0 });
    bench.machine.ended(6);
    bench.take();
    bench.machine.reload(7);
    expect(bench.take()).toEqual([]);
    expect(bench.phase).toBe('waiting');
  });

  it('gives up what the chosen transport cannot play, until another is chosen', () => {
    const bench = Bench.playing();
    bench.machine.failed('unavailable', 'the server has no WebRTC', 5);
    expect(bench.phase).toBe('failed');
    bench.take();
    bench.machine.reload(6);
    expect(bench.phase).toBe('checking');
    expect(bench.take()).toEqual(['probe']);
  });

  it('does not try again what the browser cannot play', () => {
    const bench = Bench.playing();
    bench.machine.failed('unsupported', 'hvc1', 5);
    expect(bench.phase).toBe('failed');
    expect(bench.take()).toEqual(['stop']);
  });

  it('always either plays, waits for an answer, wants to be woken, or has given up', () => {
    const event = fc.oneof(
      fc.constantFrom<Presence>('live', 'held', 'absent', 'unreachable').map((presence) => (bench: Bench) => {
        if (bench.asked.includes('probe')) {
          bench.take();
          bench.probed(presence);
        }
      }),
      fc.constantFrom('network', 'media', 'other').map((kind) => (bench: Bench) => bench.machine.failed(kind as 'network', 'x', bench.now)),
      fc.constant((bench: Bench) => bench.machine.progressed(bench.now)),
      fc.constant((bench: Bench) => bench.machine.stalled(bench.now)),
      fc.constant((bench: Bench) => bench.machine.ended(bench.now)),
      fc.constant((bench: Bench) => bench.machine.reload(bench.now)),
      fc.constant((bench: Bench) => void (bench.machine.wakeAt !== undefined && bench.wake())),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const bench = new Bench();
        bench.machine.open();
        for (const happen of events) {
          happen(bench);
          const { phase } = bench.machine.state;
          const alive = phase === 'playing' || phase === 'failed' || bench.asked.includes('probe') || bench.machine.wakeAt !== undefined;
          expect(alive, phase).toBe(true);
        }
      }),
      { numRuns },
    );
  });
});

describe('backoff', () => {
  it('stays between 80 % of the first delay and the greatest', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const delay = backoffMs({ firstMs: 1000, maxMs: 5000 }, attempt, random);
        expect(delay).toBeGreaterThanOrEqual(800);
        expect(delay).toBeLessThanOrEqual(5000);
      }),
      { numRuns },
    );
  });
});
