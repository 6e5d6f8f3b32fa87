import type { Sink } from '../hub/mod.ts';

/** Takes the units that a {@link BroadcastPackager} makes. Called synchronously; must not throw. */
export interface BroadcastOutput {
  /**
   * The bytes of one frame, or of a change of headers, made once for all viewers. Given, and shared with the packager's cached GOP:
   * never written to. `startsGop`: a viewer that skipped units can come back in here.
   */
  unit(bytes: Uint8Array, startsGop: boolean): void;
  /** The source went away; the stream is held and may go on. */
  paused(): void;
  /** The stream is over. No call follows. */
  ended(): void;
}

/** A sink that serialises each frame once, whatever the number of viewers. */
export interface BroadcastPackager extends Sink {
  /**
   * Everything that a new viewer needs before the next unit: file header, metadata, sequence headers and the cached GOP, as references
   * to bytes that exist already. Empty while the stream's tracks are not known: then the first unit carries the headers.
   */
  preamble(): readonly Uint8Array[];
  /**
   * Metadata and sequence headers of the tracks that the last unit belongs to: what a viewer needs before it comes back in, if it skipped
   * the change to them. The same array until they change; empty before the first.
   */
  headers(): Uint8Array;
}
