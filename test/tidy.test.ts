import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));
const sources = files.filter((file) => /\.(ts|tsx|mjs)$/.test(file));
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('the tree is tidy', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it('names files in kebab-case, and none for a drawer', () => {
    const drawers = /^(utils?|helpers?|misc|common|manager)\b/;
    const wrong = sources.filter((file) => {
      const name = path.basename(file);
      return !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fixture|config|d))*\.(ts|tsx|mjs)$/.test(name) || drawers.test(name);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps files under 500 lines', () => {
    expect(sources.filter((file) => read(file).split('\n').length > 500)).toEqual([]);
  });

  it('carries no promises, skipped or focused tests', () => {
    const promise = new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK'].join(''));
    const skipped = /\b(it|test|describe)\.(skip|only|todo)\(/;
    expect(sources.filter((file) => promise.test(read(file)) || skipped.test(read(file)))).toEqual([]);
  });

  it('gives every room a door', () => {
    const rooms = files.filter((file) => /^src\/.*tsconfig\.json$/.test(file)).map((file) => path.dirname(file));
    expect(rooms.length).toBeGreaterThan(8);
    // The wiring is imported by nobody; its door is the program's entry.
    expect(rooms.filter((room) => room !== 'src/app' && !files.includes(`${room}/mod.ts`))).toEqual([]);
  });

  it('pins dependencies without naming a registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });

  it('links only to files that exist from its documents', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
          .map((match) => match[1] as string)
          .filter((target) => !existsSync(path.join(root, path.dirname(file), target)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(broken).toEqual([]);
  });
});
