import { readSigned, signedText } from './signed-text.ts';

export interface RecordingLinksOptions {
  /** Those of the sessions: all nodes of a cluster have them. */
  readonly secrets: () => readonly Uint8Array[];
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** To begin a download, and to go on with it in parts. */
const LINK_MS = 300_000;

/** Tokens that let whoever has one fetch the file of one recording for a while, at any node: so that who was sent on by a node needs no key that the next one knows. */
export class RecordingLinks {
  private readonly options: RecordingLinksOptions;

  constructor(options: RecordingLinksOptions) {
    this.options = options;
  }

  tokenFor(recording: string): string {
    const { secrets, wall } = this.options;
    return signedText({ v: 1, recording, expiresAtMs: Math.round(wall()) + LINK_MS }, secrets());
  }

  opens(recording: string, token: string | undefined): boolean {
    const { secrets, wall } = this.options;
    const fields = readSigned(token, secrets());
    return fields?.['v'] === 1 && fields['recording'] === recording && Number(fields['expiresAtMs']) > wall();
  }
}
