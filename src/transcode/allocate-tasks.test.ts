import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateTasks, type TaskDecision, type TaskKey, type TaskWish, taskLimit, taskWeight } from './allocate-tasks.ts';
import { plannedPictures, plannedSound } from './ladder.fixture.ts';

const wish = (stream: string, rung: string, viewers: number, more: Partial<TaskWish> = {}): TaskWish => ({
  stream,
  rung,
  viewers,
  weight: 1,
  ...more,
});
const key = (stream: string, rung: string): TaskKey => ({ stream, rung });
/** `a/720p running`, `b/480p limit 4`. */
const shown = (decisions: readonly TaskDecision[]): string[] =>
  decisions.map((decision) => {
    const needed = decision.isAssigned || decision.tasksNeeded === undefined ? '' : ` ${decision.tasksNeeded}`;
    return `${decision.stream}/${decision.rung} ${decision.reason}${needed}`;
  });
const assigned = (decisions: readonly TaskDecision[]): TaskKey[] => decisions.filter((decision) => decision.isAssigned);

describe('allocateTasks', () => {
  it('counts each rung as a task and gives the tasks to those with the most viewers', () => {
    const wishes = [wish('a', '720p', 5), wish('a', '480p', 1), wish('b', '720p', 3)];
    expect(shown(allocateTasks(wishes, 2, []))).toEqual(['a/720p room', 'a/480p limit 3', 'b/720p room']);
  });

  it('says what the limit would have to be', () => {
    const [, refused] = allocateTasks([wish('a', 'x', 9), wish('b', 'x', 1), wish('c', 'x', 5), wish('d', 'x', 3)], 2, []);
    expect(refused).toEqual({
      stream: 'b',
      rung: 'x',
      isAssigned: false,
      reason: 'limit',
      tasksNeeded: 4,
      message: "the server's limit of 2 transcoding tasks is reached; with 4 this one would run",
    });
  });

  it('keeps a running task until a newcomer counts more than twice as much', () => {
    const running = [key('a', 'x')];
    expect(shown(allocateTasks([wish('a', 'x', 5), wish('b', 'x', 10)], 1, running))).toEqual(['a/x running', 'b/x limit 2']);
    expect(shown(allocateTasks([wish('a', 'x', 5), wish('b', 'x', 11)], 1, running))).toEqual(['a/x limit 2', 'b/x outranks']);
  });

  it('lets a task that lingers go first', () => {
    const running = [key('a', 'x'), key('b', 'x')];
    expect(shown(allocateTasks([wish('a', 'x', 0), wish('b', 'x', 1)], 2, running))).toEqual(['a/x running', 'b/x running']);
    expect(shown(allocateTasks([wish('a', 'x', 0), wish('b', 'x', 1), wish('c', 'x', 1)], 2, running))).toEqual([
      'a/x limit 3',
      'b/x running',
      'c/x outranks',
    ]);
  });

  it('gives nothing to what nobody wants, and ends what is not wished any more', () => {
    expect(shown(allocateTasks([wish('a', 'x', 0)], 5, [key('b', 'x'), key('b', 'x')]))).toEqual(['a/x not-wanted', 'b/x not-wanted']);
    expect(shown(allocateTasks([wish('a', 'x', 0, { isAlways: true })], 5, []))).toEqual(['a/x room']);
  });

  it('puts sound before pictures with the usual weights', () => {
    const wishes = [
      wish('a', '720p', 40, { weight: taskWeight(plannedPictures('720p', 720).rung) }),
      wish('b', 'opus', 1, { weight: taskWeight(plannedSound('opus').rung) }),
    ];
    expect(shown(allocateTasks(wishes, 1, []))).toEqual(['a/720p limit 2', 'b/opus room']);
  });

  it('adds up wishes for the same rung', () => {
    expect(shown(allocateTasks([wish('a', 'x', 2), wish('b', 'x', 3), wish('a', 'x', 2)], 1, []))).toEqual(['a/x room', 'b/x limit 2']);
  });

  it('takes a limit of nothing, and none', () => {
    expect(shown(allocateTasks([wish('a', 'x', 2)], 0, [key('a', 'x')]))).toEqual(['a/x limit 1']);
    expect(shown(allocateTasks([wish('a', 'x', 2)], Number.POSITIVE_INFINITY, []))).toEqual(['a/x room']);
  });
});

describe('taskLimit', () => {
  it('is three for each core where none is configured', () => {
    expect([taskLimit(0, 4), taskLimit(5, 4), taskLimit(0, 0)]).toEqual([12, 5, 3]);
  });
});

describe('allocateTasks of anything', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const anyWish = fc.record({
    stream: name,
    rung: name,
    viewers: fc.oneof(fc.nat(20), fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY)),
    weight: fc.constantFrom(1, 1, 1, 0.5, 100, Number.NaN),
    isAlways: fc.boolean(),
  });
  const wishes = fc.uniqueArray(anyWish, { maxLength: 30, selector: ({ stream, rung }) => `${stream}/${rung}` });
  const keys = fc.array(fc.record({ stream: name, rung: name }), { maxLength: 20 });
  const limits = fc.nat(20);
  const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
  const has = (set: readonly TaskKey[], { stream, rung }: TaskKey): boolean =>
    set.some((other) => other.stream === stream && other.rung === rung);

  it('keeps the limit, wastes no task, and decides everything once', () => {
    fc.assert(
      fc.property(wishes, limits, keys, (wanted, limit, running) => {
        const decisions = allocateTasks(wanted, limit, running);
        const granted = assigned(decisions);
        expect(granted.length).toBeLessThanOrEqual(limit);
        const refusedByLimit = decisions.filter(({ reason }) => reason === 'limit').length;
        if (refusedByLimit > 0) expect(granted.length).toBe(limit);
        const ids = decisions.map(({ stream, rung }) => `${stream}/${rung}`);
        expect(new Set(ids).size).toBe(ids.length);
        for (const each of [...wanted, ...running]) expect(has(decisions, each)).toBe(true);
      }),
      { numRuns },
    );
  });

  it('does not flap: its own answer, put in again, gives the same', () => {
    fc.assert(
      fc.property(wishes, limits, keys, (wanted, limit, running) => {
        const granted = assigned(allocateTasks(wanted, limit, running));
        const again = allocateTasks(wanted, limit, granted);
        expect(new Set(assigned(again).map(({ stream, rung }) => `${stream}/${rung}`))).toEqual(
          new Set(granted.map(({ stream, rung }) => `${stream}/${rung}`)),
        );
        expect(again.every(({ reason }) => reason !== 'room' && reason !== 'outranks')).toBe(true);
      }),
      { numRuns },
    );
  });

  it('grants a refused wish with the limit that it names, and not with less', () => {
    fc.assert(
      fc.property(wishes, limits, keys, (wanted, limit, running) => {
        for (const decision of allocateTasks(wanted, limit, running)) {
          if (decision.isAssigned || decision.tasksNeeded === undefined) continue;
          expect(has(assigned(allocateTasks(wanted, decision.tasksNeeded, running)), decision)).toBe(true);
          expect(has(assigned(allocateTasks(wanted, decision.tasksNeeded - 1, running)), decision)).toBe(false);
        }
      }),
      { numRuns: Math.ceil(numRuns / 3) },
    );
  });
});
