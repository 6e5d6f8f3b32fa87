import type { CodecContext, Frame } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { openEncoder } from './open-encoder.ts';
import type { PublisherAudio } from './publisher-options.ts';

const BEEP_HZ = 1000;
const BEEP_MS = 100;
const BEEP_VOLUME = 0.3;
const CHANNELS = 2;

/** A beep at the start of each second of the wall clock, encoded. Free it with `free`. */
export class TestTone {
  readonly encoder: CodecContext;
  readonly sampleRate: number;
  private readonly frame: Frame;
  private readonly isPlanar: boolean;
  private samplesMade = 0;

  constructor(av: NodeAv, options: PublisherAudio) {
    // FLV has no plain MP3 of 48 kHz, and Opus no 44.1 kHz.
    this.sampleRate = options.codec === 'mp3' ? 44_100 : 48_000;
    this.isPlanar = options.codec !== 'opus';
    const name = ({ aac: 'aac', opus: 'libopus', mp3: 'libmp3lame' } as const)[options.codec];
    this.encoder = openEncoder(av, name, (context) => {
      context.sampleRate = this.sampleRate;
      context.sampleFormat = this.isPlanar ? av.AV_SAMPLE_FMT_FLTP : av.AV_SAMPLE_FMT_FLT;
      context.channelLayout = av.AV_CHANNEL_LAYOUT_STEREO;
      context.bitRate = BigInt(options.bitrateBps);
      context.timeBase = new av.Rational(1, this.sampleRate);
    });
    this.frame = new av.Frame();
    this.frame.alloc();
    this.frame.nbSamples = this.encoder.frameSize;
    this.frame.sampleRate = this.sampleRate;
    this.frame.format = this.encoder.sampleFormat;
    this.frame.channelLayout = av.AV_CHANNEL_LAYOUT_STEREO;
    const result = this.frame.getBuffer();
    if (result < 0) throw new Error(`no room for ${this.encoder.frameSize} audio samples (${result})`);
  }

  /** How many milliseconds of sound have been made. */
  get madeMs(): number {
    return (this.samplesMade * 1000) / this.sampleRate;
  }

  /** The length of one frame in milliseconds. */
  get frameMs(): number {
    return (this.encoder.frameSize * 1000) / this.sampleRate;
  }

  /** Sends the next frame to the encoder; the sound began at `startUnixMs`. */
  encode(startUnixMs: number): void {
    const frame = this.frame;
    frame.makeWritable();
    const planes = (frame.data ?? []).map((plane) => new Float32Array(plane.buffer, plane.byteOffset, plane.byteLength >> 2));
    for (let index = 0; index < frame.nbSamples; index++) {
      const value = this.sampleAt(startUnixMs, this.samplesMade + index);
      if (this.isPlanar) for (let channel = 0; channel < CHANNELS; channel++) (planes[channel] as Float32Array)[index] = value;
      else (planes[0] as Float32Array).fill(value, index * CHANNELS, (index + 1) * CHANNELS);
    }
    frame.pts = BigInt(this.samplesMade);
    this.samplesMade += frame.nbSamples;
    this.encoder.sendFrameSync(frame);
  }

  private sampleAt(startUnixMs: number, sample: number): number {
    const msInSecond = (startUnixMs + (sample * 1000) / this.sampleRate) % 1000;
    return msInSecond < BEEP_MS ? BEEP_VOLUME * Math.sin((2 * Math.PI * BEEP_HZ * msInSecond) / 1000) : 0;
  }

  free(): void {
    this.frame.free();
    this.encoder.freeContext();
  }
}
