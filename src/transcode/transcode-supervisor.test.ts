import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { plannedPictures, plannedSound } from './ladder.fixture.ts';
import type { PlannedRung } from './ladder.ts';
import { TranscodeSupervisor } from './transcode-supervisor.ts';

const big = plannedPictures('720p', 720);
const small = plannedPictures('360p', 360);
const opus = plannedSound('opus');
const at = monotonicMs;
const names = (rungs: readonly PlannedRung[]): string => rungs.map(({ rung }) => rung.name).join('+');

/** A supervisor in virtual time, with a source of 25 frames a second and a child that does what it is told here. */
class World {
  now = 0;
  readonly told: string[] = [];
  heartbeats = true;
  outputs = true;
  queuedMs = 0;
  /** Whether the child starts and ends as it should. */
  obeys = true;
  /** Frames that the source sends. */
  sends: 'frames' | 'nothing' = 'frames';
  rungs: readonly PlannedRung[] = [];
  readonly supervisor = new TranscodeSupervisor({
    start: (rungs) => this.say(`start ${names(rungs)}`, rungs),
    setRungs: (rungs) => this.say(`set ${names(rungs)}`, rungs),
    kill: (reason) => this.say(`kill ${reason}`),
    restartIn: (delayMs, reason) => this.say(`restart in ${delayMs}: ${reason}`),
    shed: (rung) => this.say(`shed ${rung}`),
    lagging: (queuedMs) => this.say(`lagging ${queuedMs}`),
    gaveUp: (code, reason) => this.say(`${code}: ${reason}`),
  });

  private say(what: string, rungs = this.rungs): void {
    this.told.push(what);
    this.rungs = rungs;
  }

  take(): string[] {
    return this.told.splice(0);
  }

  want(rungs: readonly PlannedRung[], configuration = 'one'): void {
    this.supervisor.want(rungs, configuration, at(this.now));
  }

  exit(reason: string): void {
    this.supervisor.exited(reason, at(this.now));
  }

  /** Runs in steps of a frame; the supervisor is woken when it asked for it. */
  run(forMs: number): void {
    for (const endMs = this.now + forMs; this.now < endMs; ) {
      this.now += 40;
      const { supervisor } = this;
      const now = at(this.now);
      if (supervisor.wakeAt !== undefined && supervisor.wakeAt <= now) supervisor.tick(now);
      if (this.obeys && supervisor.state === 'starting') supervisor.started(now);
      if (this.obeys && supervisor.state === 'ending') supervisor.exited('killed', now);
      if (supervisor.state === 'running') this.work();
    }
  }

  private work(): void {
    const now = at(this.now);
    if (this.sends === 'frames') {
      this.supervisor.frameIn('video', this.now % 2000 === 0, this.now, now);
      this.supervisor.frameIn('audio', true, this.now, now);
      if (this.outputs) for (const { rung } of this.rungs) this.supervisor.frameOut(rung.name, now);
    }
    if (this.heartbeats && this.now % 1000 === 0) this.supervisor.heartbeat(now, this.queuedMs);
  }
}

