import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package, found from this module upwards: the same whether run from `dist` or from `src`. */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The version in package.json. */
export const version: string = (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

/** Where the build puts the console's pages. */
export const siteFolder: string = join(packageRoot, 'dist', 'console');

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json of Sluice not found');
  return findRoot(parent);
}

/** The program's own entry file. */
export const program: string = fileURLToPath(new URL('./main.js', import.meta.url));
