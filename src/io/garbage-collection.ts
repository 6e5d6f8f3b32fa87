import { setFlagsFromString } from 'node:v8';

/** The oldest Node.js whose V8 knows the flag. */
const NODE_MIN = 24;

/**
 * To be called once, at the start of a process that carries media. Payloads lie outside of V8's heap, which by itself marks all of its objects whenever 64 MB of
 * them have come and gone, several times a second at some hundred Mbit/s, and each time frames wait for some ten milliseconds. Counted with the heap, they
 * have a limit that grows with what is in use.
 */
export function countPayloadsAsHeap(): void {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MIN) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
