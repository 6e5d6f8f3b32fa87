import type { CodecContext, FFEncoderCodec } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';

/** Makes an encoder, lets `configure` set it up, and opens it. The caller frees it. */
export function openEncoder(av: NodeAv, name: string, configure: (context: CodecContext) => void): CodecContext {
  const codec = av.Codec.findEncoderByName(name as FFEncoderCodec);
  if (codec === null) throw new Error(`this FFmpeg has no encoder ${name}`);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  configure(context);
  // FLV wants the codec's headers once at the front, not before each keyframe.
  context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
  const result = context.open2Sync(codec, null);
  if (result < 0) {
    context.freeContext();
    throw new Error(`encoder ${name} does not open (${result})`);
  }
  return context;
}
