// Decodes a JPEG for tests, in a process of its own.
import type { SeenJpeg } from './jpeg-look.fixture.ts';

const av = await import('node-av');

async function look(jpeg: Uint8Array): Promise<SeenJpeg> {
  const decoder = av.Codec.findDecoder(av.AV_CODEC_ID_MJPEG);
  const context = new av.CodecContext();
  context.allocContext3(decoder);
  await context.open2(decoder, null);
  const packet = new av.Packet();
  packet.alloc();
  packet.data = Buffer.from(jpeg);
  const frame = new av.Frame();
  frame.alloc();
  const sent = await context.sendPacket(packet);
  const received = sent < 0 ? sent : await context.receiveFrame(frame);
  if (received < 0) throw new Error(av.FFmpegError.strerror(received));
  const planes = [0, 1, 2].map((plane) =>
    mean(frame.data?.[plane], frame.linesize[plane] ?? 0, frame.width >> (plane && 1), frame.height >> (plane && 1)),
  );
  const [y = 0, cb = 0, cr = 0] = planes;
  const { width, height } = frame;
  frame.free();
  packet.free();
  context.freeContext();
  // JFIF: BT.601 in full range.
  return {
    width,
    height,
    mean: [y + 1.402 * (cr - 128), y - 0.344 * (cb - 128) - 0.714 * (cr - 128), y + 1.772 * (cb - 128)],
  };
}

function mean(plane: Uint8Array | undefined, stride: number, width: number, height: number): number {
  let sum = 0;
  for (let line = 0; line < height; line++) for (let at = 0; at < width; at++) sum += plane?.[line * stride + at] ?? 0;
  return sum / (width * height);
}

process.on('message', (jpeg: Uint8Array) => {
  look(jpeg).then(
    (seen) => process.send?.(seen),
    (error: unknown) => process.send?.(String(error)),
  );
});