describe('the supervisor', () => {
  it('starts a child when something is wanted and ends it when nothing is', () => {
    const world = new World();
    world.want([]);
    expect([world.take(), world.supervisor.wakeAt]).toEqual([[], undefined]);
    world.want([small, opus]);
    world.run(20_000);
    expect([world.take(), world.supervisor.state]).toEqual([['start 360p+opus'], 'running']);
    world.want([small, opus, big]);
    world.want([small, opus, big]);
    expect(world.take()).toEqual(['set 360p+opus+720p']);
    world.want([]);
    world.run(1000);
    expect([world.take(), world.supervisor.state, world.supervisor.wakeAt]).toEqual([['kill not-wanted'], 'idle', undefined]);
  });

  it('starts anew when wanted again while the child is still going', () => {
    const world = new World();
    world.want([small]);
    world.want([]);
    world.want([big]);
    expect(world.take()).toEqual(['start 360p', 'kill not-wanted']);
    world.run(40);
    expect(world.take()).toEqual(['start 720p']);
  });

  it('starts a crashed child again, later each time, and gives up after five crashes within a minute of media', () => {
    const world = new World();
    world.want([small]);
    const starts: number[] = [];
    for (let crash = 0; crash < 5; crash++) {
      world.run(2000);
      world.exit('SIGSEGV');
      starts.push(world.now);
    }
    expect(world.take()).toEqual([
      'start 360p',
      'restart in 200: SIGSEGV',
      'start 360p',
      'restart in 400: SIGSEGV',
      'start 360p',
      'restart in 800: SIGSEGV',
      'start 360p',
      'restart in 1600: SIGSEGV',
      'start 360p',
      'transcode.crashed-again: 5 failures within 60 s of media, the last one: SIGSEGV',
    ]);
    world.run(600_000);
    world.want([]);
    world.want([small]);
    expect([world.take(), world.supervisor.state, world.supervisor.restarts]).toEqual([[], 'gave-up', 4]);
    expect(world.supervisor.lastFailure).toContain('SIGSEGV');
    world.want([small], 'two');
    expect(world.take()).toEqual(['start 360p']);
  });

  it('does not give up on crashes that are far apart, and waits at most 10 s', () => {
    const world = new World();
    world.want([small]);
    for (let crash = 0; crash < 12; crash++) {
      world.run(30_000);
      world.exit('crash');
    }
    const told = world.take();
    expect(told.at(-1)).toBe('restart in 10000: crash');
    world.run(90_000);
    world.exit('crash');
    expect(world.take()).toEqual(['start 360p', 'restart in 200: crash']);
  });

  it('does not start again what nobody wants meanwhile', () => {
    const world = new World();
    world.want([small]);
    world.run(1000);
    world.exit('crash');
    world.want([]);
    world.run(5000);
    expect([world.take(), world.supervisor.state]).toEqual([['start 360p', 'restart in 200: crash'], 'idle']);
  });

  it('kills a child that says nothing for 3 s', () => {
    const world = new World();
    world.want([small]);
    world.run(2000);
    world.heartbeats = false;
    world.outputs = false;
    world.run(3120);
    expect(world.take()).toEqual(['start 360p', 'kill no-heartbeat', 'restart in 200: the child said nothing for 3 s']);
  });

  it('does not take a stall of its own process for one of the child', () => {
    const world = new World();
    world.want([small]);
    world.run(2000);
    world.now += 8000;
    world.supervisor.tick(at(world.now));
    world.run(5000);
    expect(world.take()).toEqual(['start 360p']);
    world.heartbeats = false;
    world.outputs = false;
    world.now += 8000;
    world.supervisor.tick(at(world.now));
    world.run(1080);
    expect(world.take()).toEqual(['kill no-heartbeat', 'restart in 200: the child said nothing for 3 s']);
  });

  it('kills a child that does not begin, and tells again when it stays', () => {
    const world = new World();
    world.obeys = false;
    world.want([small]);
    world.run(20_040);
    expect(world.take()).toEqual(['start 360p', 'kill start-timeout']);
    world.run(5000);
    expect(world.take()).toEqual(['kill start-timeout']);
    world.exit('gone');
    expect(world.take()).toEqual(['restart in 200: the child took no frames within 20 s']);
  });

  it('kills a child that takes frames and gives none for 5 s, but not while the source pauses', () => {
    const world = new World();
    world.want([small]);
    world.run(4000);
    world.take();
    world.outputs = false;
    world.run(1000);
    world.sends = 'nothing';
    world.run(20_000);
    expect(world.take()).toEqual([]);
    world.sends = 'frames';
    world.run(4900);
    expect(world.take()).toEqual([]);
    world.run(300);
    expect(world.take()).toEqual(['kill no-output', 'restart in 200: rung 360p gave no frame for 5 s though frames went in']);
  });

  it('waits for the first keyframe before it expects output', () => {
    const { supervisor, ...world } = new World();
    supervisor.want([small], 'one', at(0));
    supervisor.started(at(0));
    for (let now = 0; now < 20_000; now += 40) {
      supervisor.frameIn('video', false, now, at(now));
      supervisor.heartbeat(at(now), 0);
    }
    expect(world.told).toEqual(['start 360p']);
  });

  it('does not expect pictures while only sound goes in', () => {
    const { supervisor, ...world } = new World();
    supervisor.want([small, opus], 'one', at(0));
    supervisor.started(at(0));
    for (let now = 0; now < 20_000; now += 20) {
      supervisor.frameIn('audio', true, now, at(now));
      supervisor.frameOut('opus', at(now));
    }
    expect(world.told).toEqual(['start 360p+opus']);
  });

  it('sheds the most expensive rung of a child that falls behind, and tries it again later', () => {
    const world = new World();
    world.want([small, big, opus]);
    world.run(1000);
    world.queuedMs = 2500;
    world.run(6000);
    expect(world.take()).toEqual(['start 360p+720p+opus', 'shed 720p', 'set 360p+opus']);
    expect([...world.supervisor.shedReasons]).toEqual([['720p', 'the machine is too slow: 2500 ms of input waited']]);
    world.run(5000);
    expect(world.take()).toEqual(['lagging 2500']);
    world.queuedMs = 100;
    world.run(50_000);
    expect(world.take()).toEqual([]);
    world.run(10_000);
    expect(world.take()).toEqual(['set 360p+720p+opus']);
    world.queuedMs = 2500;
    world.run(7000);
    expect(world.take()).toEqual(['shed 720p', 'set 360p+opus']);
    world.queuedMs = 0;
    world.run(100_000);
    expect(world.take()).toEqual([]);
    world.run(30_000);
    expect(world.take()).toEqual(['set 360p+720p+opus']);
  });

  it('remembers what it shed, though nobody wants it meanwhile', () => {
    const world = new World();
    world.want([small, big]);
    world.queuedMs = 2500;
    world.run(6000);
    world.want([small]);
    world.want([small, big]);
    expect([world.take(), world.supervisor.shedReasons.has('720p')]).toEqual([['start 360p+720p', 'shed 720p', 'set 360p'], true]);
    world.want([]);
    world.run(70_000);
    expect(world.supervisor.shedReasons.size).toBe(0);
  });

  it('forgives a short backlog', () => {
    const world = new World();
    world.want([small, big]);
    world.queuedMs = 2500;
    world.run(4900);
    world.queuedMs = 1900;
    world.run(2000);
    world.queuedMs = 2500;
    world.run(4900);
    expect(world.take()).toEqual(['start 360p+720p']);
  });

  it('goes on without a rung whose encoder failed, and tries it again later', () => {
    const world = new World();
    world.want([small, big]);
    world.run(1000);
    world.supervisor.rungFailed('720p', 'no session', at(world.now));
    world.supervisor.rungFailed('720p', 'no session', at(world.now));
    world.supervisor.rungFailed('none', 'no session', at(world.now));
    expect(world.take()).toEqual(['start 360p+720p', 'shed 720p', 'set 360p']);
    world.supervisor.rungFailed('360p', 'no session', at(world.now));
    world.run(59_000);
    expect([world.take(), world.supervisor.state]).toEqual([['shed 360p', 'kill not-wanted'], 'idle']);
    world.run(2000);
    expect(world.take()).toEqual(['start 720p', 'set 360p+720p']);
  });

  it('starts anew at once when the source changes, also in the middle of a failure', () => {
    const world = new World();
    world.want([small]);
    world.run(1000);
    world.want([big], 'two');
    world.run(40);
    expect(world.take()).toEqual(['start 360p', 'kill reconfigured', 'start 720p']);
    world.run(40);
    world.exit('crash');
    world.want([big], 'three');
    expect(world.take()).toEqual(['restart in 200: crash', 'start 720p']);
    world.run(1000);
    world.heartbeats = false;
    world.outputs = false;
    world.obeys = false;
    world.run(3100);
    world.want([big], 'four');
    world.exit('killed');
    expect(world.take()).toEqual(['kill no-heartbeat', 'start 720p']);
  });
});

