import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What does no I/O and keeps no state beside its objects: these share their processes, whose start would cost more than the tests. */
const PURE = [
  'src/{core,media,containers,protocols,hub,gateways,access,cluster,allocation,transcode,settings,sources,targets,recording}/**/*.test.ts',
  'console/src/**/*.test.{ts,tsx}',
];

/** What a viewer sees and when: these have the machine to themselves, for a browser that is starved proves nothing. The console's pages may take their time. */
const ALONE = ['test/browser/!(console*).test.ts'];

/** Scenarios take longest, whatever the size of their files: begun last, one of them would keep all others waiting. */
class ScenariosFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => (/\/(test|sim)\//.test(moduleId) ? 0 : 1);
    return (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ScenariosFirst },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: ['default', './scripts/summary-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      // What starts servers and encoders, and waits for them: three files at a time are what a small machine can carry.
      {
        extends: true,
        test: { name: 'io', include: ['src/**/*.test.ts'], exclude: PURE, isolate: false, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'scenarios',
          include: ['test/**/*.test.ts', 'sim/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { extends: true, test: { name: 'browser', include: ALONE, maxWorkers: 1, maxConcurrency: 2, sequence: { groupOrder: 2 } } },
    ],
  },
});
