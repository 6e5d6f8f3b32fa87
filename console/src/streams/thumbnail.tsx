import { type JSX, type RefObject, useEffect, useRef, useState } from 'react';
import './thumbnail.css';
import { loadThumbnail, type Picture, pauseAfter } from './load-thumbnail.ts';

/** Somebody who scrolls past does not look. */
const LOOK_MS = 200;

interface ThumbnailProps {
  readonly app: string;
  readonly name: string;
  /** Of the stream, as far as known. */
  readonly tracks: readonly { readonly kind?: string | undefined }[];
}

/** What a stream shows, each ten seconds anew while it can be seen. Its place is there from the beginning, with a picture or without. */
export function Thumbnail({ app, name, tracks }: ThumbnailProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(place);
  const isSoundAlone = tracks.length > 0 && !tracks.some(({ kind }) => kind === 'video');
  const picture = usePicture(app, name, isSeen && !isSoundAlone);
  return (
    <div ref={place} className="thumbnail">
      {picture === undefined || isSoundAlone ? (
        <span>{isSoundAlone ? 'Sound' : 'No picture'}</span>
      ) : (
        <img src={picture.url} alt={`What ${app}/${name} shows`} width={320} height={180} />
      )}
    </div>
  );
}

/** Whether something is within the window, and the window is looked at. */
function useSeen(place: RefObject<HTMLElement | null>): boolean {
  const [isWithin, setWithin] = useState(false);
  const [isShown, setShown] = useState(!document.hidden);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => setWithin(entries.at(-1)?.isIntersecting ?? false));
    if (place.current !== null) watch.observe(place.current);
    const change = (): void => setShown(!document.hidden);
    document.addEventListener('visibilitychange', change);
    return () => {
      watch.disconnect();
      document.removeEventListener('visibilitychange', change);
    };
  }, [place]);
  return isWithin && isShown;
}

/** The newest picture; the last one stays while there is no newer, and while nobody looks. */
function usePicture(app: string, name: string, isWanted: boolean): Picture | undefined {
  const [picture, setPicture] = useState<Picture>();
  const shown = useRef<string>(undefined);
  // The browser keeps a picture's bytes until they are given up.
  useEffect(() => () => (picture === undefined ? undefined : URL.revokeObjectURL(picture.url)), [picture]);
  useEffect(() => {
    if (!isWanted) return undefined;
    const ended = new AbortController();
    let timer = setTimeout(look, LOOK_MS);
    async function look(): Promise<void> {
      const loaded = await loadThumbnail(app, name, shown.current, ended.signal);
      if (typeof loaded !== 'number') {
        shown.current = loaded.etag;
        setPicture(loaded);
      }
      if (ended.signal.aborted) return;
      timer = setTimeout(look, pauseAfter(loaded));
    }
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [app, name, isWanted]);
  return picture;
}
