import type { CodecContext, FFEncoderCodec } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';

// Rules for all native objects of the child: each is freed by whoever made it; none is freed, nor given to a second call, while a call that
// uses it is in flight; options go in by name before opening, as node-av frees a Dictionary given to `open2Sync` twice; frames
// and packets are `alloc`ed before anything is received into them.

/** Opens a coder that `configure` has set up. The caller frees it. */
export async function openEncoder(av: NodeAv, name: string, configure: (context: CodecContext) => void): Promise<CodecContext> {
  const codec = av.Codec.findEncoderByName(name as FFEncoderCodec);
  if (codec === null) throw new Error(`this FFmpeg has no encoder ${name}`);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  try {
    configure(context);
    const result = await context.open2(codec, null);
    if (result < 0) throw new Error(`encoder ${name} does not open: ${errorText(av, result)}`);
  } catch (error) {
    context.freeContext();
    throw error;
  }
  return context;
}

/** What FFmpeg says about one of its negative results. */
export function errorText(av: NodeAv, result: number): string {
  return av.FFmpegError.strerror(result);
}
