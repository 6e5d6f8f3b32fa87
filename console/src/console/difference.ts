/** One line of what changed. */
export interface DifferenceLine {
  readonly kind: 'gone' | 'new';
  /** `playback.policy: "token"`. */
  readonly text: string;
}

const LINES_MAX = 200;
const TEXT_MAX = 400;

export interface DifferenceOptions {
  /** What the paths begin with. */
  readonly under?: string;
  /** null is what is not set, and not shown. */
  readonly isNullUnset?: boolean;
}

/** What was and is no more, and what is and was not, by the paths of the values; what stayed is left out. At most 200 lines. */
export function difference(before: unknown, after: unknown, options: DifferenceOptions = {}): readonly DifferenceLine[] {
  const [old, now] = [valuesOf(before, options), valuesOf(after, options)];
  const lines: DifferenceLine[] = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === is) continue;
    if (was !== undefined) lines.push({ kind: 'gone', text: lineOf(path, was) });
    if (is !== undefined) lines.push({ kind: 'new', text: lineOf(path, is) });
  }
  return lines.slice(0, LINES_MAX);
}

const lineOf = (path: string, value: string): string => {
  const text = path === '' ? value : `${path}: ${value}`;
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)} …` : text;
};

/** Every value that is no object, by its path, as JSON. Lists of plain values are one value; those of objects go by their ids, where they have some. */
function valuesOf(value: unknown, { under = '', isNullUnset = false }: DifferenceOptions): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const walk = (path: string, part: unknown): void => {
    if (part === undefined || (part === null && isNullUnset)) return;
    if (Array.isArray(part) && part.some((item) => typeof item === 'object' && item !== null)) {
      for (const [index, item] of part.entries()) walk(join(path, nameOf(item) ?? String(index)), item);
    } else if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      for (const [key, item] of Object.entries(part)) walk(join(path, key), item);
    } else {
      values.set(path, JSON.stringify(part));
    }
  };
  walk(under, value);
  return values;
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { id, name } = item as { id?: unknown; name?: unknown };
  return typeof id === 'string' ? id : typeof name === 'string' ? name : undefined;
}
