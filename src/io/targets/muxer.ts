import type { AVCodecID, FormatContext, Packet, Stream } from 'node-av';
import { ticksToMs } from '../../core/mod.ts';
import { buildOpusHead, parseOpusConfig, type Track } from '../../media/mod.ts';
import type { NodeAv, PipedFrame } from '../ffmpeg/mod.ts';

interface Output {
  readonly track: Track;
  readonly stream: Stream;
}

// As for all native objects: each is freed by whoever made it, and none while a call that uses it is in flight.

/** Writes frames to a target by one of FFmpeg's muxers, unchanged. Runs only in a child process; calls must not overlap. */
export class Muxer {
  private readonly av: NodeAv;
  private readonly format: FormatContext;
  private readonly packet: Packet;
  private readonly outputs: readonly Output[];
  private readonly isWhip: boolean;
  private startMs: number | undefined = undefined;

  constructor(av: NodeAv, format: 'mpegts' | 'whip', url: string, tracks: readonly Track[]) {
    this.av = av;
    this.isWhip = format === 'whip';
    this.format = new av.FormatContext();
    check(av, this.format.allocOutputContext2(null, format, url), `this FFmpeg has no ${format} muxer`);
    this.packet = new av.Packet();
    this.packet.alloc();
    this.outputs = tracks.map((track) => ({ track, stream: this.addStream(track) }));
  }

  /** Connects and tells what will come; throws what FFmpeg says. */
  async open(): Promise<void> {
    const { av } = this;
    // WHIP's muxer makes its connections itself.
    if (!this.isWhip) check(av, await this.format.openOutput(), 'the target cannot be reached, or refused');
    check(av, await this.format.writeHeader(null), 'the target did not take the stream');
  }

  /** Writes one frame; it has left, or waits in the kernel, when this settles. Throws when the connection broke. */
  async write({ channel, dts, pts, isKeyframe, payload }: PipedFrame): Promise<void> {
    const output = this.outputs[channel];
    if (output === undefined) return;
    const { av, packet } = this;
    const { track, stream } = output;
    this.startMs ??= ticksToMs(dts, track.timescale);
    const start = Math.round((this.startMs * track.timescale) / 1000);
    // Sound that is a little older than the first picture.
    if (dts < start) return;
    packet.data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    packet.dts = BigInt(dts - start);
    packet.pts = BigInt(Math.max(pts, dts) - start);
    packet.isKeyframe = isKeyframe;
    packet.streamIndex = stream.index;
    packet.rescaleTs(new av.Rational(1, track.timescale), stream.timeBase);
    // The stream's order is the order of decoding already: nothing is held back to sort it.
    const result = await this.format.writeFrame(packet);
    packet.unref();
    check(av, result, 'the connection to the target broke');
  }

  /** Says goodbye. */
  async finish(): Promise<void> {
    await this.format.writeTrailer();
    if (!this.isWhip) await this.format.closeOutput();
  }

  private addStream(track: Track): Stream {
    const { av } = this;
    const stream = this.format.newStream(null);
    const { codecpar } = stream;
    codecpar.codecId = codecIds(av)[track.codec];
    stream.timeBase = new av.Rational(1, track.timescale);
    if (track.kind === 'video') {
      codecpar.codecType = av.AVMEDIA_TYPE_VIDEO;
      codecpar.width = track.width;
      codecpar.height = track.height;
      if (track.codec === 'h264') {
        // The second and the fourth byte of avcC are the profile and the level.
        codecpar.profile = (track.config[1] ?? 0) as typeof codecpar.profile;
        codecpar.level = track.config[3] ?? 0;
      }
    } else {
      codecpar.codecType = av.AVMEDIA_TYPE_AUDIO;
      codecpar.sampleRate = track.sampleRate;
      // Opus in RTP is announced as stereo, whatever it is (RFC 7587 section 7).
      codecpar.channelLayout = av.avChannelLayoutDefault(this.isWhip ? 2 : track.channels);
    }
    const extradata = track.codec === 'opus' ? buildOpusHead(parseOpusConfig(track.config)) : track.config;
    if (extradata.length > 0) codecpar.extradata = Buffer.from(extradata);
    return stream;
  }
}

const codecIds = (av: NodeAv): Readonly<Record<Track['codec'], AVCodecID>> => ({
  h264: av.AV_CODEC_ID_H264,
  hevc: av.AV_CODEC_ID_HEVC,
  av1: av.AV_CODEC_ID_AV1,
  vp8: av.AV_CODEC_ID_VP8,
  vp9: av.AV_CODEC_ID_VP9,
  aac: av.AV_CODEC_ID_AAC,
  mp3: av.AV_CODEC_ID_MP3,
  opus: av.AV_CODEC_ID_OPUS,
});

function check(av: NodeAv, result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: ${av.FFmpegError.strerror(result)}`);
}
