import type { Engine, EngineFigures, EngineListener } from './engine.ts';

const MEDIA_TYPE = 'application/vnd.apple.mpegurl';

/** Whether the browser plays HLS by itself (Safari, and every browser of an iPhone). */
export const nativeEngineWorks = (video: HTMLVideoElement): boolean => video.canPlayType(MEDIA_TYPE) !== '';

/** Leaves the playing to the browser, where Media Source Extensions are missing. */
export class NativeEngine implements Engine {
  readonly protocol = 'HLS (native)';
  readonly tellsProgress = false;
  /** Known to the browser, which goes on to the end. */
  readonly isOver = false;
  readonly qualities = [];
  readonly playing = -1;
  readonly chosen = -1;
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #onError: () => void;

  constructor(video: HTMLVideoElement, url: string, listener: EngineListener) {
    this.#video = video;
    this.#url = url;
    this.#onError = () => {
      const error = video.error;
      const kind = error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'other';
      listener.failed(kind, error?.message || `media error ${error?.code ?? 0}`);
    };
    video.addEventListener('error', this.#onError);
    video.src = url;
  }

  /** The browser chooses; it offers no menu. */
  choose(): void {}

  refreshQualities(): void {
    // They are told without asking.
  }

  liveSeconds(): number | undefined {
    const { seekable } = this.#video;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : undefined;
  }

  figures(): EngineFigures {
    const live = this.liveSeconds();
    const start = 'getStartDate' in this.#video ? (this.#video.getStartDate as () => Date).call(this.#video).getTime() : Number.NaN;
    return {
      ...(live === undefined ? {} : { edgeLatencyMs: (live - this.#video.currentTime) * 1000 }),
      ...(Number.isFinite(start) ? { pictureWallMs: start + this.#video.currentTime * 1000 } : {}),
    };
  }

  recoverMedia(): void {
    this.resumeLoading();
  }

  resumeLoading(): void {
    this.#video.src = this.#url;
  }

  destroy(): void {
    this.#video.removeEventListener('error', this.#onError);
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}
