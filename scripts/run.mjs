// `node scripts/run.mjs SCRIPT [ARGS]`: builds if needed, then runs a script of the checkout on its own Node.
import { spawnSync } from 'node:child_process';
import { exit, prepare, root, runtime } from './prepare.mjs';

await prepare().catch((error) => exit(error));
process.exit(spawnSync(runtime(), process.argv.slice(2), { cwd: root, stdio: 'inherit' }).status ?? 1);
