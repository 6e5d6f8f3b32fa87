// The child process of DemoSource and of the tests' publishers. FFmpeg lives only here: a crash in native code must not
// take the server with it.
import { loadNodeAv, NODE_AV_MISSING } from '../ffmpeg/mod.ts';
import type { PublisherCommand, PublisherOptions, PublisherReport } from './publisher-options.ts';
import { RtmpPublisher } from './rtmp-publisher.ts';

let publisher: RtmpPublisher | undefined;

process.on('message', (command: PublisherCommand) => {
  if (command.kind === 'stop') {
    if (publisher === undefined) process.exit(0);
    publisher.stop();
  } else {
    void publish(command.options).then(report, (error: unknown) => {
      report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    });
  }
});
// SIGKILL, as an ordinary exit would wait for a native call that may be stuck in a dead connection.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C reaches the whole process group; it is the parent who tells its children when to stop.
process.on('SIGINT', () => undefined);

async function publish(options: PublisherOptions): Promise<PublisherReport> {
  const av = await loadNodeAv();
  if (av === undefined) {
    return { kind: 'unavailable', message: `${NODE_AV_MISSING}, or publish with OBS or ffmpeg instead` };
  }
  av.Log.setLevel(av.AV_LOG_ERROR);
  publisher = new RtmpPublisher(av, options);
  await publisher.run(() => {
    process.send?.({ kind: 'publishing' } satisfies PublisherReport);
  });
  publisher.free();
  return { kind: 'finished' };
}

function report(last: PublisherReport): void {
  process.send?.(last, () => process.exit(last.kind === 'finished' ? 0 : 1));
}
