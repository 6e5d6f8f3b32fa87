/** Bitrate of media over the last `windowMs` of media time, fed with each piece as it arrives. */
export class BitrateWindow {
  readonly #windowMs: number;
  readonly #pieces: { bytes: number; durationMs: number }[] = [];
  #bytes = 0;
  #durationMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(bytes: number, durationMs: number): void {
    if (!(durationMs > 0) || !(bytes > 0)) return;
    this.#pieces.push({ bytes, durationMs });
    this.#bytes += bytes;
    this.#durationMs += durationMs;
    while (this.#pieces.length > 1 && this.#durationMs - (this.#pieces[0]?.durationMs ?? 0) >= this.#windowMs) {
      const oldest = this.#pieces.shift();
      this.#bytes -= oldest?.bytes ?? 0;
      this.#durationMs -= oldest?.durationMs ?? 0;
    }
  }

  get bitrateBps(): number | undefined {
    return this.#durationMs > 0 ? (this.#bytes * 8000) / this.#durationMs : undefined;
  }
}
