import { useEffect, useRef, useState } from 'react';
import type { HistoryColumns } from './overview-history.ts';
import { SampleHistory } from './sample-history.ts';

const SPAN_S = 600;

/**
 * Keeps the figures of each answer over the last minutes that a page is open; `atMs` is when the answer came, 0 before the first. Returns what gives the columns of
 * a chart with such lines.
 */
export function useHistory<Name extends string>(
  sample: Readonly<Record<Name, number>>,
  atMs: number,
): (...lines: readonly Name[]) => HistoryColumns {
  const history = useRef<SampleHistory<Name> | undefined>(undefined);
  const [, setAtMs] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a sample an answer, not one each time that the page is drawn
  useEffect(() => {
    if (atMs === 0) return;
    history.current ??= new SampleHistory(Object.keys(sample) as Name[], SPAN_S);
    history.current.add(Math.round(atMs / 1000), sample);
    setAtMs(atMs);
  }, [atMs]);
  return (...lines) => history.current?.columns(...lines) ?? [[]];
}
