// Makes a checkout ready to run: checks the machine, installs packages when the lock file changed, builds when sources changed.
// Plain Node without dependencies, for it runs before there are any.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_MIN = [20, 19];
const NPM_MAJOR_MIN = 9;
const INSTALL_STAMP = join(root, 'node_modules', '.sluice-stamp');
const BUILD_STAMP = join(root, 'dist', '.sluice-stamp');

/** A failure that is told in words. `code` is the exit code. */
export class Failure extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}

let child;
let interrupted;

/** The Node.js that the server runs on: the one of the checkout (a package), or the one that runs this script while that is missing. */
export function runtime() {
  const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) ? own : process.execPath;
}

/** Installs and builds as far as needed. */
export async function prepare() {
  const onSignal = (signal) => {
    interrupted = signal;
    child?.kill(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    checkMachine();
    await install();
    await build();
    buildKernel();
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    throw new Failure(
      `Sluice needs Node.js ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}. Get one at https://nodejs.org`,
      2,
    );
  }
  const npm = /npm\/(\d+)\.\S+/.exec(process.env.npm_config_user_agent ?? '');
  if (npm !== null && Number(npm[1]) < NPM_MAJOR_MIN) {
    throw new Failure(`Sluice needs npm ${NPM_MAJOR_MIN} or newer; this is ${npm[0].slice(4)}. Run: npm install --global npm`, 2);
  }
}

async function install() {
  const wanted = hash([join(root, 'package-lock.json')], true);
  if (existsSync(join(root, 'node_modules')) && readStamp(INSTALL_STAMP) === wanted) return;
  const done = step('Installing packages (first time: about a minute)');
  // Not `npm ci`: it insists on every platform's optional packages, and not every registry carries all of them.
  const output = await run(npmCommand(), ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  });
  if (output.code !== 0) {
    // Half an installation must not pass for a whole one.
    rmSync(INSTALL_STAMP, { force: true });
    throw new Failure(`${output.text.trim()}\n\nnpm could not install the packages: ${explainInstall(output.text)}`);
  }
  writeFileSync(INSTALL_STAMP, wanted);
  done();
}

function explainInstall(text) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network/i.test(text)) {
    return 'the registry cannot be reached. Check the network (or the proxy: npm config get proxy) and try again.';
  }
  if (/ENOSPC/.test(text)) return 'the disk is full.';
  if (/EACCES|EPERM/.test(text)) return `this user may not write to ${root}. Check who owns the folder.`;
  if (/EINTEGRITY|lock file|package-lock/i.test(text))
    return 'package-lock.json does not fit. Take it as it is in the repository: git checkout package-lock.json';
  return 'see above.';
}

async function build() {
  const wanted = hash(sources(), false);
  if (readStamp(BUILD_STAMP) === wanted) return;
  const done = step('Building');
  rmSync(BUILD_STAMP, { force: true });
  await compile('the server', 'typescript', 'tsc', ['-b', 'src/app']);
  if (existsSync(join(root, 'console', 'vite.config.ts')))
    await compile('the pages', 'vite', 'vite', ['build', 'console', '--logLevel', 'warn']);
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, wanted);
  done();
}

/** WebRTC's kernel has its own stamp, and its failure stops nothing. */
function buildKernel() {
  const problem = buildNative();
  if (problem !== undefined) console.error(problem);
}

async function compile(what, packageName, command, args) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const script = join(folder, typeof bin === 'string' ? bin : bin[command]);
  const { code, text } = await run(runtime(), [script, ...args], {});
  if (code !== 0) throw new Failure(`${text.trim()}\n\nBuilding ${what} failed: see above.`);
}

/** All that the build reads. Files that only tests read do not call for a new one. */
function sources() {
  const isSource = (file) => !/\.(test|fixture)\.[a-z]+$/.test(file);
  const own = ['tsconfig.base.json', 'tsconfig.pure.json', 'tsconfig.node.json', 'package-lock.json'].map((name) => join(root, name));
  return [...own, ...filesUnder(join(root, 'src')), ...filesUnder(join(root, 'console'))].filter(
    (file) => existsSync(file) && isSource(file),
  );
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** By content, or by name, size and time of change, which is faster and as good for telling whether to build. */
function hash(files, byContent) {
  const digest = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    digest.update(byContent ? readFileSync(file) : `${file}\n${size}\n${mtimeMs}\n`);
  }
  return digest.digest('hex');
}

const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
const npmCommand = () => (process.platform === 'win32' ? 'npm.cmd' : 'npm');

/** Shows a step with the time it takes; returns what to call at its end. */
function step(text) {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  if (!process.stdout.isTTY) {
    console.log(`${text} …`);
    return () => console.log(`${text}: done in ${seconds()}`);
  }
  const show = () => process.stdout.write(`\r\u001b[2K${text} … ${seconds()}`);
  show();
  progress = setInterval(show, 1000);
  return () => {
    stopProgress();
    console.log(`${text}: done in ${seconds()}`);
  };
}

let progress;
function stopProgress() {
  if (progress === undefined) return;
  clearInterval(progress);
  progress = undefined;
  process.stdout.write('\r\u001b[2K');
}

/** Runs a command in the checkout and gathers what it prints, which is shown only when it fails. */
async function run(command, args, options) {
  if (interrupted !== undefined) throw new Failure('', 130);
  const text = [];
  const code = await new Promise((resolve, reject) => {
    child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.stdout.on('data', (chunk) => text.push(chunk));
    child.stderr.on('data', (chunk) => text.push(chunk));
    child.on('error', (error) => reject(new Failure(`${command} cannot be run: ${error.message}`)));
    child.on('close', (exitCode) => resolve(exitCode));
  }).finally(stopProgress);
  child = undefined;
  if (interrupted !== undefined) throw new Failure('', 130);
  return { code, text: Buffer.concat(text).toString() };
}

/** Says what went wrong and ends the process. Ctrl-C is no failure: the caller says with which code that ends. */
export function exit(error, interruptedCode = 130) {
  stopProgress();
  if (!(error instanceof Failure)) {
    console.error(error);
    process.exit(1);
  }
  if (interrupted !== undefined) {
    console.log('Stopped.');
    process.exit(interruptedCode);
  }
  console.error(`\n${error.message}`);
  process.exit(error.code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepare().catch((error) => exit(error));
