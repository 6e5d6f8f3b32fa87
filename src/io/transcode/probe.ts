import type { VideoCodec } from '../../media/mod.ts';
import { messageOf, type NodeAv } from '../ffmpeg/mod.ts';
import type { ProbedEncoder } from './messages.ts';
import { PictureEncoder } from './picture-encoder.ts';

/** Small, but not below what hardware encoders take. */
const WIDTH = 320;
const HEIGHT = 240;
const TIMESCALE = 90_000;
const FRAME_RATE = 30;
/** Hardware may hold some pictures back. */
const PICTURES = 4;
const LOG_TEXT_LENGTH_MAX = 300;

/** Lets each encoder make a few small pictures, in the way in which rungs use it; `tell` gets the results one by one, as a driver may crash. */
export async function probe(
  av: NodeAv,
  encoders: readonly { readonly name: string; readonly codec: VideoCodec }[],
  tell: (probed: ProbedEncoder) => void,
): Promise<void> {
  // FFmpeg's own words tell more than its error codes: which device, library or driver is missing.
  let log: string[] = [];
  av.Log.setCallback((_level, message) => log.push(message.trim()), { maxLevel: av.AV_LOG_ERROR });
  for (const { name, codec } of encoders) {
    log = [];
    const reason = await tryEncoder(av, name, codec).then(() => undefined, messageOf);
    // The log comes by way of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const words = log
      .filter((line) => line !== '')
      .join('; ')
      .slice(0, LOG_TEXT_LENGTH_MAX);
    tell(reason === undefined ? { name } : { name, reason: words === '' ? reason : `${reason} (${words})` });
  }
  av.Log.resetCallback();
}

async function tryEncoder(av: NodeAv, name: string, codec: VideoCodec): Promise<void> {
  const settings = {
    codec,
    width: WIDTH,
    height: HEIGHT,
    timescale: TIMESCALE,
    frameRate: FRAME_RATE,
    bitrateBps: 500_000,
    preset: 'veryfast',
    threads: 1,
  } as const;
  const encoder = await PictureEncoder.open(av, name, settings, undefined);
  const frame = new av.Frame();
  frame.alloc();
  try {
    frame.width = WIDTH;
    frame.height = HEIGHT;
    frame.format = encoder.shape.format;
    if (frame.getBuffer() < 0) throw new Error('no memory for a picture');
    for (const plane of frame.data ?? []) plane.fill(128);
    let made = 0;
    for (let index = 0; index < PICTURES; index++) {
      const time = (index * TIMESCALE) / FRAME_RATE;
      made += (await encoder.encode(frame, { dts: time, pts: time, isKeyframe: index === 0, captureMs: undefined })).length;
    }
    made += (await encoder.finish()).length;
    if (made === 0) throw new Error(`encoder ${name} opens but makes no pictures`);
  } finally {
    frame.free();
    encoder.free();
  }
}
