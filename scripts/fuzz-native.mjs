// `node scripts/fuzz-native.mjs [SECONDS]`: coverage-guided fuzzing of the kernel's packet entry; the corpus stays in dist/native/corpus. Needs clang with libFuzzer.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNativeFuzzer } from './build-native-tests.mjs';

const seconds = process.argv[2] ?? '600';
const program = await buildNativeFuzzer();
if (program === undefined) {
  console.error('There is no clang with libFuzzer. Install one, e.g. on Debian or Ubuntu: apt-get install clang');
  process.exit(1);
}
const corpus = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'native', 'corpus');
mkdirSync(corpus, { recursive: true });
console.log(`Fuzzing the kernel for ${seconds} s …`);
const run = spawnSync(
  program,
  [
    `-max_total_time=${seconds}`,
    '-max_len=8192',
    '-timeout=10',
    '-rss_limit_mb=1024',
    '-print_final_stats=1',
    `-artifact_prefix=${dirname(corpus)}/`,
    corpus,
  ],
  {
    stdio: 'inherit',
  },
);
process.exit(run.status ?? 1);
