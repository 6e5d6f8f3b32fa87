import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';

const run = promisify(execFile);
const RUNS = 3;
const LOADS = [
  { what: '1,000 nodes with their usual load, no faults', args: ['--quiet'] },
  { what: '1,000 nodes, 10,000 streams, 1,000,000 viewers, no faults', args: ['--quiet', '--streams', '10000', '--viewers', '1000000'] },
  { what: '1,000 nodes with their usual load, and faults', args: [] },
];
/** As `npm run sim` has Node collect garbage. */
const script = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { scripts: { sim: string } }).scripts.sim;
const flags = script.split(' ').filter((word) => word.startsWith('--'));

/** What one run says of itself: times of the processor, all checkers on. */
async function simulate(args: readonly string[]): Promise<{ readonly running: number; readonly whole: number }> {
  const sim = ['sim/main.ts', '--seed', '1', '--nodes', '1000', '--seconds', '300', ...args];
  const { stdout } = await run(process.execPath, [...flags, ...sim], { cwd: new URL('..', import.meta.url) });
  const [, whole, running] = /(\d+) x real time; (\d+) x while it runs/.exec(stdout) ?? [];
  if (whole === undefined || running === undefined) throw new Error(`the simulator said something else: ${stdout}`);
  return { whole: Number(whole), running: Number(running) };
}

/** How much faster than real time the control plane of a large cluster runs in the simulator, on one core. */
export const simulator: BenchCase = {
  name: 'simulator',
  run: async () => {
    const rows: BenchRow[] = [];
    for (const { what, args } of LOADS) {
      const results = [];
      for (let count = 0; count < RUNS; count++) results.push(await simulate(args));
      const running = results.map((result) => result.running);
      rows.push({
        name: `simulator: ${what}`,
        value: median(running),
        unit: 'times real time',
        bar: { atLeast: 60 },
        note: `300 s, while it runs: ${running.join(', ')}; start and end of everything included: ${results.map(({ whole }) => whole).join(', ')}`,
      });
    }
    return rows;
  },
};
