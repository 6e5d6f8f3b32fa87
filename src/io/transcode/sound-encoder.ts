import type { AudioFifo, CodecContext, Frame, Packet, SoftwareResampleContext } from 'node-av';
import type { AudioTrack } from '../../media/mod.ts';
import type { AudioRung } from '../../transcode/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { errorText, openEncoder } from './native.ts';
import { SoundClock } from './sound-clock.ts';

const OPUS_SAMPLE_RATE = 48_000;
/** Those of MPEG-4 AAC that players take without fuss; sound of another rate becomes 48 kHz. */
const AAC_SAMPLE_RATES: ReadonlySet<number> = new Set([22_050, 24_000, 32_000, 44_100, 48_000]);
const CHANNELS_MAX = 2;
/** Samples that fit in without another allocation: the longest Opus packet. */
const FIFO_SAMPLES = 5760;

export interface EncodedSound {
  /** In ticks of the encoder's sample rate. */
  readonly pts: number;
  readonly payload: Uint8Array;
}

/** Brings decoded sound to one encoder's rate, channels and frame size, and encodes it. */
export class SoundEncoder {
  readonly name: string;
  readonly sampleRate: number;
  /** AudioSpecificConfig or OpusHead. */
  readonly config: Uint8Array;
  private readonly av: NodeAv;
  private readonly context: CodecContext;
  private readonly clock: SoundClock;
  private readonly fifo: AudioFifo;
  /** What goes into the encoder, and what comes out of the resampler. */
  private readonly frame: Frame;
  private readonly resampled: Frame;
  private readonly packet: Packet;
  private resampler: { readonly context: SoftwareResampleContext; readonly input: string } | undefined = undefined;
  /** Of frames whose packet has not come out: each frame gives one packet. */
  private readonly sentPts: number[] = [];
  private delay: number | undefined = undefined;
  private lastPts = Number.NEGATIVE_INFINITY;
  private skipped = 0;

  private constructor(av: NodeAv, name: string, context: CodecContext) {
    this.av = av;
    this.name = name;
    this.context = context;
    this.sampleRate = context.sampleRate;
    this.config = Uint8Array.from(context.extraData ?? []);
    this.clock = new SoundClock(context.sampleRate);
    this.fifo = new av.AudioFifo();
    this.fifo.alloc(context.sampleFormat, context.channels, FIFO_SAMPLES);
    this.frame = this.newFrame();
    this.frame.nbSamples = context.frameSize;
    if (this.frame.getBuffer() < 0) throw new Error(`no memory for ${context.frameSize} samples`);
    this.resampled = this.newFrame();
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  static async open(av: NodeAv, rung: AudioRung, source: AudioTrack): Promise<SoundEncoder> {
    const name = rung.codec === 'opus' ? 'libopus' : 'aac';
    const sampleRate = rung.codec === 'aac' && AAC_SAMPLE_RATES.has(source.sampleRate) ? source.sampleRate : OPUS_SAMPLE_RATE;
    const channels = rung.channels ?? Math.max(1, Math.min(CHANNELS_MAX, source.channels));
    const context = await openEncoder(av, name, (fresh) => {
      fresh.sampleRate = sampleRate;
      fresh.sampleFormat = rung.codec === 'opus' ? av.AV_SAMPLE_FMT_FLT : av.AV_SAMPLE_FMT_FLTP;
      fresh.channelLayout = channels === 1 ? av.AV_CHANNEL_LAYOUT_MONO : av.AV_CHANNEL_LAYOUT_STEREO;
      fresh.bitRate = BigInt(rung.bitrateBps);
      fresh.timeBase = new av.Rational(1, sampleRate);
      fresh.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
      if (rung.codec === 'opus') fresh.setOption('frame_duration', '20');
    });
    return new SoundEncoder(av, name, context);
  }

  /** Frames left out since their time was taken. */
  get framesSkipped(): number {
    return this.skipped;
  }

  /** Encodes a decoded frame (borrowed) whose first sample has `pts` of `timescale`; `take` gets the packets that are complete. */
  encode(frame: Frame, pts: number, timescale: number, take: (sound: EncodedSound) => void): void {
    const resampler = this.resamplerFor(frame);
    const start = Math.round((pts * this.sampleRate) / timescale) - Number(resampler.getDelay(BigInt(this.sampleRate)));
    const place = this.clock.place(start);
    if (place === 'skip') {
      this.skipped++;
      return;
    }
    if (place === 'restart') this.fifo.reset();
    this.resample(resampler, frame);
    while (this.fifo.size >= this.frame.nbSamples) this.encodeNext(take);
  }

  free(): void {
    this.resampler?.context.free();
    this.packet.free();
    this.frame.free();
    this.resampled.free();
    this.fifo.free();
    this.context.freeContext();
  }

  private resample(resampler: SoftwareResampleContext, frame: Frame): void {
    const { resampled } = this;
    this.shape(resampled);
    const result = resampler.convertFrame(resampled, frame);
    if (result < 0) throw new Error(`sound cannot be resampled: ${errorText(this.av, result)}`);
    const samples = resampled.nbSamples;
    if (samples > 0) this.fifo.writeSync(resampled.extendedData ?? [], samples);
    this.clock.appended(samples);
    resampled.unref();
  }

  private encodeNext(take: (sound: EncodedSound) => void): void {
    const { frame, context, packet } = this;
    const pts = this.clock.nextSample - this.fifo.size;
    frame.makeWritable();
    this.fifo.readSync(frame.extendedData ?? [], frame.nbSamples);
    frame.pts = BigInt(pts);
    this.sentPts.push(pts);
    const result = context.sendFrameSync(frame);
    if (result < 0) throw new Error(`encoder ${this.name} took no sound: ${errorText(this.av, result)}`);
    while (context.receivePacketSync(packet) >= 0) {
      // FFmpeg counts on from packet to packet, also over a gap; only the encoder's delay, from the first packet, is taken from it.
      const sent = this.sentPts.shift() ?? pts;
      this.delay ??= sent - Number(packet.pts);
      const time = sent - this.delay;
      // By that delay the first packets can be before the sound, even before zero.
      if (packet.data !== null && time >= 0 && time > this.lastPts) {
        this.lastPts = time;
        take({ pts: time, payload: Uint8Array.from(packet.data) });
      }
      packet.unref();
    }
  }

  private resamplerFor(frame: Frame): SoftwareResampleContext {
    const input = `${frame.format}:${frame.sampleRate}:${frame.channels}`;
    if (this.resampler?.input === input) return this.resampler.context;
    this.resampler?.context.free();
    const context = new this.av.SoftwareResampleContext();
    const { channelLayout, sampleFormat } = this.context;
    const result = context.allocSetOpts2(
      channelLayout,
      sampleFormat,
      this.sampleRate,
      frame.channelLayout,
      frame.format as typeof sampleFormat,
      frame.sampleRate,
    );
    const started = result < 0 ? result : context.init();
    if (started < 0) {
      context.free();
      this.resampler = undefined;
      throw new Error(`no resampler for ${frame.channels} channels at ${frame.sampleRate} Hz: ${errorText(this.av, started)}`);
    }
    this.resampler = { context, input };
    return context;
  }

  private newFrame(): Frame {
    const frame = new this.av.Frame();
    frame.alloc();
    this.shape(frame);
    return frame;
  }

  private shape(frame: Frame): void {
    frame.format = this.context.sampleFormat;
    frame.sampleRate = this.context.sampleRate;
    frame.channelLayout = this.context.channelLayout;
  }
}
