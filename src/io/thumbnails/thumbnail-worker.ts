// The child process that makes thumbnails. FFmpeg lives only here: a crash in native code must not take the server with it.
import { Socket } from 'node:net';
import { controlMessage, loadNodeAv, messageOf, NODE_AV_MISSING, type PipedFrame, WireReader, writeFrame } from '../ffmpeg/mod.ts';
import { makeJpeg } from './jpeg-maker.ts';
import type { FromPictures, ToPictures } from './picture-messages.ts';

const PIPE_FD = 3;

const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
// SIGKILL, as an ordinary exit would wait for native calls that may be stuck.
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
pipe.on('close', die).on('error', die).on('end', die);
// Ctrl-C reaches the whole process group; it is the parent who tells its children when to stop.
process.on('SIGINT', () => undefined);

const send = (message: FromPictures): void => {
  pipe.write(controlMessage(message));
};

const av = await loadNodeAv();
av?.Log.setLevel(av.AV_LOG_QUIET);

let wanted: Extract<ToPictures, { kind: 'picture' }> | undefined;

async function make({ payload }: PipedFrame): Promise<void> {
  if (av === undefined || wanted === undefined) return;
  const { codec, config } = wanted;
  const jpeg = await makeJpeg(av, { codec, config: Buffer.from(config, 'base64'), payload });
  writeFrame(pipe, { channel: 0, isKeyframe: true, dts: 0, pts: 0, captureMs: undefined, payload: jpeg });
}

const reader = new WireReader({
  control: (message) => {
    const command = message as ToPictures;
    if (command.kind === 'stop') die();
    else wanted = command;
  },
  frame: (frame) => void make(frame).catch((error: unknown) => send({ kind: 'failed', message: messageOf(error) })),
});
pipe.on('data', (chunk) => reader.receive(chunk));
send(av === undefined ? { kind: 'unavailable', message: NODE_AV_MISSING } : { kind: 'ready' });