describe('the supervisor under any course of events', () => {
  const event = fc.oneof(
    fc.record({
      do: fc.constant('want' as const),
      rungs: fc.subarray([big, small, opus]),
      configuration: fc.constantFrom('one', 'one', 'one', 'two'),
    }),
    fc.record({ do: fc.constantFrom('started' as const, 'exited' as const, 'out' as const, 'failed' as const) }),
    fc.record({ do: fc.constant('in' as const), isKeyframe: fc.boolean() }),
    fc.record({ do: fc.constant('heartbeat' as const), queuedMs: fc.constantFrom(0, 3000, Number.NaN) }),
  );

  it('has at most one child, wakes in the future, and never starts for nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4000), event), { maxLength: 80 }), (steps) => {
        let children = 0;
        const supervisor = new TranscodeSupervisor({
          start: (rungs) => {
            children++;
            expect(children).toBe(1);
            expect(rungs.length).toBeGreaterThan(0);
          },
          setRungs: (rungs) => {
            expect(children).toBe(1);
            expect(rungs.length).toBeGreaterThan(0);
          },
          kill: () => expect(children).toBe(1),
          restartIn: (delayMs) => expect(delayMs).toBeGreaterThan(0),
          shed: () => undefined,
          lagging: () => undefined,
          gaveUp: () => undefined,
        });
        let now = 0;
        for (const [passMs, what] of steps) {
          now += passMs;
          supervisor.tick(at(now));
          if (supervisor.wakeAt !== undefined) expect(supervisor.wakeAt).toBeGreaterThan(now);
          if (what.do === 'want') supervisor.want(what.rungs, what.configuration, at(now));
          else if (what.do === 'started') supervisor.started(at(now));
          else if (what.do === 'in') supervisor.frameIn('video', what.isKeyframe, now, at(now));
          else if (what.do === 'out') supervisor.frameOut('720p', at(now));
          else if (what.do === 'heartbeat') supervisor.heartbeat(at(now), what.queuedMs);
          else if (what.do === 'failed') supervisor.rungFailed('360p', 'broken', at(now));
          else if (children === 1) {
            children = 0;
            supervisor.exited('gone', at(now));
          } else supervisor.exited('nobody', at(now));
          expect(children).toBe(['starting', 'running', 'ending'].includes(supervisor.state) ? 1 : 0);
        }
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
