import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { eventLog } from './event-log.ts';
import { isLong, STALE_BY_EVENT, StaleKeys } from './live-events.ts';

const PAUSE_MS = 600;
/** Browsers try again by themselves, but not after an answer that is no list of events. */
const AGAIN_MS = 3_000;

/** Listens to the server's events while the page is open, and has what they make old fetched again. Returns whether it hears them now. */
export function useLiveEvents(isAllowed: boolean): boolean {
  const queries = useQueryClient();
  const [isLive, setIsLive] = useState(false);
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round listens anew
  useEffect(() => {
    if (!isAllowed) return undefined;
    const stale = new StaleKeys(PAUSE_MS);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const refetch = (): void => {
      for (const key of stale.take(Date.now()))
        void queries.invalidateQueries({ queryKey: [key], predicate: ({ state }) => !isLong(state.data) });
    };
    const source = new EventSource('/api/v1/events');
    for (const [type, keys] of Object.entries(STALE_BY_EVENT)) {
      source.addEventListener(type, (event) => {
        eventLog.add({ type, data: String(event.data), atMs: Date.now() });
        const waitMs = stale.add(keys, Date.now());
        if (waitMs !== undefined) timer = setTimeout(refetch, waitMs);
      });
    }
    source.addEventListener('hello', (event) => {
      setIsLive(true);
      // What happened meanwhile is not known: all of it may be old.
      if (!(JSON.parse(event.data as string) as { isResumed: boolean }).isResumed) void queries.invalidateQueries();
    });
    source.onerror = () => {
      setIsLive(false);
      // Says at once whether the server is there.
      void queries.invalidateQueries({ queryKey: ['session'] });
      if (source.readyState === EventSource.CLOSED) again = setTimeout(() => setRound((last) => last + 1), AGAIN_MS);
    };
    return () => {
      clearTimeout(timer);
      clearTimeout(again);
      source.close();
      setIsLive(false);
    };
  }, [isAllowed, queries, round]);
  return isLive;
}
