import type { CodedPicture } from './jpeg-maker.ts';
import type { PictureChild, PictureChildListener } from './thumbnail-child.ts';

/** A child process that does as a test says. */
export class FakePictureChild implements PictureChild {
  readonly listener: PictureChildListener;
  /** What it was asked to make. */
  readonly asked: CodedPicture[] = [];
  isReady = false;
  /** With a picture that was not answered. */
  isBusy = false;
  isGone = false;

  constructor(listener: PictureChildListener) {
    this.listener = listener;
  }

  make(picture: CodedPicture): void {
    this.asked.push(picture);
    this.isBusy = true;
  }

  ready(): void {
    this.isReady = true;
    this.listener.ready();
  }

  jpeg(bytes: Uint8Array): void {
    this.isBusy = false;
    this.listener.jpeg(bytes);
  }

  failed(message: string): void {
    this.isBusy = false;
    this.listener.failed(message);
  }

  kill(): void {
    this.isGone = true;
  }

  close(): Promise<void> {
    this.isGone = true;
    return Promise.resolve();
  }

  /** It dies by itself. */
  crash(): void {
    this.isGone = true;
    this.isBusy = false;
    this.listener.exited('signal SIGSEGV');
  }
}

/** Starts such children and keeps them. */
export class FakePictureChildren {
  readonly all: FakePictureChild[] = [];

  readonly start = (listener: PictureChildListener): PictureChild => {
    const child = new FakePictureChild(listener);
    this.all.push(child);
    return child;
  };

  get newest(): FakePictureChild {
    const child = this.all.at(-1);
    if (child === undefined) throw new Error('no child was started');
    return child;
  }
}
