// `npm run fuzz [-- PATTERN]`: every parser's fuzz test with many more inputs than `npm test` takes.
import { spawnSync } from 'node:child_process';

const runs = process.env.FUZZ_RUNS ?? '100000';
const pattern = process.argv[2] ?? 'fuzz';
console.log(`Fuzzing with ${runs} inputs for each property (FUZZ_RUNS changes it) ...`);
const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=3600000', '--testNamePattern', pattern], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: runs },
});
process.exit(run.status ?? 1);
