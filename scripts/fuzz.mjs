// `npm run fuzz [-- PATH]`: the rooms' tests with many more inputs for each property than `npm test` takes.
import { spawnSync } from 'node:child_process';
import { exit, prepare, root, runtime } from './prepare.mjs';

await prepare().catch((error) => exit(error));
const runs = process.env.FUZZ_RUNS ?? '100000';
const paths = process.argv.length > 2 ? process.argv.slice(2) : ['src/', 'console/'];
console.log(`Fuzzing with ${runs} inputs for each property (FUZZ_RUNS changes it) …`);
const run = spawnSync(runtime(), ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=3600000', ...paths], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: runs },
});
process.exit(run.status ?? 1);
