import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const REFERENCE = /^`([^`]+\.test\.ts)`: (.+)$/;

interface Row {
  readonly section: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The rows of the tables of requirements: four columns, the last with tests. */
function requirementRows(): Row[] {
  const text = readFileSync(path.join(root, 'docs/whip-whep.md'), 'utf8');
  const tables = text.slice(text.indexOf('## Every requirement'));
  const rows = tables.split('\n').filter((line) => line.startsWith('|') && !/^\| (section|---)/.test(line));
  return rows.map((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    expect(cells).toHaveLength(6);
    const tests = (cells[4] ?? '').split('<br>').map((reference) => {
      const [, file = '', title = ''] = REFERENCE.exec(reference) ?? [];
      expect({ reference, file }).toEqual({ reference, file: expect.stringMatching(/./) });
      return { file, title };
    });
    return { section: cells[1] ?? '', tests };
  });
}

describe('the table of requirements in docs/whip-whep.md', () => {
  const rows = requirementRows();

  it('covers the sections that bind a server', () => {
    const sections = new Set(rows.map(({ section }) => section));
    for (const section of [
      '4.1',
      '4.2',
      '4.3.1',
      '4.3.2',
      '4.3.3',
      '4.4.1',
      '4.4.2',
      '4.5',
      '4.7',
      '4.8',
      '4.9',
      '4.5.1',
      '4.6.2',
      '4.10',
    ]) {
      expect(sections).toContain(section);
    }
  });

  it.each([...new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)))])('names tests that are in %s', (file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    const titles = rows.flatMap(({ tests }) => tests.filter((test) => test.file === file).map(({ title }) => title));
    expect([...new Set(titles)].filter((title) => !source.includes(`'${title}'`))).toEqual([]);
  });
});
