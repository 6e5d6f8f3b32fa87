import type { AVCodecID, CodecContext, Frame, Packet } from 'node-av';
import { type AudioCodec, type AudioTrack, buildOpusHead, parseOpusConfig } from '../../media/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { errorText } from './native.ts';

/** Decodes one audio track. Its calls take microseconds, so they are made on the spot. */
export class SoundDecoder {
  private readonly context: CodecContext;
  private readonly packet: Packet;
  private readonly frame: Frame;
  private corrupt = 0;

  private constructor(av: NodeAv, context: CodecContext) {
    this.context = context;
    this.packet = new av.Packet();
    this.packet.alloc();
    this.frame = new av.Frame();
    this.frame.alloc();
  }

  /** Throws when there is no decoder, or it does not take the track's configuration. */
  static async open(av: NodeAv, track: AudioTrack): Promise<SoundDecoder> {
    const codec = av.Codec.findDecoder(codecId(av, track.codec));
    if (codec === null) throw new Error(`this FFmpeg has no decoder for ${track.codec}`);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    const header = track.codec === 'opus' ? buildOpusHead(parseOpusConfig(track.config)) : track.config;
    if (header.length > 0) context.extraData = Buffer.from(header);
    context.sampleRate = track.sampleRate;
    context.channelLayout = av.avChannelLayoutDefault(track.channels);
    context.pktTimebase = new av.Rational(1, track.timescale);
    const result = await context.open2(codec, null);
    if (result < 0) {
      context.freeContext();
      throw new Error(`the decoder for ${track.codec} does not open: ${errorText(av, result)}`);
    }
    return new SoundDecoder(av, context);
  }

  /** Frames of which nothing could be decoded. */
  get framesCorrupt(): number {
    return this.corrupt;
  }

  /** Decodes one frame; `take` gets what comes out (borrowed; its pts in ticks of the track). A corrupt frame is skipped. */
  decode(payload: Uint8Array, pts: number, take: (frame: Frame) => void): void {
    const { packet, frame, context } = this;
    // To FFmpeg nothing at all is the end of the stream.
    if (payload.length === 0) {
      this.corrupt++;
      return;
    }
    packet.data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    packet.pts = BigInt(pts);
    packet.dts = packet.pts;
    const result = context.sendPacketSync(packet);
    packet.unref();
    if (result < 0) this.corrupt++;
    while (context.receiveFrameSync(frame) >= 0) {
      take(frame);
      frame.unref();
    }
  }

  free(): void {
    this.packet.free();
    this.frame.free();
    this.context.freeContext();
  }
}

function codecId(av: NodeAv, codec: AudioCodec): AVCodecID {
  return { aac: av.AV_CODEC_ID_AAC, opus: av.AV_CODEC_ID_OPUS, mp3: av.AV_CODEC_ID_MP3 }[codec];
}
