import { useCallback, useEffect, useRef, useState } from 'react';
import { type ListedStream, parseStreams, type StreamsAnswer } from './streams-answer.ts';

const REFRESH_MS = 2000;
const PAGE_ITEMS = 24;
const ANSWER_MS_MAX = 8000;

/** The list as last heard of; `streams` is `undefined` until the first answer, and stays through failures. */
export interface StreamsView {
  readonly streams: readonly ListedStream[] | undefined;
  readonly more: boolean;
  readonly serverSilent: boolean;
  readonly loadMore: () => void;
}

/** Keeps the list of streams fresh while the page is looked at. */
export function useStreams(): StreamsView {
  const [answer, setAnswer] = useState<StreamsAnswer>();
  const [serverSilent, setServerSilent] = useState(false);
  const pages = useRef(1);
  const refreshNow = useRef<() => void>(() => undefined);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let turn = 0;
    const refresh = async (): Promise<void> => {
      const mine = ++turn;
      clearTimeout(timer);
      const fresh = document.hidden ? 'not looked at' : await fetchPages(pages.current);
      if (mine !== turn) return;
      if (fresh !== 'not looked at') {
        if (fresh) setAnswer(fresh);
        setServerSilent(fresh === undefined);
      }
      timer = setTimeout(refreshNow.current, REFRESH_MS);
    };
    refreshNow.current = () => void refresh();
    const onVisible = (): void => void (!document.hidden && refreshNow.current());
    document.addEventListener('visibilitychange', onVisible);
    refreshNow.current();
    return () => {
      turn += 1;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, []);

  const loadMore = useCallback(() => {
    pages.current += 1;
    refreshNow.current();
  }, []);
  return { streams: answer?.items, more: answer?.nextCursor !== undefined, serverSilent, loadMore };
}

/** The first `pages` pages of the list, one after the other; `undefined` when any of them does not come. */
async function fetchPages(pages: number): Promise<StreamsAnswer | undefined> {
  const items: ListedStream[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const answer = await fetchPage(cursor);
    if (!answer) return undefined;
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return { items, nextCursor: cursor };
}

async function fetchPage(cursor: string | undefined): Promise<StreamsAnswer | undefined> {
  const query = new URLSearchParams({ limit: String(PAGE_ITEMS), ...(cursor === undefined ? {} : { cursor }) });
  try {
    const response = await fetch(`/api/v1/streams?${query}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return response.ok ? parseStreams(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}
