// Puts the kernel built here where an npm package carries it: native/prebuilt/<platform>-<arch>/kernel.node. Run it on each platform to be packed.
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problem = buildNative();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
const place = join(root, 'native', 'prebuilt', `${process.platform}-${process.arch}`);
mkdirSync(place, { recursive: true });
// A running server keeps the file that it has loaded: a new one takes its name.
const fresh = join(place, `kernel.node.${process.pid}`);
copyFileSync(join(root, 'dist', 'native', 'kernel.node'), fresh);
renameSync(fresh, join(place, 'kernel.node'));
console.log(`Packed ${place}/kernel.node. Remove it to build from source again.`);
