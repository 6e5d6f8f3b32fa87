import type { FormatContext, Packet, Stream } from 'node-av';
import type { AudioCodec, VideoCodec } from '../../media/mod.ts';
import type { NodeAv, PipedFrame } from '../ffmpeg/mod.ts';
import { Pacer } from './pacer.ts';
import { CHANNEL, type FromSource, type SourceInput } from './source-messages.ts';

const VIDEO_CODECS: ReadonlySet<string> = new Set<VideoCodec>(['h264', 'hevc', 'av1', 'vp8', 'vp9']);
const AUDIO_CODECS: ReadonlySet<string> = new Set<AudioCodec>(['aac', 'opus', 'mp3']);
/** A file that is read through faster than this has nothing to be looped. */
const LOOP_S_MIN = 0.1;

export interface SourceReaderOutput {
  control(message: FromSource): void;
  frame(frame: PipedFrame): void;
  /** Settles when more can be taken; undefined: at once. */
  room(): Promise<void> | undefined;
}

/** One of the input's tracks that are taken. */
interface Taken {
  readonly channel: number;
  readonly stream: Stream;
  readonly secondsPerTick: number;
}

/** Reads an input by FFmpeg and gives its frames out: the best video track and the sound that goes with it. */
export class SourceReader {
  private readonly av: NodeAv;
  private readonly out: SourceReaderOutput;
  private readonly pacer = new Pacer();
  /** Where the timestamps of what was read so far end, in seconds: a loop goes on there. */
  private endS = 0;
  /** Added to the timestamps of this round. */
  private shiftS: number | undefined = 0;

  constructor(av: NodeAv, out: SourceReaderOutput) {
    this.av = av;
    this.out = out;
  }

  /** Settles when the input is over; why was told. */
  async run(input: SourceInput): Promise<void> {
    for (;;) {
      const beganS = this.endS;
      const failure = await this.round(input);
      if (failure !== undefined || !input.isLooped) {
        this.out.control(failure ?? { kind: 'failed', code: 'sources.ended', message: 'the input is over' });
        return;
      }
      if (this.endS - beganS < LOOP_S_MIN) {
        this.out.control({ kind: 'failed', code: 'sources.ended', message: 'the file has nothing that can be played' });
        return;
      }
      this.shiftS = undefined;
    }
  }

  /** Reads the input once, from its beginning to its end. */
  private async round(input: SourceInput): Promise<Extract<FromSource, { kind: 'failed' }> | undefined> {
    const { av } = this;
    const context = new av.FormatContext();
    context.allocContext();
    try {
      const opened = await context.openInput(input.url, this.format(input), av.Dictionary.fromObject({ ...input.options }));
      if (opened < 0) return this.failed('sources.open-failed', opened);
      const found = await context.findStreamInfo(null);
      if (found < 0) return this.failed('sources.open-failed', found);
      const taken = this.take(context);
      if (taken.size === 0) {
        return { kind: 'failed', code: 'sources.no-tracks', message: `nothing of it can be played: ${this.codecs(context).join(', ')}` };
      }
      return await this.read(context, taken, input.isPaced);
    } finally {
      await context.closeInput();
    }
  }

  private format({ format }: SourceInput): ReturnType<NodeAv['InputFormat']['findInputFormat']> {
    return format === undefined ? null : this.av.InputFormat.findInputFormat(format);
  }

  private async read(
    context: FormatContext,
    taken: ReadonlyMap<number, Taken>,
    isPaced: boolean,
  ): Promise<Extract<FromSource, { kind: 'failed' }> | undefined> {
    const { av } = this;
    const packet = new av.Packet();
    packet.alloc();
    try {
      for (;;) {
        const result = await context.readFrame(packet);
        if (result === av.AVERROR_EOF) return undefined;
        if (result === av.AVERROR_EAGAIN) continue;
        if (result < 0) return this.failed('sources.read-failed', result);
        const of = taken.get(packet.streamIndex);
        if (of !== undefined) await this.packet(of, packet, isPaced);
        packet.unref();
      }
    } finally {
      packet.free();
    }
  }

