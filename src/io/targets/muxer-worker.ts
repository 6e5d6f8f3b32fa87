// The child process of MuxerPush. FFmpeg lives only here: a crash in native code must not take the server with it.
import { Socket } from 'node:net';
import { controlMessage, loadNodeAv, messageOf, NODE_AV_MISSING, type PipedFrame, WireReader } from '../ffmpeg/mod.ts';
import { trackOf } from '../transcode/messages.ts';
import { Muxer } from './muxer.ts';
import type { FromMuxer, ToMuxer } from './muxer-messages.ts';

const PIPE_FD = 3;
const REPORT_MS = 250;
/** Frames that were read and not written yet, at most; beyond it the pipe is not read. */
const QUEUE_BYTES_MAX = 256 * 1024;

const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
// SIGKILL, as an ordinary exit would wait for native calls that may be stuck.
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
pipe.on('close', die).on('error', die).on('end', die);
// Ctrl-C reaches the whole process group; it is the parent who tells its children when to stop.
process.on('SIGINT', () => undefined);

const send = (message: FromMuxer): void => {
  pipe.write(controlMessage(message));
};
/** The parent closes the pipe when it has read why. */
const fail = (code: string, message: string, isFinal = false): void => send({ kind: 'failed', code, message, isFinal });

let muxer: Muxer | undefined;
let isFailed = false;
let writtenBytes = 0;
let reportedBytes = 0;
let queuedBytes = 0;
/** All native calls, one after the other. */
let work: Promise<void> = Promise.resolve();

function then(code: string, act: () => Promise<void>): void {
  work = work.then(async () => {
    if (isFailed) return;
    try {
      await act();
    } catch (error) {
      isFailed = true;
      fail(code, messageOf(error));
    }
  });
}

function write(frame: PipedFrame): void {
  const { length } = frame.payload;
  queuedBytes += length;
  if (queuedBytes > QUEUE_BYTES_MAX) pipe.pause();
  then('targets.peer-closed', async () => {
    await muxer?.write(frame);
    queuedBytes -= length;
    writtenBytes += length;
    if (queuedBytes <= QUEUE_BYTES_MAX / 2) pipe.resume();
  });
}

const av = await loadNodeAv();
if (av === undefined) fail('targets.unavailable', NODE_AV_MISSING, true);
else {
  av.Log.setLevel(av.AV_LOG_ERROR);
  const open = ({ format, url, tracks }: Extract<ToMuxer, { kind: 'open' }>): void =>
    then('targets.connect', async () => {
      muxer = new Muxer(av, format, url, tracks.map(trackOf));
      await muxer.open();
      send({ kind: 'opened' });
    });
  const reader = new WireReader({
    control: (message) => {
      const command = message as ToMuxer;
      if (command.kind === 'open') open(command);
      else {
        pipe.resume();
        then('targets.peer-closed', async () => muxer?.finish());
        void work.then(die);
      }
    },
    frame: write,
  });
  pipe.on('data', (chunk) => reader.receive(chunk));
  setInterval(() => {
    if (writtenBytes === reportedBytes) return;
    reportedBytes = writtenBytes;
    send({ kind: 'written', bytes: writtenBytes });
  }, REPORT_MS);
}
