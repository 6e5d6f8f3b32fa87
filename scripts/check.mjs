// `npm run check`: everything that can be said about the code without running it. Plain Node, so that it runs before any build.
import { spawn } from 'node:child_process';

const bin = (name) => `node_modules/.bin/${name}`;

/** What it writes is read by others. */
const first = ['types of the rooms', bin('tsc'), ['-b']];
const steps = [
  ['types of the tests', bin('tsc'), ['-p', 'tsconfig.test.json']],
  ['types of the console', bin('tsc'), ['-p', 'console/tsconfig.json']],
  ['generated client', bin('node'), ['scripts/generate-client.mjs', '--check']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['lint with types', bin('oxlint'), ['--type-aware', '--deny-warnings', 'src', 'sim', 'test', 'bench', 'scripts', 'console/src']],
  ['layering', bin('depcruise'), ['src', 'sim', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'], assertCruised],
  ['dead code', bin('knip'), ['--no-progress']],
];

/** Without its parser dependency-cruiser cruises nothing and reports success, so success has to be shown. */
function assertCruised(output) {
  const { summary } = JSON.parse(output);
  const files = summary.totalCruised;
  if (files < 50) return `only ${files} modules were cruised: is @swc/core installed?`;
  const broken = summary.violations.map((each) => `  ${each.rule.name}: ${each.from} -> ${each.to}`);
  return broken.length > 0 ? `${broken.length} imports break the layering:\n${broken.join('\n')}` : undefined;
}

/** Runs a command; settles with its status and what it said, all of it and without its errors. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    const output = [];
    child.stdout.on('data', (chunk) => {
      output.push(chunk);
      said.push(chunk);
    });
    child.stderr.on('data', (chunk) => said.push(chunk));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, said: String(Buffer.concat(said)), output: String(Buffer.concat(output)) }));
  });
}

let failed = 0;
async function check([title, command, args, verify]) {
  const startedMs = Date.now();
  const { status, said, output } = await run(command, args);
  const trouble = verify ? verify(output) : status === 0 ? undefined : said.trim();
  console.log(`${trouble === undefined ? 'ok  ' : 'FAIL'} ${title} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  if (trouble !== undefined) {
    failed += 1;
    console.log(trouble);
  }
}

/** Takes the next step until none is left. */
async function work() {
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) await check(step);
}

await check(first);
// Each of them leaves a part of a machine with two processors unused.
await Promise.all([work(), work()]);
process.exit(failed > 0 ? 1 : 0);
