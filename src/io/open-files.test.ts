import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openFiles } from './open-files.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, statSync: vi.fn(fs.statSync), readdirSync: vi.fn(fs.readdirSync) };
});

const OPENED = 300;

afterEach(() => {
  vi.mocked(statSync).mockReset();
  vi.mocked(readdirSync).mockReset();
});

describe('how many files are open', () => {
  it.skipIf(!existsSync('/proc/self/fd'))('is what the system says of this process', () => {
    const files = Array.from({ length: OPENED }, () => openSync(import.meta.filename, 'r'));
    try {
      // Other threads of the process open and close files at the same time.
      expect(openFiles()).toBeGreaterThanOrEqual(OPENED);
    } finally {
      for (const file of files) closeSync(file);
    }
  });

  it('is counted where the system does not say it as the size of the folder', () => {
    vi.mocked(statSync).mockReturnValue({ size: 0 } as never);
    vi.mocked(readdirSync).mockReturnValue(['0', '1', '2', '17', '18'] as never);
    expect(openFiles()).toBe(4);
  });

  it('is not told where there is no such folder', () => {
    vi.mocked(statSync).mockImplementation(() => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    });
    expect(openFiles()).toBeUndefined();
  });
});
