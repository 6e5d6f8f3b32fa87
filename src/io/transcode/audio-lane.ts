import type { Frame } from 'node-av';
import { ticksToMs } from '../../core/mod.ts';
import type { AudioTrack } from '../../media/mod.ts';
import { messageOf, type NodeAv } from '../ffmpeg/mod.ts';
import type { NumberedRung } from './messages.ts';
import { SoundDecoder } from './sound-decoder.ts';
import { type EncodedSound, SoundEncoder } from './sound-encoder.ts';

export interface AudioRungOutput {
  config(number: number, config: Uint8Array, encoder: string): void;
  encoded(number: number, sound: EncodedSound): void;
  failed(number: number, code: string, message: string): void;
}

/** The way of a source's sound through the child: decoded once, then all audio rungs. Calls come one after the other, each awaited. */
export class AudioLane {
  private readonly av: NodeAv;
  private readonly out: AudioRungOutput;
  private track: AudioTrack | undefined = undefined;
  private decoder: SoundDecoder | undefined = undefined;
  private wanted: readonly NumberedRung[] = [];
  private readonly encoders = new Map<number, SoundEncoder>();
  private readonly failedNumbers = new Set<number>();
  private corruptBefore = 0;
  private lastDoneMs: number | undefined = undefined;

  constructor(av: NodeAv, out: AudioRungOutput) {
    this.av = av;
    this.out = out;
  }

  get framesCorrupt(): number {
    return this.corruptBefore + (this.decoder?.framesCorrupt ?? 0);
  }

  /** The time of the last frame taken. */
  get doneMs(): number | undefined {
    return this.lastDoneMs;
  }

  /** The frames from here on are of another track. Encoders stay as they are: what comes in is brought to their rate and channels. */
  async setTrack(track: AudioTrack): Promise<void> {
    this.closeDecoder();
    this.track = track;
    await Promise.resolve();
  }

  async setRungs(rungs: readonly NumberedRung[]): Promise<void> {
    this.wanted = rungs.filter(({ rung }) => rung.kind === 'audio');
    for (const number of this.encoders.keys()) if (!this.wanted.some((rung) => rung.number === number)) this.stop(number);
    if (this.wanted.length === 0) this.closeDecoder();
    await Promise.resolve();
  }

  async frame(payload: Uint8Array, pts: number): Promise<void> {
    const { track } = this;
    if (track === undefined || this.wanted.length === 0) return;
    this.lastDoneMs = ticksToMs(pts, track.timescale);
    for (const rung of this.wanted) await this.start(rung, track);
    this.decoder ??= await SoundDecoder.open(this.av, track);
    this.decoder.decode(payload, pts, (frame) => this.encode(frame, pts, track));
  }

  free(): void {
    for (const number of this.encoders.keys()) this.stop(number);
    this.closeDecoder();
  }

  private async start({ number, rung }: NumberedRung, track: AudioTrack): Promise<void> {
    if (rung.kind !== 'audio' || this.encoders.has(number) || this.failedNumbers.has(number)) return;
    try {
      const encoder = await SoundEncoder.open(this.av, rung, track);
      this.encoders.set(number, encoder);
      this.out.config(number, encoder.config, encoder.name);
    } catch (error) {
      this.fail(number, 'transcode.no-encoder', error);
    }
  }

  private encode(frame: Frame, pts: number, track: AudioTrack): void {
    // A decoder that cuts its start off moves the time along.
    const start = frame.pts === this.av.AV_NOPTS_VALUE ? pts : Number(frame.pts);
    for (const [number, encoder] of this.encoders) {
      try {
        encoder.encode(frame, start, track.timescale, (sound) => this.out.encoded(number, sound));
      } catch (error) {
        this.stop(number);
        this.fail(number, 'transcode.encoder-failed', error);
      }
    }
  }

  private stop(number: number): void {
    this.encoders.get(number)?.free();
    this.encoders.delete(number);
  }

  private fail(number: number, code: string, error: unknown): void {
    this.failedNumbers.add(number);
    this.out.failed(number, code, messageOf(error));
  }

  private closeDecoder(): void {
    this.corruptBefore += this.decoder?.framesCorrupt ?? 0;
    this.decoder?.free();
    this.decoder = undefined;
  }
}
