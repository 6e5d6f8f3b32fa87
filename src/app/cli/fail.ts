import { SluiceError } from '../../core/mod.ts';
import { ConfigError } from '../config/mod.ts';
import { EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';

/** Prints why a command failed and returns its exit code. What the caller can put right is told in words, without a stack. */
export function fail(error: unknown): number {
  if (error instanceof ConfigError) {
    const count = error.problems.length;
    console.error(`The configuration cannot be used (${count === 1 ? 'one problem' : `${count} problems`}):\n`);
    for (const line of error.message.split('\n')) console.error(`  ${line}`);
    console.error('\nAll keys: docs/configuration.md');
    return EXIT_USAGE;
  }
  if (error instanceof SluiceError) {
    console.error(`sluice: ${error.message} [${error.code}]`);
    return EXIT_USAGE;
  }
  console.error(error);
  return EXIT_FAILED;
}
