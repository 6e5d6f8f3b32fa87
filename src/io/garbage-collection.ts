import { setFlagsFromString } from 'node:v8';

/** The oldest Node.js whose V8 knows the flags. */
const NODE_MIN = 24;
/** What may come, in percent of what is in use, until all is marked again: the less often, the more memory. */
const GROWTH_PERCENT = 60;

/**
 * To be called once, at the start of a process that carries media. Payloads lie outside of V8's heap, which by itself marks all of its objects whenever 64 MB of
 * them have come and gone, several times a second at some hundred Mbit/s, and each time frames wait for some ten milliseconds. Counted with the heap, they
 * have a limit that grows with what is in use.
 */
export function collectSeldom(): void {
  if (Number.parseInt(process.versions.node, 10) < NODE_MIN) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
