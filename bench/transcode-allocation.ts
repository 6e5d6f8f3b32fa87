import { allocateCluster, type ClusterDecision, type ClusterTask, type PoolNode, TaskWeights } from '../src/transcode/mod.ts';
import { type BenchCase, median } from './bench-case.ts';

const STREAMS = 10_000;
const NODES = 200;
const RUNGS = [
  { rung: '1080p', width: 1920, height: 1080 },
  { rung: '720p', width: 1280, height: 720 },
  { rung: '480p', width: 854, height: 480 },
];
const REGIONS = ['eu', 'us', 'ap'];
const RULES = 20;
const RUNS = 15;

const regionOf = (index: number): string => REGIONS[index % REGIONS.length] ?? '';

const pool: readonly PoolNode[] = Array.from({ length: NODES }, (_, index) => ({
  id: `n${index}`,
  region: regionOf(index),
  state: 'active',
  tasksMax: 96,
  cpuMax: 64,
}));

/** Viewers that differ, the same in each run. */
const tasksOf = (round: number): readonly ClusterTask[] =>
  Array.from({ length: STREAMS }, (_, index) =>
    RUNGS.map(({ rung, width, height }, place) => ({
      stream: `app${index % 40}/stream-${index}`,
      rung,
      viewers: ((index * 7919 + place * 104_729 + round * 31) % 997) + 1,
      shape: { kind: 'video' as const, codec: 'h264', width, height, frameRate: 30 },
      region: regionOf(index),
    })),
  ).flat();

const rules = Array.from({ length: RULES }, (_, index) => ({
  app: `app${index}`,
  stream: index % 2 === 0 ? '*' : 'stream-*5',
  rung: '*',
  viewersMin: 0,
  weight: 1 + index / 10,
}));

/** How long it takes to decide what is made where, in a cluster far larger than its limits. */
export const transcodeAllocation: BenchCase = {
  name: 'transcode-allocation',
  run: async () => {
    const first: number[] = [];
    const next: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const weights = new TaskWeights({ v: 1, rules, pins: [] });
      const decide = (round: number, before: readonly ClusterDecision[], times: number[]): readonly ClusterDecision[] => {
        const current = before.flatMap(({ stream, rung, node }) => (node === undefined ? [] : [{ stream, rung, node, sinceMs: 0 }]));
        const tasks = tasksOf(round);
        const began = performance.now();
        const decisions = allocateCluster({ tasks, nodes: pool, current, weights, nowMs: 1e6 });
        times.push(performance.now() - began);
        return decisions;
      };
      decide(run + 1, decide(run, [], first), next);
    }
    const [fromNothing, withWhatRuns] = [Math.round(median(first)), Math.round(median(next))];
    return [
      {
        name: `transcode: ${STREAMS.toLocaleString('en')} streams over ${NODES} transcode nodes`,
        value: Math.max(fromNothing, withWhatRuns),
        unit: 'ms p50',
        bar: { atMost: 200 },
        note: `${STREAMS * RUNGS.length} rungs wanted, three regions, ${RULES} rules; from nothing p50 ${fromNothing} ms, with what runs p50 ${withWhatRuns} ms, max ${Math.round(Math.max(...first, ...next))} ms`,
      },
    ];
  },
};
