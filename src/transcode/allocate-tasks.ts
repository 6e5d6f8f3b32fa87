import type { Rung } from './ladder.ts';

/** One rung of one stream: the unit of work that limits count. */
export interface TaskKey {
  /** `app/name`. */
  readonly stream: string;
  readonly rung: string;
}

/** A rung that somebody wants made. */
export interface TaskWish extends TaskKey {
  /** Who would get it; 0 for one that lingers. */
  readonly viewers: number;
  /** How much one viewer counts, above 0; {@link taskWeight} has the usual ones. */
  readonly weight: number;
  /** Wanted without viewers, too; counts as one viewer at least. */
  readonly isAlways?: boolean;
}

/** `running`: it runs and goes on. `room`: there is a task left for it. `outranks`: it takes the task of another that counts less. */
type AssignedReason = 'running' | 'room' | 'outranks';
/** `limit`: others count for more. `not-wanted`: nobody wants it. */
type RefusedReason = 'limit' | 'not-wanted';

/** What becomes of a wish, or of a running task. */
export type TaskDecision = TaskKey &
  (
    | { readonly isAssigned: true; readonly reason: AssignedReason }
    | {
        readonly isAssigned: false;
        readonly reason: RefusedReason;
        /** The task limit with which this wish would be granted, all else being equal; of `limit` only. */
        readonly tasksNeeded?: number;
        /** A sentence for the operator and the viewer. */
        readonly message: string;
      }
  );

/** A newcomer has to count more than this many times what a running task counts to take its place: a viewer more or less changes nothing. */
const KEEP_FACTOR = 2;
/** Default of the task limit for each processor core. */
const TASKS_A_CORE = 3;
/** Sound costs next to nothing, and a viewer without it is worse off than one with a larger picture than fits. */
const SOUND_WEIGHT = 100;

/** The usual weight of a rung: sound comes before pictures. */
export const taskWeight = (rung: Rung): number => (rung.kind === 'audio' ? SOUND_WEIGHT : 1);

/** The task limit: what is configured, or three for each core where that is 0. */
export const taskLimit = (configured: number, cores: number): number => (configured > 0 ? configured : Math.max(1, cores) * TASKS_A_CORE);

interface Candidate {
  readonly key: TaskKey;
  readonly isRunning: boolean;
  readonly score: number;
}

/**
 * Which rungs are made when there are more wishes than tasks: those with the most viewers times weight. Running tasks stay unless a newcomer
 * counts more than twice as much; given its own answer as `running`, it answers the same. One decision for each wish (in the order of
 * `wanted`), then one for each running task that nobody wants.
 */
export function allocateTasks(wanted: readonly TaskWish[], limit: number, running: readonly TaskKey[]): readonly TaskDecision[] {
  const isRunning = new Set(running.map(identity));
  const candidates = new Map<string, Candidate>();
  for (const wish of wanted) {
    const id = identity(wish);
    const score = scoreOf(wish) + (candidates.get(id)?.score ?? 0);
    candidates.set(id, { key: { stream: wish.stream, rung: wish.rung }, isRunning: isRunning.has(id), score });
  }
  const ranked = [...candidates]
    .filter(([, candidate]) => candidate.score > 0 || candidate.isRunning)
    .sort(([, a], [, b]) => compare(a, b));
  const rankOf = new Map(ranked.map(([id], index) => [id, index]));
  const tasks = Number.isFinite(limit) ? Math.max(0, Math.floor(limit)) : ranked.length;
  const outranked = ranked.slice(tasks).filter(([, candidate]) => candidate.isRunning).length;
  // Newcomers who rank lowest among the granted are the ones that took a place.
  const newcomers = ranked.slice(0, tasks).filter(([, candidate]) => !candidate.isRunning);
  const takers = new Set(outranked === 0 ? [] : newcomers.slice(-outranked).map(([id]) => id));
  const decisions = [...candidates].map(([id, { key, isRunning: runs }]): TaskDecision => {
    const rank = rankOf.get(id);
    if (rank === undefined) return notWanted(key);
    if (rank >= tasks) return refused(key, tasks, rank + 1);
    return { ...key, isAssigned: true, reason: runs ? 'running' : takers.has(id) ? 'outranks' : 'room' };
  });
  const forgotten = new Map(running.filter((key) => !candidates.has(identity(key))).map((key) => [identity(key), key]));
  return [...decisions, ...[...forgotten.values()].map(({ stream, rung }) => notWanted({ stream, rung }))];
}

function refused(key: TaskKey, tasks: number, tasksNeeded: number): TaskDecision {
  const message = `the server's limit of ${tasks} transcoding tasks is reached; with ${tasksNeeded} this one would run`;
  return { ...key, isAssigned: false, reason: 'limit', tasksNeeded, message };
}

const notWanted = (key: TaskKey): TaskDecision => ({ ...key, isAssigned: false, reason: 'not-wanted', message: 'nobody watches it' });

/** Names hold no line feed. */
const identity = ({ stream, rung }: TaskKey): string => `${stream}\n${rung}`;

function scoreOf({ viewers, weight, isAlways }: TaskWish): number {
  const score = Math.max(viewers > 0 ? viewers : 0, isAlways === true ? 1 : 0) * weight;
  return Number.isNaN(score) ? 0 : Math.max(0, score);
}

/** The one that counts more first; then the one that runs; then by name, so that the same wishes always get the same answer. */
function compare(a: Candidate, b: Candidate): number {
  const value = ({ score, isRunning }: Candidate): number => (isRunning ? score * KEEP_FACTOR : score);
  const difference = value(b) - value(a);
  // Infinite weights differ by NaN.
  if (!Number.isNaN(difference) && difference !== 0) return difference;
  if (a.isRunning !== b.isRunning) return a.isRunning ? -1 : 1;
  return identity(a.key) < identity(b.key) ? -1 : 1;
}
