import { SluiceError } from '../../core/mod.ts';
import { ConfigError } from '../config/mod.ts';
import { EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';

/** The server that was asked does not answer, or cannot now: the same command may succeed later. */
const AWAY: ReadonlySet<string> = new Set([
  'cluster.server-unreachable',
  'cluster.answer-wrong',
  'cluster.store-unavailable',
  'api.internal',
]);

/**
 * Prints why a command failed and returns its exit code: 2 for what the caller can put right, 1 for a server that does not answer. What is known to go wrong is
 * told in words without a stack, or as JSON.
 */
export function fail(error: unknown, asJson = false): number {
  if (asJson && error instanceof Error && 'code' in error) {
    console.error(JSON.stringify({ code: error.code, detail: error.message }));
    return AWAY.has(String(error.code)) ? EXIT_FAILED : EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    const count = error.problems.length;
    console.error(`The configuration cannot be used (${count === 1 ? 'one problem' : `${count} problems`}):\n`);
    for (const line of error.message.split('\n')) console.error(`  ${line}`);
    console.error('\nAll keys: docs/configuration.md');
    return EXIT_USAGE;
  }
  if (error instanceof SluiceError) {
    console.error(`sluice: ${error.message} [${error.code}]`);
    return AWAY.has(error.code) ? EXIT_FAILED : EXIT_USAGE;
  }
  console.error(error);
  return EXIT_FAILED;
}
