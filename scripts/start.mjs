// `npm start`: makes the checkout ready, then runs one node with the demo stream. Further arguments go to `sluice start`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { exit, prepare, root, runtime } from './prepare.mjs';

await prepare().catch((error) => exit(error, 0));

const child = spawn(runtime(), [join(root, 'dist', 'app', 'main.js'), 'start', '--demo', ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C reaches the whole process group; the server takes signals that come close together for one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`The server cannot be run: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
