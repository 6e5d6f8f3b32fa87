#!/usr/bin/env node
// The program runs on the Node.js that called it where that is new enough, and else on the one of its own packages.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) await import('../dist/app/main.js');
else if (existsSync(own)) {
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the whole process group; signals that come close together are one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
} else {
  console.error(
    `sluice needs Node.js ${NODE_MAJOR_MIN} or newer, and this is ${process.versions.node}: in a checkout, npm start brings its own; else get one at https://nodejs.org`,
  );
  process.exitCode = 2;
}
