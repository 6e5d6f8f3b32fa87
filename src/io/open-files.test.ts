import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFiles } from './open-files.ts';

const OPENED = 300;
/** A folder of the system's whose size is 0, like that of the open files of an older Linux. */
const SIZELESS = '/proc/self/ns';

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

  it.skipIf(!existsSync(SIZELESS))('is counted where the system does not say it as the size of the folder', () => {
    expect(openFiles(SIZELESS)).toBe(readdirSync(SIZELESS).length - 1);
  });

  it('is not told where there is no such folder', () => {
    expect(openFiles('/proc/self/no-such-folder')).toBeUndefined();
  });
});
