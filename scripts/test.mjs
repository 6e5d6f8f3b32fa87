// `npm test [-- PATTERN]`: sets up what the tests need, checks the code, runs every test. The last line says how many passed and failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exit, prepare, root, runtime } from './prepare.mjs';
import { prepareTests } from './prepare-tests.mjs';

/** Hundreds of processes are started that load the same modules: what the first of them compiled is kept for the others. */
const COMPILED = join(root, 'node_modules', '.cache', 'compiled');

/** What tests leave behind goes with it. */
const folder = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Runs a script of the checkout on its own Node and shows what it prints. */
function run(...args) {
  const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env, TMPDIR: folder, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' };
  return spawnSync(runtime(), args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

try {
  await prepare();
  await prepareTests();
} catch (error) {
  exit(error);
}

const patterns = process.argv.slice(2);
const checked = patterns.length > 0 ? 0 : run('scripts/check.mjs');
const tested = run('node_modules/vitest/vitest.mjs', 'run', ...patterns);
if (checked !== 0) console.error('The checks above failed, though the tests were run: `npm run check` shows them again.');
process.exit(checked === 0 ? tested : 1);
