// Builds the WebRTC kernel (native/) with the machine's C++ compiler alone: no node-gyp, no Python, no download. Without a compiler, or when it fails,
// it says so in one line, and everything but WebRTC goes on.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = join(root, 'dist', 'native', '.sluice-stamp');
const OUTPUT = join(root, 'dist', 'native', 'kernel.node');
const FLAGS = ['-std=c++17', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra'];

/** The first C++ compiler that answers: CXX, c++, g++, clang++. */
export function compiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** Paths of the C++ files under native/, those of the addon's N-API side included. */
export const nativeSources = () =>
  readdirSync(join(root, 'native', 'src'))
    .filter((name) => name.endsWith('.cc'))
    .sort()
    .map((name) => join(root, 'native', 'src', name));

/** Builds dist/native/kernel.node unless it is newer than its sources. Returns what to tell the user, or undefined when all is well. */
export function buildNative() {
  if (process.platform === 'win32') return 'WebRTC is off: its kernel runs on Linux and macOS only.';
  if (prebuilt()) return undefined;
  const cxx = compiler();
  if (cxx === undefined) {
    return 'WebRTC is off: there is no C++ compiler to build its kernel with. Install one (Debian, Ubuntu: apt-get install g++) and start again.';
  }
  const wanted = fingerprint(cxx);
  if (existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return undefined;
  mkdirSync(dirname(OUTPUT), { recursive: true });
  rmSync(STAMP, { force: true });
  const shared = process.platform === 'darwin' ? ['-shared', '-undefined', 'dynamic_lookup'] : ['-shared'];
  const include = join(root, 'node_modules', 'node-api-headers', 'include');
  const fresh = `${OUTPUT}.${process.pid}`;
  const run = spawnSync(cxx, [...FLAGS, '-O3', ...shared, `-I${include}`, ...nativeSources(), '-o', fresh], { encoding: 'utf8' });
  if (run.status !== 0) {
    rmSync(fresh, { force: true });
    const first = run.stderr.split('\n').find((line) => /error/i.test(line)) ?? `${cxx} ended with ${run.status}`;
    return `WebRTC is off: building its kernel failed (${first.trim()}). All of it: node scripts/build-native.mjs --verbose`;
  }
  // A running server keeps the file that it has loaded: a new one takes its name.
  renameSync(fresh, OUTPUT);
  writeFileSync(STAMP, wanted);
  if (process.argv.includes('--verbose')) process.stderr.write(run.stderr);
  return undefined;
}

const prebuilt = () => existsSync(join(root, 'native', 'prebuilt', `${process.platform}-${process.arch}`, 'kernel.node'));

function fingerprint(cxx) {
  const digest = createHash('sha256').update([cxx, process.arch, ...FLAGS].join('\n'));
  for (const folder of ['src', 'include']) {
    for (const name of readdirSync(join(root, 'native', folder)).sort())
      digest.update(name).update(readFileSync(join(root, 'native', folder, name)));
  }
  return digest.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = buildNative();
  if (problem !== undefined) {
    console.error(problem);
    process.exit(1);
  }
}
