import { type RefObject, useEffect } from 'react';

/** Scrolls a row of links, which on a phone is longer than the screen, to the one of this page. */
export function useHereInView(row: RefObject<HTMLElement | null>, page: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page has another place in the row
  useEffect(() => {
    const whole = row.current;
    const here = whole?.querySelector<HTMLElement>('[aria-current="page"]');
    if (whole && here) whole.scrollLeft = here.offsetLeft - whole.offsetLeft - (whole.clientWidth - here.offsetWidth) / 2;
  }, [row, page]);
}
