// `npm run sim -- --seed N [--seeds COUNT] --nodes 1000 --streams 10000 --viewers 1000000 [--makers M] [--seconds S]`: runs the control plane of a cluster in
// virtual time. A failure is told with the command that repeats it.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Violation } from './checkers.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '12' },
    regions: { type: 'string' },
    streams: { type: 'string' },
    viewers: { type: 'string' },
    makers: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '60' },
    quiet: { type: 'boolean', default: false },
    stack: { type: 'boolean', default: false },
  },
});
const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const nodes = Number(values.nodes);
const isLarge = nodes > 100;
const [regions, streams, viewers] = [count(values.regions), count(values.streams), count(values.viewers)];
const options: Omit<RunOptions, 'seed'> = {
  nodes,
  seconds: Number(values.seconds),
  isQuiet: values.quiet,
  makers: Number(values.makers),
  ...(regions === undefined ? {} : { regions }),
  ...(streams === undefined ? {} : { streams }),
  ...(viewers === undefined ? {} : { viewers, viewersEach: Math.max(1, Math.round(viewers / 50_000)) }),
  ...(isLarge
    ? { tickMs: 250, streamLifeMs: 3_600_000, viewerStayMs: 600_000, relayChildrenMax: 16, faultMeanMs: 500, lookMs: 5_000 }
    : {}),
};
const git = (...args: string[]): string => spawnSync('git', args, { encoding: 'utf8' }).stdout.trim();
// Only what is committed can be run again by its name.
const isChanged = git('status', '--porcelain', '--', 'sim', 'src/allocation', 'src/cluster', 'src/core', 'src/transcode') !== '';
const commit = `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
const first = Number(values.seed);

let failed = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const began = process.cpuUsage();
  const cpuMs = (): number => process.cpuUsage(began).user / 1_000;
  try {
    const result = run({ ...options, seed, cpuMs });
    if (Number(values.seeds) === 1) show(result, cpuMs());
    else if (seed % 50 === 0) console.log(`seed ${seed}: nothing wrong, ${Math.round(result.virtualMs / cpuMs())} x real time`);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    failed += 1;
    const same = process.argv
      .slice(2)
      .join(' ')
      .replace(/--seeds?[ =]\d+/g, '')
      .trim();
    console.error(
      `seed ${seed}, commit ${commit}: ${values.stack ? error.stack : error.message}\nagain: npm run sim -- --seed ${seed} ${same}`,
    );
  }
}
if (Number(values.seeds) > 1) console.log(`${Number(values.seeds) - failed} of ${values.seeds} seeds without a violation`);
process.exitCode = failed > 0 ? 1 : 0;

function show(result: RunResult, cpuMs: number): void {
  const { virtualMs, bytesPerNodeAndSecond, served, parties } = result;
  console.log(
    `${virtualMs / 1_000} s of the cluster in ${Math.round(cpuMs / 100) / 10} s of one core: ${Math.round(virtualMs / cpuMs)} x real time; ${Math.round(result.speed)} x while it runs, without start and end`,
  );
  console.log(
    `control traffic a node and second in quiet times: mean ${Math.round(bytesPerNodeAndSecond.mean)} bytes, of those that hear no heartbeats ${Math.round(bytesPerNodeAndSecond.deafMean)}, most ${Math.round(bytesPerNodeAndSecond.max)}`,
  );
  console.log(`served before the end: ${served} of ${parties} parties of viewers`);
  console.log(`worst: ${JSON.stringify(result.worst)}`);
  console.log(`faults: ${JSON.stringify(result.faults)}`);
}
