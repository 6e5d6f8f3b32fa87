import { type JSX, useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistoryColumns } from './overview-history.ts';

/** Colours take a moment to change. */
const SETTLED_MS = 50;
/** A chart that has just begun shows a few seconds, not an instant. */
const SPAN_S_MIN = 20;
/** Until it spans so much, there is no line to see. */
const BEGUN_S = 4;
const CHARACTER_PX = 7;

interface ChartProps {
  readonly title: string;
  readonly lines: readonly string[];
  readonly columns: HistoryColumns;
  /** What the scale goes up to at least. */
  readonly top: number;
  /** What it goes down to at least; 0 unless values can be negative. */
  readonly bottom?: number;
  readonly format: (value: number) => string;
}

/** Lines over the last minutes. The legend has the latest values as text, so the picture itself is for the eyes alone. */
export function Chart({ title, lines, columns, top, bottom = 0, format }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const chart = useRef<UPlot | undefined>(undefined);
  const data = useRef(columns);
  const theme = useThemeSignal();
  data.current = columns;
  // biome-ignore lint/correctness/useExhaustiveDependencies: canvases do not follow the theme by themselves, so it makes a new one
  useEffect(() => {
    const [into, colours] = [place.current, legend.current];
    if (into === null || colours === null) return undefined;
    const made = new UPlot(optionsOf(into, colours, { lines, top, bottom, format }), data.current as UPlot.AlignedData, into);
    chart.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: into.clientWidth, height: Math.max(60, into.clientHeight) }));
    resized.observe(into);
    return () => {
      resized.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [theme]);
  useEffect(() => chart.current?.setData(columns as UPlot.AlignedData), [columns]);
  return (
    <figure className="chart panel">
      <figcaption>
        {title}
        <ul ref={legend} className="legend">
          {lines.map((line, index) => (
            <li key={line} className={`line-${index}`}>
              <span className="swatch" aria-hidden="true" />
              {lines.length === 1 ? <span className="visually-hidden">{line}: </span> : `${line}: `}
              <b>{format(columns[index + 1]?.at(-1) ?? 0)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} className="chart-place" aria-hidden="true">
        {!hasBegun(columns[0]) && <span className="chart-begins">The line begins now</span>}
      </div>
    </figure>
  );
}

function optionsOf(
  into: HTMLElement,
  legend: HTMLElement,
  { lines, top, bottom, format }: Required<Pick<ChartProps, 'lines' | 'top' | 'bottom' | 'format'>>,
): UPlot.Options {
  const colour = (selector: string): string => getComputedStyle(legend.querySelector(selector) ?? legend).color;
  const text = getComputedStyle(into).color;
  const axis = {
    stroke: text,
    font: '12px system-ui',
    ticks: { show: false },
    grid: { stroke: `color-mix(in srgb, ${text} 18%, transparent)`, width: 1 },
  };
  return {
    width: Math.max(200, into.clientWidth),
    height: Math.max(60, into.clientHeight),
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { range: ({ data }) => timeRange(data[0]) },
      y: { range: (_chart, min, max) => [Math.min(bottom, min * 1.15), Math.max(top, max * 1.15)] },
    },
    axes: [
      { ...axis, values: (_chart, ticks) => ticks.map((atS) => new Date(atS * 1000).toLocaleTimeString('en-GB')), space: 80, size: 32 },
      {
        ...axis,
        size: (_chart, ticks) => 16 + CHARACTER_PX * Math.max(0, ...(ticks ?? []).map((tick) => tick.length)),
        values: (_chart, ticks) => ticks.map((value) => (Number.isInteger(value) || value > 10 ? format(value) : '')),
      },
    ],
    series: [{}, ...lines.map((_line, index) => ({ stroke: colour(`.line-${index} .swatch`), width: 2, points: { show: false } }))],
  };
}

const hasBegun = (times: readonly number[]): boolean => (times.at(-1) ?? 0) - (times[0] ?? 0) >= BEGUN_S;

/** From the first sample, but at least over some seconds, to the last. */
function timeRange(times: ArrayLike<number>): [from: number, to: number] {
  const to = times[times.length - 1] ?? Math.round(Date.now() / 1000);
  return [Math.min(times[0] ?? to, to - SPAN_S_MIN), to];
}

/** Changes when the page's colours do. */
function useThemeSignal(): string {
  const [signal, setSignal] = useState('');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        setSignal(`${document.documentElement.dataset['theme'] ?? ''}${matchMedia('(prefers-color-scheme: dark)').matches}`);
      }, SETTLED_MS);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', look);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      media.removeEventListener('change', look);
    };
  }, []);
  return signal;
}