  private async packet(of: Taken, packet: Packet, isPaced: boolean): Promise<void> {
    const { av } = this;
    const time = (value: bigint): number | undefined => (value === av.AV_NOPTS_VALUE ? undefined : Number(value));
    const [dts, pts] = [time(packet.dts), time(packet.pts)];
    const at = dts ?? pts;
    const { secondsPerTick } = of;
    if (at !== undefined) this.shiftS ??= this.endS - at * secondsPerTick;
    const shift = Math.round((this.shiftS ?? 0) / secondsPerTick);
    if (at !== undefined) {
      const seconds = (at + shift) * secondsPerTick;
      this.endS = Math.max(this.endS, seconds + Number(packet.duration) * secondsPerTick);
      if (isPaced) await this.pacer.until(seconds);
    }
    const config = packet.getSideData(av.AV_PKT_DATA_NEW_EXTRADATA);
    if (config !== null) this.tell(of, config);
    const { data } = packet;
    if (data === null || data.length === 0) return;
    this.out.frame({
      channel: of.channel,
      isKeyframe: packet.isKeyframe,
      dts: dts === undefined ? Number.NaN : dts + shift,
      pts: pts === undefined ? Number.NaN : pts + shift,
      captureMs: undefined,
      // The packet's own memory is used again.
      payload: Uint8Array.from(data),
    });
    await this.out.room();
  }

  /** The tracks to take, by index; the others are not even fetched where FFmpeg can help it. */
  private take(context: FormatContext): ReadonlyMap<number, Taken> {
    const { av } = this;
    const video = this.best(context, av.AVMEDIA_TYPE_VIDEO, VIDEO_CODECS, -1);
    const audio = this.best(context, av.AVMEDIA_TYPE_AUDIO, AUDIO_CODECS, video?.index ?? -1);
    const taken = new Map<number, Taken>();
    for (const stream of [video, audio]) {
      if (stream === undefined) continue;
      const channel = stream === video ? CHANNEL.video : CHANNEL.audio;
      const { num, den } = stream.timeBase;
      taken.set(stream.index, { channel, stream, secondsPerTick: num / den });
    }
    const leftOut = context.streams.filter(({ index }) => !taken.has(index));
    for (const stream of leftOut) stream.discard = av.AVDISCARD_ALL;
    this.out.control({ kind: 'opened', format: context.iformat?.name ?? '', leftOut: leftOut.map((stream) => this.codecOf(stream)) });
    for (const of of taken.values()) this.tell(of, of.stream.codecpar.extradata ?? new Uint8Array());
    return taken;
  }

  /** FFmpeg's choice, or where that cannot be played the first that can. */
  private best(
    context: FormatContext,
    type: Stream['codecpar']['codecType'],
    codecs: ReadonlySet<string>,
    related: number,
  ): Stream | undefined {
    const { streams } = context;
    const isUsable = (stream: Stream): boolean => stream.codecpar.codecType === type && codecs.has(this.codecOf(stream));
    const chosen = streams[context.findBestStream(type, -1, related)];
    return chosen !== undefined && isUsable(chosen) ? chosen : streams.find(isUsable);
  }

  private tell({ channel, stream }: Taken, config: Uint8Array): void {
    const { num, den } = stream.timeBase;
    const codec = this.codecOf(stream);
    const rest = { config: Buffer.from(config).toString('base64'), timeBase: { numerator: num, denominator: den } };
    if (channel === CHANNEL.video) this.out.control({ kind: 'track', track: { kind: 'video', codec: codec as VideoCodec, ...rest } });
    else this.out.control({ kind: 'track', track: { kind: 'audio', codec: codec as AudioCodec, ...rest } });
  }

  private codecs(context: FormatContext): string[] {
    return context.streams.map((stream) => this.codecOf(stream));
  }

  private codecOf(stream: Stream): string {
    return this.av.avGetCodecName(stream.codecpar.codecId) ?? 'unknown';
  }

  private failed(code: string, result: number): Extract<FromSource, { kind: 'failed' }> {
    return { kind: 'failed', code, message: this.av.FFmpegError.strerror(result) };
  }
}
