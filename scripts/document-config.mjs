// Writes docs/configuration.md from the configuration's schema. Run after a build.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentConfig } from '../dist/app/config/document-config.js';
import { root } from './prepare.mjs';

writeFileSync(join(root, 'docs', 'configuration.md'), documentConfig());
