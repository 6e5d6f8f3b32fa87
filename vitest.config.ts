import { defineConfig } from 'vitest/config';

/** What a viewer sees and when: these have the machine to themselves, for a browser that is starved proves nothing. The console's pages may take their time. */
const ALONE = ['test/browser/**/*.test.ts', '!test/browser/console*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: ['default', './scripts/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'sluice',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'sim/**/*.test.ts', 'console/**/*.test.{ts,tsx}'],
          exclude: ['test/browser/!(console*).test.ts'],
          // Scenario tests start servers and encoders, and wait for them: three files at a time are what a small machine can carry.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'browser', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
