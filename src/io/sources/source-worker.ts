// The child process of a pull source. FFmpeg lives only here: a crash in native code must not take the server with it.
import { Socket } from 'node:net';
import { controlMessage, loadNodeAv, messageOf, NODE_AV_MISSING, WireReader, writeFrame } from '../ffmpeg/mod.ts';
import type { FromSource, SourceInput, ToSource } from './source-messages.ts';
import { SourceReader } from './source-reader.ts';

const PIPE_FD = 3;
/** What the server has not taken yet, at most; beyond it nothing more is read. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
// SIGKILL, as an ordinary exit would wait for native calls that may be stuck.
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
pipe.on('close', die).on('error', die).on('end', die);
// Ctrl-C reaches the whole process group; it is the parent who tells its children when to stop.
process.on('SIGINT', () => undefined);

const send = (message: FromSource): void => {
  pipe.write(controlMessage(message));
};
/** Ends once everything that was said has left. */
const leave = (): void => {
  pipe.end(() => die());
};

const room = (): Promise<void> | undefined =>
  pipe.writableLength > BACKLOG_BYTES_MAX ? new Promise((resolve) => pipe.once('drain', resolve)) : undefined;

const av = await loadNodeAv();
av?.Log.setLevel(av.AV_LOG_ERROR);

async function read(input: SourceInput): Promise<void> {
  if (av === undefined) {
    send({ kind: 'failed', code: 'sources.unavailable', message: NODE_AV_MISSING });
    return;
  }
  const reader = new SourceReader(av, { control: send, frame: (frame) => writeFrame(pipe, frame), room });
  await reader.run(input);
}

const commands = new WireReader({
  control: (message) => {
    const command = message as ToSource;
    if (command.kind === 'stop') die();
    else {
      // Node's environment is that of the process: FFmpeg sees it.
      Object.assign(process.env, command.environment);
      read(command.input)
        .catch((error: unknown) => send({ kind: 'failed', code: 'sources.open-failed', message: messageOf(error) }))
        .finally(leave);
    }
  },
  frame: () => undefined,
});
pipe.on('data', (chunk) => commands.receive(chunk));
