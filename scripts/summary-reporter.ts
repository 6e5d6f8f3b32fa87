import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Ends a run with one plain line that people and programs can read: `N passed, N failed`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()]).map((test: TestCase) => test.result().state);
    const count = (state: string): number => states.filter((each) => each === state).length;
    const brokenFiles = modules.filter((module) => module.errors().length > 0).length;
    const failed = count('failed') + brokenFiles + unhandledErrors.length;
    const skipped = count('skipped');
    // Vitest prints its own summary after the reporters' turn; this line is to be the last one.
    process.once('exit', () => {
      process.stdout.write(`\n${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
    });
  }
}
