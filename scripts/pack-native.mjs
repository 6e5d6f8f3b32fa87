// Puts the kernel built here where an npm package carries it: native/prebuilt/<platform>-<arch>/kernel.node. Run it on each platform to be packed.
import { copyFileSync, mkdirSync } from 'node:fs';
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
copyFileSync(join(root, 'dist', 'native', 'kernel.node'), join(place, 'kernel.node'));
console.log(`Packed ${place}/kernel.node. Remove it to build from source again.`);
