import { useCallback, useEffect, useRef, useState } from 'react';

const IDLE_MS = 3000;

/** Whether nobody has touched the player for a while; `stir` says that somebody did. */
export function useIdle(): { readonly idle: boolean; readonly stir: () => void } {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stir = useCallback(() => {
    setIdle(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setIdle(true), IDLE_MS);
  }, []);
  useEffect(() => {
    stir();
    return () => clearTimeout(timer.current);
  }, [stir]);
  return { idle, stir };
}
