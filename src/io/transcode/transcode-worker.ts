// The child process of TranscodeProcess. FFmpeg lives only here: a crash in native code must not take the server with it.
import { Socket } from 'node:net';
import { controlMessage, loadNodeAv, NODE_AV_MISSING, WireReader, writeFrame } from '../ffmpeg/mod.ts';
import type { FromChild, ToChild } from './messages.ts';
import { TranscodeHost } from './transcode-host.ts';

const PIPE_FD = 3;
const HEARTBEAT_MS = 500;
/** What the server has not taken yet, at most; beyond it nothing more is encoded. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
// SIGKILL, as an ordinary exit would wait for native calls that may be stuck.
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
pipe.on('close', die).on('error', die).on('end', die);
// Ctrl-C reaches the whole process group; it is the parent who tells its children when to stop.
process.on('SIGINT', () => undefined);

const send = (message: FromChild): void => {
  pipe.write(controlMessage(message));
};

const av = await loadNodeAv();
if (av === undefined) {
  send({ kind: 'failed', code: 'transcode.unavailable', message: NODE_AV_MISSING });
} else {
  av.Log.setLevel(av.AV_LOG_ERROR);
  const host = new TranscodeHost(av, {
    control: send,
    frame: (frame) => writeFrame(pipe, frame),
    flow: (isOpen) => {
      if (isOpen) pipe.resume();
      else pipe.pause();
    },
    isBacklogged: () => pipe.writableLength > BACKLOG_BYTES_MAX,
  });
  const reader = new WireReader({
    control: (message) => {
      const command = message as ToChild;
      host.control(command);
      if (command.kind === 'stop') void host.close().then(() => process.exit(0), die);
    },
    frame: (frame) => host.frame(frame),
  });
  pipe.on('data', (chunk) => reader.receive(chunk));
  pipe.on('drain', () => host.regulate());
  setInterval(() => send({ kind: 'heartbeat', seats: host.heartbeats() }), HEARTBEAT_MS);
  send({ kind: 'ready' });
}
