export interface Picture {
  /** Of a blob: whoever shows it gives it up. */
  readonly url: string;
  /** Says which picture it is; '' when it is not known. */
  readonly etag: string;
}

const ANSWER_MS_MAX = 15_000;
const REFRESH_MS = 10_000;
/** A server that cannot at the moment, or has nothing to show yet. */
const AGAIN_MS = 4_000;
/** What will hardly change while somebody looks: sound alone, no right to see it, a server without FFmpeg. */
const SELDOM_MS = 60_000;
const BUSY = new Set([0, 404, 503]);
const SAME = 304;

/**
 * The picture of a stream, unless it is the one that is `shown`: then 304. The status of the answer when there is none, 0 when there was no answer or
 * nobody wants it any more.
 */
export async function loadThumbnail(app: string, name: string, shown: string | undefined, signal: AbortSignal): Promise<Picture | number> {
  const path = [app, name].map(encodeURIComponent).join('/');
  try {
    const response = await fetch(`/api/v1/streams/${path}/thumbnail.jpg`, {
      credentials: 'same-origin',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
    });
    if (!response.ok) return response.status;
    const etag = response.headers.get('etag') ?? '';
    if (etag !== '' && etag === shown) return SAME;
    const bytes = await response.blob();
    return signal.aborted ? 0 : { url: URL.createObjectURL(bytes), etag };
  } catch {
    return 0;
  }
}

/** How long to wait before the next one. */
export function pauseAfter(loaded: Picture | number): number {
  if (typeof loaded !== 'number' || loaded === SAME) return REFRESH_MS;
  return BUSY.has(loaded) ? AGAIN_MS : SELDOM_MS;
}
