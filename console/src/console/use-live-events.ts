import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { STALE_BY_EVENT, StaleKeys } from './live-events.ts';

const PAUSE_MS = 600;

/** Listens to the server's events while the page is open, and has what they make old fetched again. Returns whether it hears them now. */
export function useLiveEvents(isAllowed: boolean): boolean {
  const queries = useQueryClient();
  const [isLive, setIsLive] = useState(false);
  useEffect(() => {
    if (!isAllowed) return undefined;
    const stale = new StaleKeys(PAUSE_MS);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refetch = (): void => {
      for (const key of stale.take(Date.now())) void queries.invalidateQueries({ queryKey: [key] });
    };
    const source = new EventSource('/api/v1/events');
    for (const [type, keys] of Object.entries(STALE_BY_EVENT)) {
      source.addEventListener(type, () => {
        const waitMs = stale.add(keys, Date.now());
        if (waitMs !== undefined) timer = setTimeout(refetch, waitMs);
      });
    }
    source.addEventListener('hello', (event) => {
      setIsLive(true);
      // What happened meanwhile is not known: all of it may be old.
      if (!(JSON.parse(event.data as string) as { isResumed: boolean }).isResumed) void queries.invalidateQueries();
    });
    source.onerror = () => setIsLive(false);
    return () => {
      clearTimeout(timer);
      source.close();
      setIsLive(false);
    };
  }, [isAllowed, queries]);
  return isLive;
}
