import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../package-root.ts';
import { documentConfig } from './document-config.ts';
import { loadConfig } from './load-config.ts';

describe('docs/configuration.md', () => {
  it('is what the schema says (node scripts/document-config.mjs writes it)', () => {
    expect(readFileSync(join(packageRoot, 'docs', 'configuration.md'), 'utf8')).toBe(documentConfig());
  });
});

describe('sluice.example.yaml', () => {
  it('is a right configuration', () => {
    expect(() => loadConfig({ file: 'sluice.example.yaml', environment: {}, folder: packageRoot })).not.toThrow();
  });
});
