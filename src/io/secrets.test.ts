import { hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secrets } from './secrets.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'sluice-secrets-')), 'data');
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('secrets', () => {
  it('are made once and kept, for the owner alone', () => {
    const folder = newFolder();
    const first = Secrets.open(folder);
    const { key, isNew } = first.ensureStreamKey('live', NOW);
    const admin = first.createApiKey('admin', 'admin', NOW);
    expect([isNew, first.hasAdminKey]).toEqual([true, true]);
    expect([modeOf(folder), modeOf(first.file)]).toEqual([0o700, 0o600]);
    expect(readdirSync(folder)).toEqual(['secrets.json']);

    const second = Secrets.open(folder);
    expect(second.ensureStreamKey('live', NOW)).toEqual({ key, isNew: false });
    expect(second.apiKeys).toEqual([expect.objectContaining({ scope: 'admin', sha256: hash('sha256', admin) })]);
  });

  it('keep no API key, only its hash', () => {
    const secrets = Secrets.open(newFolder());
    const admin = secrets.createApiKey('admin', 'admin', NOW);
    expect(admin).toMatch(/^sk_[\w-]{43}$/);
    expect(readFileSync(secrets.file, 'utf8')).not.toContain(admin.slice(3));
  });

  it('forget a key that is replaced', () => {
    const secrets = Secrets.open(newFolder());
    const old = secrets.createApiKey('admin', 'admin', NOW);
    secrets.createApiKey('admin', 'admin', NOW);
    expect(secrets.apiKeys).toHaveLength(1);
    expect(secrets.adminKey?.sha256).not.toBe(hash('sha256', old));
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"version":2}',
    '{"version":1,"streamKeys":{"live":1},"apiKeys":[]}',
    '{"version":1,"streamKeys":{},"apiKeys":[{"sha256":"x"}]}',
  ])('that are damaged (%s) are an error and left as they are', (text) => {
    const folder = newFolder();
    const { file } = Secrets.open(folder);
    writeFileSync(file, text);
    expect(() => Secrets.open(folder)).toThrow(expect.objectContaining({ code: 'secrets.unreadable' }));
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('in a folder that cannot be made name the key that changes it', () => {
    const file = join(newFolder(), '..', 'file');
    writeFileSync(file, '');
    expect(() => Secrets.open(join(file, 'data'))).toThrow(/SLUICE_DATA_FOLDER/);
  });
});
