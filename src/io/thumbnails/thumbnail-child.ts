import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FramedChild } from '../ffmpeg/mod.ts';
import type { CodedPicture } from './jpeg-maker.ts';
import type { FromPictures, ToPictures } from './picture-messages.ts';

/** What a child process says; nothing before whoever started it returned to the event loop. */
export interface PictureChildListener {
  /** FFmpeg is loaded, pictures can be made. */
  ready(): void;
  /** There is no FFmpeg: nothing can ever be made. */
  unavailable(message: string): void;
  jpeg(bytes: Uint8Array): void;
  failed(message: string): void;
  /** The process is gone; nothing follows. */
  exited(reason: string): void;
}

/** A process that makes pictures, one at a time. */
export interface PictureChild {
  make(picture: CodedPicture): void;
  kill(): void;
  /** Settles when it is gone. */
  close(): Promise<void>;
}

/** Starts a child process, which loads FFmpeg. */
export function startPictureChild(listener: PictureChildListener): PictureChild {
  // From dist it is JavaScript; from the sources, as in tests, TypeScript that Node runs as it is.
  const script = fileURLToPath(new URL(`./thumbnail-worker${extname(import.meta.url)}`, import.meta.url));
  const child = new FramedChild<ToPictures, FromPictures>(
    script,
    {},
    {
      control: (message) => {
        if (message.kind === 'ready') listener.ready();
        else if (message.kind === 'unavailable') listener.unavailable(message.message);
        else listener.failed(message.message);
      },
      // What was read together with it is not kept for its sake.
      frame: ({ payload }) => listener.jpeg(Uint8Array.from(payload)),
      exited: (reason) => listener.exited(reason),
    },
  );
  return {
    make: ({ codec, config, payload }) => {
      child.send({ kind: 'picture', codec, config: Buffer.from(config).toString('base64') });
      child.sendFrame({ channel: 0, isKeyframe: true, dts: 0, pts: 0, captureMs: undefined, payload });
    },
    kill: () => child.kill(),
    close: () => child.close({ kind: 'stop' }),
  };
}
