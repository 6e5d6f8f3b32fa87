import { defineConfig } from 'vitest/config';

/** What a viewer sees and when: these have the machine to themselves, for a browser that is starved proves nothing. */
const BROWSER_TESTS = 'test/browser/**/*.test.ts';

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
          exclude: [BROWSER_TESTS],
          // Scenario tests start servers and encoders: two files at a time are what a small machine can carry.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'browser', include: [BROWSER_TESTS], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
