// The programs of one run. Each leads a process group of its own, so that ending it ends whatever it has started too.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEPT_CHARACTERS = 4000;
const STOP_MS_MAX = 8000;

/** Folder of this run, also the working folder of every program; gone at its end. */
export const work = mkdtempSync(join(tmpdir(), 'sluice-interop-'));

const groups = new Set();

/** Starts a program. `text` keeps the end of its output, `ended` resolves to its exit code or signal once it is gone (-1: could not be started). */
export function start(command, args, environment = {}) {
  const child = spawn(command, args, {
    cwd: work,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  if (child.pid !== undefined) groups.add(child.pid);
  child.text = '';
  const keep = (chunk) => {
    child.text = (child.text + chunk).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.isRunning = true;
  child.ended = new Promise((resolve) => {
    child.on('error', (error) => {
      keep(error.message);
      child.isRunning = false;
      resolve(-1);
    });
    // Not 'close': that waits for everyone who holds the pipes.
    child.on('exit', (code, signal) => {
      child.isRunning = false;
      resolve(code ?? signal);
    });
  });
  return child;
}

/** The last lines of a program's output, for error messages. */
export const lastLines = (child, count = 3) => child.text.trim().split('\n').slice(-count).join(' ');

/** Ends a program politely, and after a while surely, with all that it started. Returns its exit code or signal. */
export async function stop(child, signal = 'SIGINT') {
  if (child.isRunning) child.kill(signal);
  const timer = setTimeout(() => killGroup(child.pid), STOP_MS_MAX);
  const code = await child.ended;
  clearTimeout(timer);
  killGroup(child.pid);
  return code;
}

function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  groups.delete(pid);
}

/** A TCP port of loopback that nobody has just now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves as the promise does, or rejects after a time. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
  rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));
