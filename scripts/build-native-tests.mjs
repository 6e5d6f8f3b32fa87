// Builds the native code's stand-alone programs with AddressSanitizer and UndefinedBehaviorSanitizer: the tests, and the coverage-guided fuzzer where the
// compiler is a clang with libFuzzer. They need OpenSSL 3's libraries of the machine (the addon itself uses Node's).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiler, nativeSources } from './build-native.mjs';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native');
const work = join(dirname(native), 'dist', 'native');
const SANITIZERS = 'address,undefined';

const inFolder = (folder) =>
  readdirSync(join(native, folder))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(native, folder, name));
const pure = () => nativeSources().filter((file) => !basename(file).startsWith('addon'));

/** Builds the test program; its path. Throws what to do when that cannot be. */
export async function buildNativeTests() {
  const cxx = compiler();
  if (cxx === undefined) throw new Error('There is no C++ compiler for the native tests: apt-get install g++');
  const files = [...pure(), join(native, 'fuzz', 'pair.cc'), ...inFolder('test')];
  return build(cxx, files, 'native-test', `-fsanitize=${SANITIZERS}`);
}

/** Compiles the sockets as a system without sendmmsg and recvmmsg would (macOS); what the compiler says, '' when all is well. */
export function compileWithoutMmsg() {
  const flags = ['-std=c++17', '-fsyntax-only', '-Wall', '-Wextra', '-include', join(native, 'test', 'without-mmsg.h')];
  return spawnSync(compiler() ?? 'c++', [...flags, join(native, 'src', 'udp-socket.cc')], { encoding: 'utf8' }).stderr;
}

/** Builds the fuzzer; its path, or undefined without a clang that has libFuzzer. */
export async function buildNativeFuzzer() {
  const clang = ['clang++', 'clang++-20', 'clang++-19', 'clang++-18', 'clang++-17', 'clang++-16', 'clang++-15', 'clang++-14'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  if (clang === undefined) return undefined;
  const stub = join(native, 'test', 'uv-stub.cc');
  return build(clang, [...pure(), ...inFolder('fuzz'), stub], 'native-fuzz', `-fsanitize=fuzzer,${SANITIZERS}`);
}

async function build(cxx, files, name, sanitize) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const headers = ['src', 'include', 'test', 'fuzz'].flatMap((each) =>
    readdirSync(join(native, each)).map((file) => join(native, each, file)),
  );
  const newest = Math.max(...headers.filter((file) => !file.endsWith('.cc')).map((file) => statSync(file).mtimeMs));
  const flags = ['-std=c++17', '-O1', '-g', '-Wall', '-Wextra', sanitize, '-fno-sanitize-recover=all'];
  const objects = files.map((file) => ({ file, object: join(folder, `${basename(file, '.cc')}.o`) }));
  const program = join(folder, name);
  const stale = objects.filter(
    ({ file, object }) => !existsSync(object) || statSync(object).mtimeMs < Math.max(newest, statSync(file).mtimeMs),
  );
  if (stale.length === 0 && existsSync(program)) return program;
  // Two at a time: what a small machine can carry.
  const queue = [...stale];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(cxx, [...flags, '-c', next.file, '-o', next.object]);
  };
  await Promise.all([worker(), worker()]);
  await run(cxx, [sanitize, ...objects.map(({ object }) => object), '-o', program, ...libraries(cxx)]);
  return program;
}

/** OpenSSL 3 as the linker finds it: with the development package's names, or the runtime's own. */
function libraries(cxx) {
  const probe = spawnSync(cxx, ['-shared', '-o', '/dev/null', '-lssl', '-lcrypto']);
  return probe.status === 0 ? ['-lssl', '-lcrypto'] : ['-l:libssl.so.3', '-l:libcrypto.so.3'];
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}\n${text.slice(0, 4000)}`))));
  });
}
