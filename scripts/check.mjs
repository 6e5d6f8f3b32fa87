// `npm run check`: everything that can be said about the code without running it. Plain Node, so that it runs before any build.
import { spawnSync } from 'node:child_process';

const bin = (name) => `node_modules/.bin/${name}`;

const steps = [
  ['types of the rooms', bin('tsc'), ['-b']],
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

let failed = 0;
for (const [title, command, args, verify] of steps) {
  const startedMs = Date.now();
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  const trouble = verify ? verify(run.stdout) : run.status === 0 ? undefined : `${run.stdout}${run.stderr}`.trim();
  console.log(`${trouble === undefined ? 'ok  ' : 'FAIL'} ${title} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  if (trouble !== undefined) {
    failed += 1;
    console.log(trouble);
  }
}
process.exit(failed > 0 ? 1 : 0);
